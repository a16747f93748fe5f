"""The results of a login and of a walk to an image, step by step, without secrets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.oci.manifests import Manifest, ManifestKind
from ecr_feed.oci.platforms import Platform
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.registry_transport import RegistryError
from ecr_feed.text.times import ClockOffset

# Refusals that a deployment would meet too; other failures may be temporary, or this machine's.
REFUSALS: Final = frozenset(
    {
        Trouble.LOGIN_REFUSED,
        Trouble.EXPIRED,
        Trouble.DENIED,
        Trouble.NOT_FOUND,
        Trouble.SIGNATURE,
    }
)
# Our own codes for content that is broken for every client.
_BROKEN: Final = frozenset(
    {"DIGEST", "SIZE", "MANIFEST", "REDIRECT", "CONFIG", "PLATFORM", "ARTIFACT", "ACCEPTED"}
)
NOT_A_REGISTRY: Final = "NOT_A_REGISTRY"
# Our own codes for answers of something else than the registry or its storage, as far as known.
FOREIGN_ANSWERS: Final = frozenset(
    {NOT_A_REGISTRY, "CHALLENGE", "NOT_A_BLOB", "NOT_A_MANIFEST", "UNREADABLE"}
)
# All codes of our own: a message shows their text only.
_OURS: Final = _BROKEN | FOREIGN_ANSWERS | {"CONTRADICTION", "FOREIGN", "LINK", "TAGS"}


class Step(StrEnum):
    """One step of `docker login` or `docker pull`."""

    CHALLENGE = "challenge"  # GET /v2/ without a login
    LOGIN = "login"  # GET /v2/ with the token
    WRONG_PASSWORD = "wrong password"
    TAGS = "tags"
    HEAD = "manifest head"
    MANIFEST = "manifest"
    PLATFORM = "platform manifest"
    CONFIG = "config"
    LAYER = "layer"


class StepState(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"  # the registry responded so that a deployment would fail
    NOT_ASSESSED = "not assessed"  # no response, a service error, or not made


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: `subject` is a tag or digest, `host` the one that responded last.

    `status` is None without a response; `failure` is None if the state is OK. Of a download,
    `received` is the number of bytes and `verified` says that their digest is right. Where answers
    contradict each other, `answers` has each of them, in the order received.
    """

    step: Step
    state: StepState
    what: str
    subject: str = ""
    host: str = ""
    status: int | None = None
    failure: Failure | None = None
    received: int = 0
    verified: bool = False
    answers: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the step was made and succeeded."""
        return self.state is StepState.OK

    @property
    def trouble(self) -> Trouble | None:
        """The kind of failure, None for a step that succeeded."""
        return None if self.failure is None else self.failure.trouble

    @property
    def summary(self) -> str:
        """One line: step, subject and what happened."""
        return f"{self.step.value}{f' {self.subject}' if self.subject else ''}: {self.what}"


def step_succeeded(
    step: Step,
    what: str,
    *,
    subject: str = "",
    host: str = "",
    status: int | None = None,
    received: int = 0,
    verified: bool = False,
) -> StepResult:
    """A step that was made and succeeded."""
    ok = StepState.OK
    return StepResult(step, ok, what, subject, host, status, received=received, verified=verified)


def step_contradicted(
    step: Step, answers: tuple[str, ...], *, subject: str = "", host: str = ""
) -> StepResult:
    """A step whose answers contradict each other, also when all were asked for once more."""
    what = f"answers contradict each other: {'; '.join(dict.fromkeys(answers))}"
    reason = FailureReason(Trouble.CONTRADICTION, what, "CONTRADICTION")
    return replace(step_failed(step, reason, subject=subject, host=host), answers=answers)


def step_failed_with(step: Step, subject: str, error: RegistryError) -> StepResult:
    """A step that ended in an error: failed if a deployment would fail too, else not assessed."""
    return step_failed(step, error.reason, subject=subject, host=error.host, status=error.status)


def step_failed(
    step: Step,
    reason: FailureReason,
    *,
    subject: str = "",
    host: str = "",
    status: int | None = None,
) -> StepResult:
    """A step that failed for this reason, or could not be assessed because of it."""
    fails = reason.trouble in REFUSALS or reason.code in _BROKEN
    message = reason.message or reason.trouble.value
    show_code = reason.code not in ("", message) and reason.code not in _OURS
    what = f"{reason.code}: {message}" if show_code else message
    failure = Failure(
        reason.trouble,
        "registry",
        step.value,
        "",
        code=reason.code,
        message=reason.message,
        host=host,
    )
    state = StepState.FAILED if fails else StepState.NOT_ASSESSED
    return StepResult(step, state, what, subject, host, status, failure)


def step_not_made(earlier: StepResult, step: Step, subject: str = "") -> StepResult:
    """A step that was not made because an earlier one failed; it has the same failure."""
    what = f"not asked, because {earlier.summary}"
    return replace(earlier, step=step, state=StepState.NOT_ASSESSED, what=what, subject=subject)


@dataclass(frozen=True, slots=True)
class Login:
    """The result of `docker login`: without a login, with the token, with a wrong password.

    `clock` is this machine's clock offset to the registry's, None where that is unknown.
    """

    host: str
    challenge: StepResult
    login: StepResult
    wrong_password: StepResult
    clock: ClockOffset | None = None

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """The three steps in order."""
        return (self.challenge, self.login, self.wrong_password)

    @property
    def ok(self) -> bool:
        """Whether the registry accepted the token."""
        return self.login.ok


@dataclass(frozen=True, slots=True)
class WantedImage:
    """The image that a walk is to: a tag (or digest) of a repository, and the platform.

    With `tag` None only the list of tags is read. With `platform` None it is linux/amd64 where an
    index has that, else the index's first image.
    """

    repository: str
    tag: str | None = None
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class PackageWalk:
    """The walk to one image. What was not read is None or empty.

    `tags` are as the registry lists them; `media_type` and `digest` are the tag's. `manifest` is
    the tag's, `image` the one that a worker pulls (the same unless that is an index), `platform`
    the image's. `requests` is the number that were sent.
    """

    wanted: WantedImage
    deep: bool
    steps: tuple[StepResult, ...]
    tags: tuple[str, ...] | None = None
    media_type: str = ""
    digest: str = ""
    manifest: Manifest | None = None
    image: Manifest | None = None
    platform: Platform | None = None
    requests: int = 0

    @property
    def ok(self) -> bool:
        """Whether every step was made and succeeded."""
        return all(step.ok for step in self.steps)

    @property
    def broken(self) -> StepResult | None:
        """The first step that did not succeed."""
        return next((step for step in self.steps if not step.ok), None)

    def of(self, *steps: Step) -> tuple[StepResult, ...]:
        """The results of these kinds of step, in order."""
        return tuple(result for result in self.steps if result.step in steps)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms that the tag has images for, without attestations."""
        found = [self.platform]
        if self.manifest is not None and self.manifest.kind is ManifestKind.INDEX:
            named = [image.platform for image in self.manifest.images]
            found = [*named, *(found if self.manifest.unnamed else ())]
        return tuple(dict.fromkeys(platform for platform in found if platform is not None))
