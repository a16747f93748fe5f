"""Media types, and the parsing of manifests and indexes. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from ecr_feed.oci.platforms import Platform

DOCKER_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA_1_SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_SCHEMA_2: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"

SCHEMA_1: Final = frozenset({DOCKER_SCHEMA_1, DOCKER_SCHEMA_1_SIGNED})
IMAGES: Final = frozenset({DOCKER_SCHEMA_2, OCI_MANIFEST})
INDEXES: Final = frozenset({DOCKER_LIST, OCI_INDEX})
MEDIA_TYPES: Final = SCHEMA_1 | IMAGES | INDEXES

DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
IMAGE_CONFIGS: Final = frozenset({DOCKER_CONFIG, OCI_CONFIG})

# The types that Docker's engine registers, schema 1 (under both of its names) last.
ACCEPT: Final = ", ".join(
    (
        DOCKER_SCHEMA_2,
        DOCKER_LIST,
        OCI_MANIFEST,
        OCI_INDEX,
        DOCKER_SCHEMA_1_SIGNED,
        "application/json",
    )
)


def bare_media_type(content_type: str) -> str:
    """A media type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z|sha512:[0-9a-f]{128}\Z")
_ATTESTATION: Final = "vnd.docker.reference.type"
_FOREIGN: Final = ("rootfs.foreign", "layer.nondistributable")


class ManifestError(ValueError):
    """A document that does not fit its media type; the text says where."""


class ManifestKind(StrEnum):
    """What a manifest describes."""

    IMAGE = "image"
    INDEX = "index"
    SCHEMA_1 = "schema 1 image"
    ARTIFACT = "artifact"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content; `size` is in bytes, None in schema 1, which has no sizes."""

    digest: str
    size: int | None
    media_type: str = ""
    platform: Platform | None = None
    foreign: bool = False  # fetched from other URLs, not from the registry
    attestation: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest; `digest` is computed from the bytes."""

    kind: ManifestKind
    media_type: str
    digest: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    children: tuple[Descriptor, ...] = ()
    platform: Platform | None = None  # schema 1 only
    artifact_type: str = ""

    @property
    def images(self) -> tuple[Descriptor, ...]:
        """Children that are images for a known platform, without attestations."""
        return tuple(
            child
            for child in self.children
            if not child.attestation and child.platform is not None and child.platform.is_known
        )

    @property
    def unnamed(self) -> tuple[Descriptor, ...]:
        """Children of an OCI index without a platform, which only the image's config names."""
        if self.media_type != OCI_INDEX:
            return ()
        return tuple(c for c in self.children if c.platform is None and not c.attestation)


def digest_of(content: bytes, like: str = "sha256:") -> str:
    """The digest of the bytes, by the algorithm of `like`."""
    algorithm = "sha512" if like.startswith("sha512:") else "sha256"
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether the text is a sha256 or sha512 digest as OCI writes it."""
    return _DIGEST.match(text) is not None


def parse_manifest(body: bytes, content_type: str = "") -> Manifest:
    """The manifest in the bytes; raises `ManifestError`.

    The document's `mediaType` must not differ from the response's, and a document that could be
    read both as image and as index is refused (OCI image-spec 1.0.2, CVE-2021-41190).
    """
    document = _object(body)
    declared = document.get("mediaType", "")
    if not isinstance(declared, str):
        raise ManifestError("mediaType is not a text")
    sent = bare_media_type(content_type)
    known = MEDIA_TYPES
    if declared and sent in known and bare_media_type(declared) != sent:
        raise ManifestError(f"the answer is {sent}, the document says {declared}")
    if document.get("schemaVersion") == 1:
        return _schema_1(document, body)
    kind = bare_media_type(declared) or (sent if sent in known else "") or _guess(document)
    if kind not in known:
        raise ManifestError(f"unknown manifest type {kind!r}")
    return _index(document, kind, body) if kind in INDEXES else _image(document, kind, body)


def _guess(document: Mapping[str, object]) -> str:
    if "manifests" in document:
        return OCI_INDEX
    return OCI_MANIFEST if "config" in document else ""


def _index(document: Mapping[str, object], kind: str, body: bytes) -> Manifest:
    if "layers" in document or "config" in document:
        raise ManifestError("an index with config or layers could be read in two ways")
    children = _descriptors(document, "manifests")
    return Manifest(
        ManifestKind.INDEX,
        kind,
        digest_of(body),
        children=children,
        artifact_type=_text(document, "artifactType"),
    )


def _image(document: Mapping[str, object], kind: str, body: bytes) -> Manifest:
    if "manifests" in document:
        raise ManifestError("an image with manifests could be read in two ways")
    config = _descriptor(document.get("config"), "config")
    layers = _descriptors(document, "layers")
    artifact_type = _text(document, "artifactType")
    # As in Docker, the config's type decides whether this is a container image.
    image = bare_media_type(config.media_type) in IMAGE_CONFIGS
    return Manifest(
        ManifestKind.IMAGE if image else ManifestKind.ARTIFACT,
        kind,
        digest_of(body),
        config,
        layers,
        artifact_type=artifact_type or ("" if image else config.media_type),
    )


def _schema_1(document: Mapping[str, object], body: bytes) -> Manifest:
    layers = document.get("fsLayers")
    if not isinstance(layers, list) or not layers:
        raise ManifestError("schema 1 without fsLayers")
    found: list[Descriptor] = []
    for position, layer in enumerate(layers):
        digest = layer.get("blobSum") if isinstance(layer, dict) else None
        if not isinstance(digest, str) or not is_digest(digest):
            raise ManifestError(f"fsLayers[{position}] has no digest")
        found.append(Descriptor(digest, None))
    signed = "signatures" in document
    architecture = _text(document, "architecture")
    return Manifest(
        ManifestKind.SCHEMA_1,
        DOCKER_SCHEMA_1_SIGNED if signed else DOCKER_SCHEMA_1,
        digest_of(_payload(document, body) if signed else body),
        layers=tuple(found),
        platform=Platform("linux", architecture) if architecture else None,
    )


def _payload(document: Mapping[str, object], body: bytes) -> bytes:
    """The signed part of a schema 1 manifest: its digest does not cover the signatures."""
    try:
        signatures = cast("list[dict[str, str]]", document["signatures"])
        header = json.loads(_unpadded(signatures[0]["protected"]))
        return body[: int(header["formatLength"])] + _unpadded(header["formatTail"])
    except (TypeError, KeyError, IndexError, ValueError, RecursionError) as error:
        raise ManifestError("schema 1 signature cannot be read") from error


def _unpadded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _descriptors(document: Mapping[str, object], key: str) -> tuple[Descriptor, ...]:
    listed = document.get(key)
    if not isinstance(listed, list):
        raise ManifestError(f"{key} is missing or not a list")
    return tuple(_descriptor(item, f"{key}[{at}]") for at, item in enumerate(listed))


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestError(f"{where} is missing or not an object")
    digest, size = value.get("digest"), value.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise ManifestError(f"{where} has no digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ManifestError(f"{where} has no size")
    media_type = _text(value, "mediaType")
    annotations = value.get("annotations")
    attests = isinstance(annotations, dict) and _ATTESTATION in annotations
    return Descriptor(
        digest,
        size,
        media_type,
        platform=_platform(value.get("platform")),
        foreign=bool(value.get("urls")) and any(mark in media_type for mark in _FOREIGN),
        attestation=attests,
    )


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    system, architecture = _text(value, "os"), _text(value, "architecture")
    if not system and not architecture:
        return None
    return Platform(system, architecture, _text(value, "variant"), _text(value, "os.version"))


def parse_config(body: bytes) -> Platform | None:
    """The platform in an image's config, or None without one; raises `ManifestError`."""
    document = _object(body)
    return _platform(document)


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key, "")
    return value if isinstance(value, str) else ""


def _object(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ManifestError("not JSON") from error
    if not isinstance(document, dict):
        raise ManifestError("not a JSON object")
    return document
