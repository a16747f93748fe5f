"""The read-only steps of a pull: tags, manifest, platform, config and layers of one image."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.login import log_in
from ecr_feed.oci.manifests import Descriptor, Manifest, ManifestError, ManifestKind, parse_config
from ecr_feed.oci.platforms import Platform, accepts, rank
from ecr_feed.oci.registry_client import CONFIG_LIMIT, ManifestHead, RegistryClient
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.registry_transport import RegistryError
from ecr_feed.oci.steps import (
    Login,
    PackageWalk,
    Step,
    StepResult,
    WantedImage,
    step_failed,
    step_failed_with,
    step_not_made,
    step_succeeded,
)
from ecr_feed.once import Once
from ecr_feed.text.words import many

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
        if tag is not None and self._head(tag) and self.deep:
            self._pull(tag)
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
            self.tags, reply = self.client.tags(name, self._count)
        except RegistryError as error:
            self.steps.append(step_failed_with(Step.TAGS, name, error))
            return
        tags = many(len(self.tags), "tag")
        self.steps.append(
            step_succeeded(Step.TAGS, tags, subject=name, host=reply.host, status=reply.status)
        )

    def _head(self, tag: str) -> bool:
        """HEAD of the tag, which does not count as a pull; False if the walk ends here."""
        try:
            head = self.client.head(self.wanted.repository, tag, self._count)
        except RegistryError as error:
            return self._without_head(tag, error)
        self._found(tag, head)
        return True

    def _found(self, tag: str, head: ManifestHead) -> None:
        self.media_type, self.digest = head.media_type, head.digest
        what = " ".join(part for part in (head.media_type, head.digest) if part) or "found"
        self.steps.append(
            step_succeeded(Step.HEAD, what, subject=tag, host=head.host, status=head.status)
        )

    def _without_head(self, tag: str, refused: RegistryError) -> bool:
        """After a refused HEAD, which has no body with a reason: deep walks try GET, as Docker."""
        error = refused
        if self.deep and refused.status is not None and 400 <= refused.status < 500:
            try:
                _, reply = self.client.manifest(self.wanted.repository, tag, self._count)
            except RegistryError as reason:
                error = reason
            else:
                said = f"HEAD is refused (HTTP {refused.status}), GET is answered"
                self.steps.append(
                    step_succeeded(
                        Step.HEAD, said, subject=tag, host=reply.host, status=reply.status
                    )
                )
                return True
        self.steps.append(step_failed_with(Step.HEAD, tag, error))
        return False

    def _pull(self, tag: str) -> None:
        """Manifest, platform, config and layers: each only if the one before was read."""
        self.manifest = self._get(Step.MANIFEST, self.digest or tag)
        if self.manifest is None:
            return
        self.media_type = self.manifest.media_type
        self.digest = self.digest or self.manifest.digest
        self.image = self._image_of(self.manifest)
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

    def _get(self, step: Step, reference: str, size: int | None = None) -> Manifest | None:
        try:
            found, reply = self.client.manifest(
                self.wanted.repository, reference, self._count, size
            )
        except RegistryError as error:
            self.steps.append(step_failed_with(step, reference, error))
            return None
        self.steps.append(
            step_succeeded(
                step,
                f"{found.kind.value}, {found.media_type}",
                subject=reference,
                host=reply.host,
                status=reply.status,
            )
        )
        return found

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
            found = self._get(Step.PLATFORM, child.digest, child.size)
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
        read = partial(self.client.blob, whole_up_to=CONFIG_LIMIT)
        try:
            blob = read(self.wanted.repository, config, self._count)
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
        self.steps.append(step_succeeded(Step.CONFIG, said, status=blob.status, **where))
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
        try:
            blob = self.client.blob(self.wanted.repository, layer, self._count)
        except RegistryError as error:
            return step_failed_with(Step.LAYER, layer.digest, error)
        read = "whole, digest verified" if blob.verified else "its first bytes"
        return step_succeeded(
            Step.LAYER,
            f"{read}{' through a redirect' if blob.redirected else ''}",
            subject=layer.digest,
            host=blob.host,
            status=blob.status,
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


class RegistrySession:
    """One registry with one login, which is made once, and the walks to its packages."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._login = Once(partial(log_in, client))

    @property
    def client(self) -> RegistryClient:
        """The client, whose `sent` has every request."""
        return self._client

    def login(self) -> Login:
        """`docker login`, once."""
        return self._login.get()

    def walk(self, wanted: WantedImage, *, deep: bool = False) -> PackageWalk:
        """The walk to one image; no request is made after a failed login."""
        login = self.login()
        if not login.ok:
            return PackageWalk(
                wanted, deep, (step_not_made(login.login, Step.TAGS, wanted.repository),)
            )
        return PackageWalker(self._client, wanted, deep).walk()

    def walk_all(
        self, wanted: Sequence[WantedImage], *, deep: bool = False
    ) -> tuple[PackageWalk, ...]:
        """Every walk, in the given order, at most `network.connections` of them at a time."""
        self.login()
        with ThreadPoolExecutor(self._client.network.connections) as pool:
            return tuple(pool.map(partial(self.walk, deep=deep), wanted))
