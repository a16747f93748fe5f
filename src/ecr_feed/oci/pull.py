"""The read-only steps of a pull: tags, manifest, platform, config and layers of one image."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.client import CONFIG_LIMIT, Head, RegistryClient
from ecr_feed.oci.errors import Cause
from ecr_feed.oci.login import log_in
from ecr_feed.oci.manifests import Descriptor, Kind, Manifest, ManifestError, parse_config
from ecr_feed.oci.platforms import Platform, accepts, rank
from ecr_feed.oci.step_results import after, broken, ended, held
from ecr_feed.oci.steps import Login, PackageWalk, Step, StepResult, Wanted
from ecr_feed.oci.transport import RegistryError
from ecr_feed.once import Once
from ecr_feed.text.words import many

_USUAL = Platform("linux", "amd64")
_NESTED = 3  # an index in an index in an index: nobody finds an image further down


@dataclass
class PackageWalker:
    """One walk; results gather here until `walk` hands out the frozen record."""

    client: RegistryClient
    wanted: Wanted
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
        """Tags and HEAD always; manifest, config and layers only if `deep`."""
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
            self.steps.append(ended(Step.TAGS, name, error))
            return
        tags = many(len(self.tags), "tag")
        self.steps.append(held(Step.TAGS, tags, subject=name, host=reply.host, status=reply.status))

    def _head(self, tag: str) -> bool:
        """Asks for the tag without reading its manifest; False if the walk ends here."""
        try:
            head = self.client.head(self.wanted.repository, tag, self._count)
        except RegistryError as error:
            return self._without_head(tag, error)
        self._found(tag, head)
        return True

    def _found(self, tag: str, head: Head) -> None:
        self.media_type, self.digest = head.media_type, head.digest
        what = " ".join(part for part in (head.media_type, head.digest) if part) or "found"
        self.steps.append(held(Step.HEAD, what, subject=tag, host=head.host, status=head.status))

    def _without_head(self, tag: str, refused: RegistryError) -> bool:
        """A refused HEAD has no body that says why. Deep walks ask on with GET, as Docker does."""
        error = refused
        if self.deep and refused.status is not None and 400 <= refused.status < 500:
            try:
                _, reply = self.client.manifest(self.wanted.repository, tag, self._count)
            except RegistryError as reason:
                error = reason
            else:
                said = f"HEAD is refused (HTTP {refused.status}), GET is answered"
                self.steps.append(
                    held(Step.HEAD, said, subject=tag, host=reply.host, status=reply.status)
                )
                return True
        self.steps.append(ended(Step.HEAD, tag, error))
        return False

    def _pull(self, tag: str) -> None:
        """Manifest, platform, config, layers: each only if what it needs is there."""
        self.manifest = self._get(Step.MANIFEST, self.digest or tag)
        if self.manifest is None:
            return
        self.media_type = self.manifest.media_type
        self.digest = self.digest or self.manifest.digest
        self.image = self._image_of(self.manifest)
        if self.image is None:
            return
        if self.image.kind is Kind.ARTIFACT:
            said = f"not a container image: its type is {self.image.artifact_type or 'unknown'}"
            cause = Cause(Trouble.OTHER, self.client.clean(said), "ARTIFACT")
            self.steps.append(broken(Step.CONFIG, cause, subject=self.image.digest))
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
            self.steps.append(ended(step, reference, error))
            return None
        self.steps.append(
            held(
                step,
                f"{found.kind.value}, {found.media_type}",
                subject=reference,
                host=reply.host,
                status=reply.status,
            )
        )
        return found

    def _image_of(self, manifest: Manifest) -> Manifest | None:
        """The image that a worker pulls: the manifest itself, or an index's for the platform."""
        found: Manifest | None = manifest
        for _ in range(_NESTED):
            if found is None or found.kind is not Kind.INDEX:
                return found
            child = choose(found, self.wanted.platform)
            if child is None:
                self.steps.append(self._no_platform(found))
                return None
            found = self._get(Step.PLATFORM, child.digest, child.size)
        cause = Cause(Trouble.OTHER, "the index contains only indexes", "PLATFORM")
        self.steps.append(broken(Step.PLATFORM, cause, subject=manifest.digest))
        return None

    def _no_platform(self, index: Manifest) -> StepResult:
        has = ", ".join(str(image.platform) for image in index.images) or "no platform"
        asked = self.wanted.platform or "any platform"
        cause = Cause(Trouble.OTHER, f"no image for {asked}; the index has {has}", "PLATFORM")
        clean = Cause(cause.trouble, self.client.clean(cause.message), cause.code)
        return broken(Step.PLATFORM, clean, subject=index.digest, host=self.client.origin.netloc)

    def _read_config(self, config: Descriptor) -> StepResult | None:
        """Reads the image's platform; answers the step if nobody answered it."""
        read = partial(self.client.blob, whole_up_to=CONFIG_LIMIT)
        try:
            blob = read(self.wanted.repository, config, self._count)
        except RegistryError as error:
            result = ended(Step.CONFIG, config.digest, error)
            self.steps.append(result)
            return result if error.cause.trouble.unreachable else None
        where = {"subject": config.digest, "host": blob.host}
        try:
            if not blob.verified:
                raise ManifestError(f"larger than {CONFIG_LIMIT:,} bytes")
            self.platform = parse_config(blob.content)
        except ManifestError as error:
            cause = Cause(Trouble.MALFORMED, str(error), "CONFIG")
            self.steps.append(broken(Step.CONFIG, cause, status=blob.status, **where))
            return None
        said = f"for {self.platform}" if self.platform else "names no platform"
        self.steps.append(held(Step.CONFIG, said, status=blob.status, **where))
        return None

    def _reach_layers(self, layers: tuple[Descriptor, ...], silent: StepResult | None) -> None:
        """The first bytes of each different layer; after a silent host the rest is not asked."""
        for layer in {layer.digest: layer for layer in layers}.values():
            result = (
                self._layer(layer) if silent is None else after(silent, Step.LAYER, layer.digest)
            )
            self.steps.append(result)
            if silent is None and result.trouble is not None and result.trouble.unreachable:
                silent = result

    def _layer(self, layer: Descriptor) -> StepResult:
        if layer.foreign:
            cause = Cause(Trouble.OTHER, "a worker fetches it from another host", "FOREIGN")
            return broken(Step.LAYER, cause, subject=layer.digest)
        try:
            blob = self.client.blob(self.wanted.repository, layer, self._count)
        except RegistryError as error:
            return ended(Step.LAYER, layer.digest, error)
        read = "whole, digest verified" if blob.verified else "its first bytes"
        return held(
            Step.LAYER,
            f"{read}{' through a redirect' if blob.redirected else ''}",
            subject=layer.digest,
            host=blob.host,
            status=blob.status,
        )


def choose(index: Manifest, wanted: Platform | None) -> Descriptor | None:
    """The index's image for a platform; without one linux/amd64, else the first image.

    Where no image names a platform that fits, one that names none is tried, as containerd does.
    """
    fitting = _fitting(index, wanted or _USUAL)
    if fitting is not None:
        return fitting
    others = index.unnamed if wanted else (*index.images, *index.unnamed)
    return others[0] if others else None


def _fitting(index: Manifest, machine: Platform) -> Descriptor | None:
    """The best image that the machine runs: its own variant, else the newest below it."""
    fitting = [
        (rank(machine, image.platform), position, image)
        for position, image in enumerate(index.images)
        if image.platform is not None and accepts(machine, image.platform)
    ]
    return min(fitting)[2] if fitting else None


class Registry:
    """Walks through one registry with one login, which is made once."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._login = Once(partial(log_in, client))

    @property
    def client(self) -> RegistryClient:
        """The client, whose `touched` is the evidence of what was asked."""
        return self._client

    def login(self) -> Login:
        """`docker login`, once."""
        return self._login.get()

    def walk(self, wanted: Wanted, *, deep: bool = False) -> PackageWalk:
        """The walk to one image; nothing is asked of a registry that refused the login."""
        login = self.login()
        if not login.ok:
            return PackageWalk(wanted, deep, (after(login.login, Step.TAGS, wanted.repository),))
        return PackageWalker(self._client, wanted, deep).walk()

    def walk_all(self, wanted: Sequence[Wanted], *, deep: bool = False) -> tuple[PackageWalk, ...]:
        """Every walk, in the order given, at most `network.connections` of them at a time."""
        self.login()
        with ThreadPoolExecutor(self._client.network.connections) as pool:
            return tuple(pool.map(partial(self.walk, deep=deep), wanted))


def requests_of(*, pages: int = 1, index: bool = False, layers: int = 0, deep: bool = False) -> int:
    """Requests that one package costs where nothing is repeated and blobs are redirected."""
    shallow = pages + 1
    return shallow + (1 + index + 2 + 2 * layers if deep else 0)
