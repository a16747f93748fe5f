"""The read-only steps of a pull: tags, manifest, platform, config and layers of one image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.manifest_reads import ManifestReads
from ecr_feed.oci.manifests import Descriptor, Manifest, ManifestError, ManifestKind, parse_config
from ecr_feed.oci.platforms import Platform, accepts, rank
from ecr_feed.oci.registry_client import CONFIG_LIMIT, ManifestHead, PulledManifest, RegistryClient
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.registry_transport import RegistryError
from ecr_feed.oci.reply_checks import is_registry_root
from ecr_feed.oci.steps import (
    PackageWalk,
    Step,
    StepResult,
    WantedImage,
    step_contradicted,
    step_failed,
    step_failed_with,
    step_not_made,
    step_succeeded,
)
from ecr_feed.text.words import many

T = TypeVar("T")
_DEFAULT_PLATFORM = Platform("linux", "amd64")
_NESTED = 3  # levels of indexes; an image below those is not looked for


@dataclass
class PackageWalker:
    """Makes one walk, and collects its results for the `PackageWalk` that `walk` returns."""

    client: RegistryClient
    wanted: WantedImage
    deep: bool
    steps: list[StepResult] = field(default_factory=list)
    requests: int = 0
    tags: tuple[str, ...] | None = None
    media_type: str = ""
    digest: str = ""
    manifest: Manifest | None = None
    image: Manifest | None = None
    platform: Platform | None = None

    def walk(self) -> PackageWalk:
        """The walk: tags and HEAD always; manifest, config and layers only if `deep`."""
        self._list_tags()
        tag = self.wanted.tag
        if tag is not None:
            self.manifest = self._read_manifest(tag)
        if self.manifest is not None:
            self._pull(self.manifest)
        return PackageWalk(
            self.wanted,
            self.deep,
            tuple(self.steps),
            self.tags,
            self.media_type,
            self.digest,
            self.manifest,
            self.image,
            self.platform,
            self.requests,
        )

    def _count(self) -> None:
        self.requests += 1

    def _list_tags(self) -> None:
        name = self.wanted.repository
        try:
            self.tags, reply = self._ask(lambda: self.client.tags(name, self._count))
        except RegistryError as error:
            self.steps.append(step_failed_with(Step.TAGS, name, error))
            return
        tags = many(len(self.tags), "tag")
        self.steps.append(
            step_succeeded(Step.TAGS, tags, subject=name, host=reply.host, status=reply.status)
        )

    def _ask(self, read: Callable[[], T]) -> T:
        """The answer; a refusal of the login, accepted before, is asked about once more.

        Raises RegistryError, with code CONTRADICTION where the registry still says both.
        """
        try:
            return read()
        except RegistryError as error:
            if not self._refuses_login(error):
                raise
            refusal = error
        if self._accepts_login():
            try:
                return read()
            except RegistryError as error:
                if not self._refuses_login(error):
                    raise
        accepted = "GET /v2/ accepted the login"
        said = f"{accepted}, then HTTP {refusal.status}: {refusal.reason.message or 'refused'}"
        reason = FailureReason(Trouble.CONTRADICTION, said, "CONTRADICTION")
        raise RegistryError(reason, refusal.host, refusal.status)

    def _refuses_login(self, error: RegistryError) -> bool:
        home = error.host == self.client.origin.netloc
        return home and error.reason.trouble is Trouble.LOGIN_REFUSED

    def _accepts_login(self) -> bool:
        """The registry accepts the login still."""
        try:
            reply = self.client.root(count=self._count)
        except RegistryError:
            return False  # the caller has a refusal to report already
        return is_registry_root(reply.status, reply.headers, reply.body)

    def _read_manifest(self, tag: str) -> Manifest | None:
        """HEAD of the tag, which does not count as a pull, and GET if `deep`.

        Where the two contradict each other, or the login, all are asked for once more.
        """
        reads = self._head_and_get(tag)
        if reads.contradict or reads.refuses_login:
            again = self._head_and_get(tag)
            clear = not (again.contradict or again.refuses_login or again.tells_less(reads))
            if not (clear and self._login_stands(reads)):
                said = (*reads.answers, *again.answers)
                login = ("GET /v2/: the login is accepted",) if reads.refuses_login else ()
                host = self.client.origin.netloc
                self.steps.append(
                    step_contradicted(Step.HEAD, (*login, *said), subject=tag, host=host)
                )
                return None
            reads = again
        return self._resolved(reads)

    def _login_stands(self, reads: ManifestReads) -> bool:
        return not reads.refuses_login or self._accepts_login()

    def _head_and_get(self, tag: str) -> ManifestReads:
        """Both answers; GET only if `deep`, by HEAD's digest where HEAD shows a manifest."""
        name, reference = self.wanted.repository, tag
        head: ManifestHead | RegistryError
        try:
            head = self.client.head(name, tag, self._count)
        except RegistryError as error:
            head = error
            asked = error.status is not None and 400 <= error.status < 500
        else:
            asked = True
            reference = head.digest if head.is_manifest else tag
        if not (self.deep and asked):
            return ManifestReads(tag, head)
        try:
            return ManifestReads(tag, head, self.client.manifest(name, reference, self._count))
        except RegistryError as error:
            return ManifestReads(tag, head, error)

    def _resolved(self, reads: ManifestReads) -> Manifest | None:
        """Keep the steps of reads that do not contradict each other; returns GET's manifest."""
        head, get = reads.head, reads.get
        self.steps.append(reads.head_step)
        if isinstance(head, ManifestHead) and head.is_manifest:
            self.media_type, self.digest = head.media_type, head.digest
        reference = self.digest or reads.tag
        if isinstance(get, RegistryError) and isinstance(head, ManifestHead):
            self.steps.append(step_failed_with(Step.MANIFEST, reference, get))
        if not isinstance(get, PulledManifest):
            return None
        self.steps.append(_manifest_step(Step.MANIFEST, reference, get))
        self.media_type = get.manifest.media_type
        self.digest = self.digest or get.manifest.digest
        return get.manifest

    def _pull(self, manifest: Manifest) -> None:
        """Platform, config and layers: each only if the one before was read."""
        self.image = self._image_of(manifest)
        if self.image is None:
            return
        if self.image.kind is ManifestKind.ARTIFACT:
            said = f"not a container image: its type is {self.image.artifact_type or 'unknown'}"
            reason = FailureReason(Trouble.OTHER, self.client.clean(said), "ARTIFACT")
            self.steps.append(step_failed(Step.CONFIG, reason, subject=self.image.digest))
            return
        self.platform = self.image.platform
        silent = self._read_config(self.image.config) if self.image.config is not None else None
        self._reach_layers(self.image.layers, silent)

    def _get_child(self, child: Descriptor) -> Manifest | None:
        name, digest = self.wanted.repository, child.digest
        try:
            found = self._ask(lambda: self.client.manifest(name, digest, self._count, child.size))
        except RegistryError as error:
            self.steps.append(step_failed_with(Step.PLATFORM, digest, error))
            return None
        self.steps.append(_manifest_step(Step.PLATFORM, digest, found))
        return found.manifest

    def _image_of(self, manifest: Manifest) -> Manifest | None:
        """The image that a worker pulls: the manifest, or the index's image for the platform."""
        found: Manifest | None = manifest
        for _ in range(_NESTED):
            if found is None or found.kind is not ManifestKind.INDEX:
                return found
            child = choose_image(found, self.wanted.platform)
            if child is None:
                self.steps.append(self._no_platform(found))
                return None
            found = self._get_child(child)
        reason = FailureReason(Trouble.OTHER, "the index contains only indexes", "PLATFORM")
        self.steps.append(step_failed(Step.PLATFORM, reason, subject=manifest.digest))
        return None

    def _no_platform(self, index: Manifest) -> StepResult:
        has = ", ".join(str(image.platform) for image in index.images) or "no platform"
        asked = self.wanted.platform or "any platform"
        reason = FailureReason(
            Trouble.OTHER, f"no image for {asked}; the index has {has}", "PLATFORM"
        )
        clean = FailureReason(reason.trouble, self.client.clean(reason.message), reason.code)
        return step_failed(
            Step.PLATFORM, clean, subject=index.digest, host=self.client.origin.netloc
        )

    def _read_config(self, config: Descriptor) -> StepResult | None:
        """Read the image's platform; returns the step if its host did not respond."""
        name, count = self.wanted.repository, self._count
        read = partial(self.client.blob, name, config, count, whole_up_to=CONFIG_LIMIT)
        try:
            blob = self._ask(read)
        except RegistryError as error:
            result = step_failed_with(Step.CONFIG, config.digest, error)
            self.steps.append(result)
            return result if error.reason.trouble.unreachable else None
        where = {"subject": config.digest, "host": blob.host}
        try:
            if not blob.verified:
                raise ManifestError(f"larger than {CONFIG_LIMIT:,} bytes")
            self.platform = parse_config(blob.content)
        except ManifestError as error:
            reason = FailureReason(Trouble.MALFORMED, str(error), "CONFIG")
            self.steps.append(step_failed(Step.CONFIG, reason, status=blob.status, **where))
            return None
        said = f"for {self.platform}" if self.platform else "names no platform"
        got = len(blob.content)
        self.steps.append(
            step_succeeded(
                Step.CONFIG, said, status=blob.status, received=got, verified=True, **where
            )
        )
        return None

    def _reach_layers(self, layers: tuple[Descriptor, ...], silent: StepResult | None) -> None:
        """The first bytes of each distinct layer, until a host does not respond."""
        for layer in {layer.digest: layer for layer in layers}.values():
            result = (
                self._layer(layer)
                if silent is None
                else step_not_made(silent, Step.LAYER, layer.digest)
            )
            self.steps.append(result)
            if silent is None and result.trouble is not None and result.trouble.unreachable:
                silent = result

    def _layer(self, layer: Descriptor) -> StepResult:
        if layer.foreign:
            reason = FailureReason(
                Trouble.OTHER, "a worker fetches it from another host", "FOREIGN"
            )
            return step_failed(Step.LAYER, reason, subject=layer.digest)
        name, count = self.wanted.repository, self._count
        try:
            blob = self._ask(partial(self.client.blob, name, layer, count))
        except RegistryError as error:
            return step_failed_with(Step.LAYER, layer.digest, error)
        read = "whole, digest verified" if blob.verified else "its first bytes"
        return step_succeeded(
            Step.LAYER,
            f"{read}{' through a redirect' if blob.redirected else ''}",
            subject=layer.digest,
            host=blob.host,
            status=blob.status,
            received=len(blob.content),
            verified=blob.verified,
        )


def _manifest_step(step: Step, reference: str, found: PulledManifest) -> StepResult:
    return step_succeeded(
        step,
        f"{found.manifest.kind.value}, {found.manifest.media_type}",
        subject=reference,
        host=found.host,
        status=found.status,
        received=found.size,
        verified=found.verified,
    )


def choose_image(index: Manifest, wanted: Platform | None) -> Descriptor | None:
    """The index's image for a platform; if `wanted` is None, for linux/amd64, else the first.

    Where no image has a fitting platform, one without a platform is used, as in containerd.
    """
    fitting = _fitting(index, wanted or _DEFAULT_PLATFORM)
    if fitting is not None:
        return fitting
    others = index.unnamed if wanted else (*index.images, *index.unnamed)
    return others[0] if others else None


def _fitting(index: Manifest, machine: Platform) -> Descriptor | None:
    """The best image that the machine runs: of its own variant, else of the highest below."""
    fitting = [
        (rank(machine, image.platform), position, image)
        for position, image in enumerate(index.images)
        if image.platform is not None and accepts(machine, image.platform)
    ]
    return min(fitting)[2] if fitting else None
