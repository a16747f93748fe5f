"""Pushes to the embedded registry (blob uploads, PUT of a manifest), for tests with skopeo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ecr_feed.embedded.ecr.registry_state import digest_of
from ecr_feed.embedded.protocol.wire import ServiceError, WireResponse
from ecr_feed.embedded.registry import PULLS, app, pulls
from ecr_feed.embedded.registry.app import Handler, ServedRequest


def upload(request: ServedRequest) -> WireResponse:
    """POST begins a blob, PATCH adds to it, PUT ends it."""
    handler = _UPLOADS.get(request.http.method)
    return app.unsupported() if handler is None else handler(request)


def _call(request: ServedRequest, operation: str, **params: Any) -> Mapping[str, Any]:
    named = {"repositoryName": request.name, **params}
    return request.call(operation, named)


def _begin(request: ServedRequest) -> WireResponse:
    """A new upload; a blob is never mounted from another repository, as ECR's default has it."""
    upload_id = str(_call(request, "InitiateLayerUpload")["uploadId"])
    return app.answer(
        202,
        location=f"/v2/{request.name}/blobs/uploads/{upload_id}",
        range="0-0",
        docker_upload_uuid=upload_id,
    )


def _add(request: ServedRequest) -> WireResponse:
    end = _append(request)
    return app.answer(
        202,
        location=f"/v2/{request.name}/blobs/uploads/{request.reference}",
        range=f"0-{max(end - 1, 0)}",
        docker_upload_uuid=request.reference,
    )


def _append(request: ServedRequest) -> int:
    """How many bytes the upload holds with this request's."""
    repository = request.registry.repositories.get(request.name)
    under_way = None if repository is None else repository.uploads.get(request.reference)
    first = 0 if under_way is None else len(under_way.data)
    body = request.http.body
    if body or under_way is None:
        _call(
            request,
            "UploadLayerPart",
            uploadId=request.reference,
            partFirstByte=first,
            partLastByte=first + len(body) - 1,
            layerPartBlob=body,
        )
    return first + len(body)


def _end(request: ServedRequest) -> WireResponse:
    digest = request.parameter("digest")
    _append(request)
    try:
        _call(request, "CompleteLayerUpload", uploadId=request.reference, layerDigests=[digest])
    except ServiceError as failure:
        if failure.code != "LayerAlreadyExistsException":  # no error to who pushes a blob again
            raise
    return app.answer(
        201, location=f"/v2/{request.name}/blobs/{digest}", docker_content_digest=digest
    )


_UPLOADS: Final[Mapping[str, Callable[[ServedRequest], WireResponse]]] = {
    "POST": _begin,
    "PATCH": _add,
    "PUT": _end,
}


def manifest(request: ServedRequest) -> WireResponse:
    """PUT stores a manifest, GET and HEAD read it."""
    if request.http.method in ("GET", "HEAD"):
        return pulls.manifest(request)
    if request.http.method != "PUT":
        return app.unsupported()
    digest = digest_of(request.http.body)
    by_digest = request.reference.startswith("sha256:")
    if by_digest and request.reference != digest:
        return app.error("DIGEST_INVALID", 400, f"The manifest's digest is {digest}")
    try:
        text = request.http.body.decode()
    except UnicodeDecodeError:
        return app.error("MANIFEST_INVALID", 400, "The manifest is not UTF-8")
    media_type = request.header("content-type").partition(";")[0].strip()
    try:
        _call(
            request,
            "PutImage",
            imageManifest=text,
            **({"imageManifestMediaType": media_type} if media_type else {}),
            **({"imageDigest": digest} if by_digest else {"imageTag": request.reference}),
        )
    except ServiceError as failure:
        if failure.code != "ImageAlreadyExistsException":  # the same manifest again
            raise
    return app.answer(
        201,
        location=f"/v2/{request.name}/manifests/{digest}",
        docker_content_digest=digest,
    )


PULLS_AND_PUSHES: Final[Mapping[str, Handler]] = {
    **PULLS,
    "manifest": manifest,
    "upload": upload,
}
