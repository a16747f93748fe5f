"""HEAD and GET of one tag: what the two answers say together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.manifests import SCHEMA_1
from ecr_feed.oci.registry_client import ManifestHead, PulledManifest
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.registry_transport import RegistryError
from ecr_feed.oci.steps import Step, StepResult, step_failed, step_failed_with, step_succeeded

# Statuses of a HEAD that say nothing about the manifest: not supported, a proxy, too many requests.
_SILENT: Final = frozenset({405, 407, 408, 429, 501})


@dataclass(frozen=True, slots=True)
class ManifestReads:
    """HEAD and GET of a tag, one after the other; `get` is None where it was not made."""

    tag: str
    head: ManifestHead | RegistryError
    get: PulledManifest | RegistryError | None = None

    @property
    def refuses_login(self) -> bool:
        """An answer refuses the login, which the registry has accepted before."""
        return any(
            isinstance(each, RegistryError) and each.reason.trouble is Trouble.LOGIN_REFUSED
            for each in (self.head, self.get)
        )

    @property
    def answers(self) -> tuple[str, ...]:
        """Each answer in words."""
        get = () if self.get is None else (f"GET of {self.tag}: {_named(self.get)}",)
        return (f"HEAD of {self.tag}: {_named(self.head)}", *get)

    @property
    def contradict(self) -> bool:
        """The two cannot both be true of one manifest."""
        head, get = self.head, self.get
        if get is None or (isinstance(head, RegistryError) and not _states(head)):
            return _contradicts_itself(get)
        if isinstance(get, PulledManifest):
            return isinstance(head, RegistryError) or not _same(head, get)
        if isinstance(head, ManifestHead):
            return _states(get) or _contradicts_itself(get)
        # Both are refused: for one reason, or for two. A broken manifest was not refused.
        return _tells(get) and get.status != head.status

    def tells_less(self, earlier: ManifestReads) -> bool:
        """GET told something of the manifest earlier, and nothing now."""
        return earlier.get is not None and not _tells(self.get)

    @property
    def head_step(self) -> StepResult:
        """How HEAD ended; one that does not tell is decided by GET, where that was made.

        Not for reads that contradict each other.
        """
        head, get = self.head, self.get
        if isinstance(head, ManifestHead) and head.is_manifest:
            what = f"{head.media_type} {head.digest}"
            return step_succeeded(
                Step.HEAD, what, subject=self.tag, host=head.host, status=head.status
            )
        if isinstance(get, PulledManifest):
            said = f"HEAD says {_named(head)}; GET is answered with a manifest"
            return step_succeeded(
                Step.HEAD, said, subject=self.tag, host=get.host, status=get.status
            )
        if isinstance(head, ManifestHead):
            # Whatever GET ended in, HEAD alone does not show a manifest.
            reason = FailureReason(
                Trouble.MALFORMED, f"not a manifest: {head.named}", "NOT_A_MANIFEST"
            )
            return step_failed(
                Step.HEAD, reason, subject=self.tag, host=head.host, status=head.status
            )
        # HEAD has no body with a reason: GET's is more precise.
        return step_failed_with(Step.HEAD, self.tag, head if get is None else get)


def _states(error: RegistryError) -> bool:
    """A refusal that is a statement about the login, the permission or the manifest."""
    status = error.status
    return status is not None and 400 <= status < 500 and status not in _SILENT


def _tells(get: PulledManifest | RegistryError | None) -> bool:
    """An answer with a manifest, broken ones included, or a refusal."""
    if not isinstance(get, RegistryError):
        return get is not None
    return _states(get) or (get.status is not None and get.status < 300)


def _contradicts_itself(get: PulledManifest | RegistryError | None) -> bool:
    return isinstance(get, RegistryError) and get.reason.trouble is Trouble.CONTRADICTION


def _same(head: ManifestHead, get: PulledManifest) -> bool:
    """Media type and digest agree; one that was not sent disagrees with none."""
    types = {head.media_type, get.media_type} - {""}
    digests = {head.digest, get.manifest.digest} - {""}
    # A digest of another algorithm was asked for, and verified, by its own name.
    same = len({digest.partition(":")[2] for digest in digests if digest[:7] == "sha256:"}) < 2
    return same and (len(types) < 2 or types <= SCHEMA_1)


def _named(answer: ManifestHead | PulledManifest | RegistryError) -> str:
    if isinstance(answer, ManifestHead):
        return answer.named
    if isinstance(answer, PulledManifest):
        kind = answer.media_type or answer.manifest.media_type
        return f"HTTP {answer.status}, {kind}, {answer.manifest.digest}"
    status = "no answer" if answer.status is None else f"HTTP {answer.status}"
    reason = answer.reason
    code = "" if reason.code in ("", "CONTRADICTION", status) else f"{reason.code}: "
    return f"{status} ({code}{reason.message or reason.trouble.value})"
