"""ECR: the image operations, PutImage included."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ecr_feed.embedded.ecr.registry_state import (
    EcrCall,
    StoredImage,
    StoredRepository,
    digest_of,
    find_image,
    image_missing,
    invalid,
    shown,
)
from ecr_feed.embedded.protocol.wire import Params, Result, ServiceError

_DIGEST_LENGTH: Final = len("sha256:") + 64


def list_images(call: EcrCall, params: Params) -> Result:
    """One row per digest and tag; an untagged image has one row."""
    repository = call.repository(params)
    return {
        "imageIds": [
            {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {})
            for image in _chosen(repository, params)
            for tag in _rows(repository, image, _tag_status(params))
        ]
    }


def _rows(repository: StoredRepository, image: StoredImage, status: str) -> list[str]:
    tags = repository.tags_of(image.digest)
    return [""] if not tags and status != "TAGGED" else tags


def _tag_status(params: Params) -> str:
    return str(params.get("filter", {}).get("tagStatus", "ANY"))


def _chosen(repository: StoredRepository, params: Params) -> Iterator[StoredImage]:
    """The images that match the filter; by default only ACTIVE ones."""
    wanted = params.get("filter", {}).get("imageStatus", "ACTIVE")
    tag_status = _tag_status(params)
    tagged = set(repository.tags.values())
    for image in repository.images.values():
        if wanted not in ("ANY", image.status):
            continue
        if tag_status == "ANY" or (image.digest in tagged) == (tag_status == "TAGGED"):
            yield image


def describe_images(call: EcrCall, params: Params) -> Result:
    """One row per digest; named images exclude paging."""
    repository = call.repository(params)
    tags = _tags_by_digest(repository)
    ids = params.get("imageIds")
    if ids is None:
        return {"imageDetails": [detail(repository, i, tags) for i in _chosen(repository, params)]}
    if "maxResults" in params or "nextToken" in params:
        raise invalid(
            "Invalid parameter: 'maxResults' and 'nextToken' cannot be used with 'imageIds'"
        )
    found: dict[str, StoredImage] = {}
    for image_id in ids:
        image = find_image(repository, image_id)
        if image is None:
            raise image_missing(repository, image_id)
        found[image.digest] = image
    return {"imageDetails": [detail(repository, image, tags) for image in found.values()]}


def _tags_by_digest(repository: StoredRepository) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for tag, digest in repository.tags.items():
        tags.setdefault(digest, []).append(tag)
    return tags


def detail(
    repository: StoredRepository, image: StoredImage, tags: Mapping[str, list[str]]
) -> Result:
    """One item of DescribeImages."""
    optional = {
        "imageTags": tags.get(image.digest),
        "artifactMediaType": image.artifact_type,
        "lastRecordedPullTime": image.last_pull,
        "subjectManifestDigest": image.subject,
        "lastArchivedAt": image.archived_at,
        "lastActivatedAt": image.activated_at,
    }
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "imageStatus": image.status,
        **{name: value for name, value in optional.items() if value},
    }


def batch_get_image(call: EcrCall, params: Params) -> Result:
    """Manifests; missing ones are in `failures`, with HTTP 200."""
    repository = call.repository(params)
    accepted = params.get("acceptedMediaTypes")
    images, failures = [], []
    for image_id in params["imageIds"]:
        found = _look(repository, image_id)
        if isinstance(found, StoredImage) and accepted and found.media_type not in accepted:
            found = ("ImageNotFound", "Requested image has none of the accepted media types")
        if isinstance(found, StoredImage):
            found.last_pull = call.now
            images.append(shown(repository, found, image_id.get("imageTag", "")))
        else:
            failures.append(_failed(image_id, found))
    return {"images": images, "failures": failures}


def _failed(image_id: Params, why: tuple[str, str]) -> Result:
    return {"imageId": image_id, "failureCode": why[0], "failureReason": why[1]}


def _look(repository: StoredRepository, image_id: Params) -> StoredImage | tuple[str, str]:
    """The image, or the failure's code and reason."""
    tag, digest = image_id.get("imageTag", ""), image_id.get("imageDigest", "")
    if not tag and not digest:
        return "MissingDigestAndTag", "Both tag and digest are missing"
    if digest and (not digest.startswith("sha256:") or len(digest) != _DIGEST_LENGTH):
        return "InvalidImageDigest", "Invalid request parameters: image digest is invalid"
    found = repository.find(tag=tag, digest=digest)
    if found is None or found.status != "ACTIVE":
        return "ImageNotFound", "Requested image not found"
    if tag and digest and found.digest != digest:
        return "ImageTagDoesNotMatchDigest", "Requested image tag does not match the digest"
    return found


def batch_delete_image(call: EcrCall, params: Params) -> Result:
    """Remove a tag, or an image with all its tags when named by digest."""
    repository = call.repository(params)
    gone: list[Result] = []
    failures = []
    for image_id in params["imageIds"]:
        found = _look(repository, image_id)
        if isinstance(found, StoredImage):
            gone.extend(_delete(repository, image_id))
        else:
            failures.append(_failed(image_id, found))
    return {"imageIds": gone, "failures": failures}


def _delete(repository: StoredRepository, image_id: Params) -> list[Result]:
    tag = image_id.get("imageTag", "")
    if not tag:
        digest = image_id["imageDigest"]
        tags = repository.tags_of(digest)
        for each in tags:
            del repository.tags[each]
        del repository.images[digest]
        return [{"imageDigest": digest} | ({"imageTag": t} if t else {}) for t in tags or [""]]
    digest = repository.tags.pop(tag)
    if not repository.tags_of(digest):
        del repository.images[digest]  # the last tag takes the image with it
    return [{"imageDigest": digest, "imageTag": tag}]


def update_storage_class(call: EcrCall, params: Params) -> Result:
    """Archive or restore an image, at once (AWS takes minutes, with status ACTIVATING)."""
    repository, image_id = call.repository(params), params["imageId"]
    image = find_image(repository, image_id)
    if image is None:
        raise image_missing(repository, image_id)
    archive = params["targetStorageClass"] == "ARCHIVE"
    if archive:
        image.status, image.archived_at = "ARCHIVED", call.now
    else:
        image.status, image.activated_at = "ACTIVE", call.now
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": image_id,
        "imageStatus": image.status,
    }


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


def put_image(call: EcrCall, params: Params) -> Result:
    """Store a manifest under its digest, and under a tag where one is given."""
    repository, text = call.repository(params), params["imageManifest"]
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
        digest, StoredImage(digest, text, media_type, size, call.now, _artifact_type(document))
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


def _check_tag(repository: StoredRepository, tag: str, digest: str) -> None:
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


def _exists(repository: StoredRepository, digest: str, tag: str) -> ServiceError:
    return ServiceError(
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository "
        f"with name '{repository.name}' in registry with id '{repository.account}'",
    )


def _check_content(repository: StoredRepository, document: dict[str, Any]) -> int:
    """Check that every blob and child of the manifest exists; returns the image's size in bytes."""
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


HANDLERS: Final[Mapping[str, Callable[[EcrCall, Params], Result]]] = {
    "ListImages": list_images,
    "DescribeImages": describe_images,
    "BatchGetImage": batch_get_image,
    "BatchDeleteImage": batch_delete_image,
    "PutImage": put_image,
    "UpdateImageStorageClass": update_storage_class,
}
