"""ECR: images as the API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ecr_feed.embedded.ecr.push import put_image
from ecr_feed.embedded.ecr.state import (
    Context,
    Image,
    Params,
    Repository,
    Result,
    find_image,
    image_missing,
    invalid,
    shown,
)
from ecr_feed.embedded.protocol.wire import ServiceError

_DIGEST_LENGTH: Final = len("sha256:") + 64


def list_images(ctx: Context, params: Params) -> Result:
    """One row per digest and tag; an untagged image has one row."""
    repository = ctx.repository(params)
    return {
        "imageIds": [
            {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {})
            for image in _chosen(repository, params)
            for tag in _rows(repository, image, _tag_status(params))
        ]
    }


def _rows(repository: Repository, image: Image, status: str) -> list[str]:
    tags = repository.tags_of(image.digest)
    return [""] if not tags and status != "TAGGED" else tags


def _tag_status(params: Params) -> str:
    return str(params.get("filter", {}).get("tagStatus", "ANY"))


def _chosen(repository: Repository, params: Params) -> Iterator[Image]:
    """Images that the filter lets through; ACTIVE alone where it names no status."""
    wanted = params.get("filter", {}).get("imageStatus", "ACTIVE")
    tag_status = _tag_status(params)
    tagged = set(repository.tags.values())
    for image in repository.images.values():
        if wanted not in ("ANY", image.status):
            continue
        if tag_status == "ANY" or (image.digest in tagged) == (tag_status == "TAGGED"):
            yield image


def describe_images(ctx: Context, params: Params) -> Result:
    """One row per digest; named images exclude paging."""
    repository = ctx.repository(params)
    tags = _tags_by_digest(repository)
    ids = params.get("imageIds")
    if ids is None:
        return {"imageDetails": [detail(repository, i, tags) for i in _chosen(repository, params)]}
    if "maxResults" in params or "nextToken" in params:
        raise invalid(
            "Invalid parameter: 'maxResults' and 'nextToken' cannot be used with 'imageIds'"
        )
    found: dict[str, Image] = {}
    for image_id in ids:
        image = find_image(repository, image_id)
        if image is None:
            raise image_missing(repository, image_id)
        found[image.digest] = image
    return {"imageDetails": [detail(repository, image, tags) for image in found.values()]}


def _tags_by_digest(repository: Repository) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for tag, digest in repository.tags.items():
        tags.setdefault(digest, []).append(tag)
    return tags


def detail(repository: Repository, image: Image, tags: Mapping[str, list[str]]) -> Result:
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


def batch_get_image(ctx: Context, params: Params) -> Result:
    """Manifests; what cannot be had is in `failures`, with HTTP 200."""
    repository = ctx.repository(params)
    accepted = params.get("acceptedMediaTypes")
    images, failures = [], []
    for image_id in params["imageIds"]:
        found = _look(repository, image_id)
        if isinstance(found, Image) and accepted and found.media_type not in accepted:
            found = ("ImageNotFound", "Requested image has none of the accepted media types")
        if isinstance(found, Image):
            found.last_pull = ctx.now
            images.append(shown(repository, found, image_id.get("imageTag", "")))
        else:
            failures.append(_failed(image_id, found))
    return {"images": images, "failures": failures}


def _failed(image_id: Params, why: tuple[str, str]) -> Result:
    return {"imageId": image_id, "failureCode": why[0], "failureReason": why[1]}


def _look(repository: Repository, image_id: Params) -> Image | tuple[str, str]:
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


def batch_delete_image(ctx: Context, params: Params) -> Result:
    """Remove a tag, or an image with all its tags when named by digest."""
    repository = ctx.repository(params)
    gone: list[Result] = []
    failures = []
    for image_id in params["imageIds"]:
        found = _look(repository, image_id)
        if isinstance(found, Image):
            gone.extend(_delete(repository, image_id))
        else:
            failures.append(_failed(image_id, found))
    return {"imageIds": gone, "failures": failures}


def _delete(repository: Repository, image_id: Params) -> list[Result]:
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


def update_storage_class(ctx: Context, params: Params) -> Result:
    """Archive an image, or bring it back (at once: AWS takes minutes, as ACTIVATING)."""
    repository, image_id = ctx.repository(params), params["imageId"]
    image = find_image(repository, image_id)
    if image is None:
        raise image_missing(repository, image_id)
    archive = params["targetStorageClass"] == "ARCHIVE"
    if archive:
        image.status, image.archived_at = "ARCHIVED", ctx.now
    else:
        image.status, image.activated_at = "ACTIVE", ctx.now
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": image_id,
        "imageStatus": image.status,
    }


def list_referrers(ctx: Context, params: Params) -> Result:
    """Artifacts (signatures, SBOMs) whose manifest names the subject."""
    repository = ctx.repository(params)
    subject = params["subjectId"]["imageDigest"]
    wanted = params.get("filter", {})
    types, status = wanted.get("artifactTypes"), wanted.get("artifactStatus", "ACTIVE")
    return {
        "referrers": [
            _referrer(image)
            for image in repository.images.values()
            if image.subject == subject
            and status in ("ANY", image.status)
            and (not types or image.artifact_type in types)
        ]
    }


def _referrer(image: Image) -> Result:
    found: Result = {
        "digest": image.digest,
        "mediaType": image.media_type,
        "artifactType": image.artifact_type,
        "size": len(image.manifest.encode()),
        "artifactStatus": image.status,
    }
    annotations = image.document.get("annotations")
    return found | ({"annotations": annotations} if annotations else {})


def scan_findings(ctx: Context, params: Params) -> Result:
    """No image was ever scanned."""
    repository, image_id = ctx.repository(params), params["imageId"]
    if find_image(repository, image_id) is None:
        raise image_missing(repository, image_id)
    raise ServiceError("ScanNotFoundException", "Image scan does not exist for the image.")


def lifecycle_preview(ctx: Context, params: Params) -> Result:
    """No preview was ever started: lifecycle policies are kept, not run."""
    repository = ctx.repository(params)
    text = f"Lifecycle policy preview does not exist for the repository '{repository.name}'"
    raise ServiceError("LifecyclePolicyPreviewNotFoundException", text)


def start_scan(ctx: Context, params: Params) -> Result:
    """Scans are not stood in for."""
    ctx.repository(params)
    raise ServiceError("UnsupportedImageTypeException", "The embedded account scans no image.")


HANDLERS: Final[Mapping[str, Callable[[Context, Params], Result]]] = {
    "ListImages": list_images,
    "DescribeImages": describe_images,
    "BatchGetImage": batch_get_image,
    "BatchDeleteImage": batch_delete_image,
    "PutImage": put_image,
    "UpdateImageStorageClass": update_storage_class,
    "ListImageReferrers": list_referrers,
    "StartImageScan": start_scan,
    "DescribeImageScanFindings": scan_findings,
    "GetLifecyclePolicyPreview": lifecycle_preview,
}
