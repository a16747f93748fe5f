"""ECR: PutImage. The digest is the sha256 of the manifest as sent; layers must be there."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ecr_feed.embedded.ecr.state import (
    Context,
    Image,
    Params,
    Repository,
    Result,
    digest_of,
    invalid,
    shown,
)
from ecr_feed.embedded.protocol.wire import ServiceError

INDEXES: Final = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
MANIFESTS: Final = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    }
)
# https://docs.docker.com/reference/cli/docker/image/tag/
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def put_image(ctx: Context, params: Params) -> Result:
    """Store a manifest under its digest, and under a tag where one is given."""
    repository, text = ctx.repository(params), params["imageManifest"]
    tag = params.get("imageTag", "")
    document = _manifest(text)
    media_type = _media_type(document, params)
    digest = digest_of(text.encode())
    if params.get("imageDigest", digest) != digest:
        raise ServiceError(
            "ImageDigestDoesNotMatchException",
            f"The specified digest '{params['imageDigest']}' does not match the calculated digest",
        )
    if tag:
        _check_tag(repository, tag, digest)
    elif digest in repository.images:
        raise _exists(repository, digest, "")
    size = _check_content(repository, document)
    image = repository.images.setdefault(
        digest, Image(digest, text, media_type, size, ctx.now, _artifact_type(document))
    )
    image.subject = document.get("subject", {}).get("digest", "")
    if tag:
        repository.tags[tag] = digest
    return {"image": shown(repository, image, tag)}


def _manifest(text: str) -> dict[str, Any]:
    wrong = invalid(
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
    )
    try:
        document = json.loads(text)
    except ValueError:
        raise wrong from None
    if not isinstance(document, dict):
        raise wrong
    return document


def _media_type(document: dict[str, Any], params: Params) -> str:
    said, written = params.get("imageManifestMediaType"), document.get("mediaType")
    if said and written and said != written:
        raise invalid(
            f"Media type in manifest '{written}' does not match imageManifestMediaType '{said}'"
        )
    media_type = str(said or written or "")
    if media_type not in INDEXES | MANIFESTS:
        raise invalid(f"Unsupported manifest media type '{media_type}'")
    return media_type


def _artifact_type(document: dict[str, Any]) -> str:
    config = document.get("config", {}).get("mediaType", "")
    return str(document.get("artifactType") or config)


def _check_tag(repository: Repository, tag: str, digest: str) -> None:
    if not _TAG.fullmatch(tag):
        raise invalid(
            "Invalid parameter at 'imageTag' failed to satisfy constraint: "
            f"'must satisfy regular expression '{_TAG.pattern}''"
        )
    current = repository.tags.get(tag)
    if current == digest:
        raise _exists(repository, digest, tag)
    if current and repository.immutable(tag):
        raise ServiceError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and "
            "cannot be overwritten because the tag is immutable.",
        )


def _exists(repository: Repository, digest: str, tag: str) -> ServiceError:
    return ServiceError(
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository "
        f"with name '{repository.name}' in registry with id '{repository.account}'",
    )


def _check_content(repository: Repository, document: dict[str, Any]) -> int:
    """Everything the manifest names is there; returns the image's size in bytes."""
    if "manifests" in document:
        children = [child["digest"] for child in document["manifests"]]
        missing = [digest for digest in children if digest not in repository.images]
        if missing:
            raise ServiceError(
                "ReferencedImagesNotFoundException",
                f"The images with digests '{missing}' were not found in the repository",
            )
        return sum(repository.images[digest].size for digest in children)
    blobs = [document.get("config", {}), *document.get("layers", [])]
    missing = [blob["digest"] for blob in blobs if blob and blob["digest"] not in repository.layers]
    if missing:
        raise ServiceError(
            "LayersNotFoundException",
            f"Layers with digests '{missing}' required for pushing image into repository with name "
            f"'{repository.name}' in the registry with id '{repository.account}' do not exist",
        )
    return sum(int(blob.get("size", 0)) for blob in blobs)
