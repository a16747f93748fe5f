"""What `skopeo copy` and `docker push` need: blob uploads and PUT of a manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ecr_feed.embedded.ecr.state import digest_of
from ecr_feed.embedded.protocol.wire import ServiceError, WireResponse
from ecr_feed.embedded.registry import app, pulls
from ecr_feed.embedded.registry.app import Asking


def upload(asked: Asking) -> WireResponse:
    """POST begins a blob, PATCH adds to it, PUT ends it."""
    handler = _UPLOADS.get(asked.request.method)
    return app.unsupported() if handler is None else handler(asked)


def _call(asked: Asking, operation: str, **params: Any) -> Mapping[str, Any]:
    named = {"repositoryName": asked.name, **params}
    return asked.state.call(asked.holder, asked.registry, operation, named)


def _begin(asked: Asking) -> WireResponse:
    """A new upload; a blob is never mounted from another repository, as ECR's default has it."""
    upload_id = str(_call(asked, "InitiateLayerUpload")["uploadId"])
    return app.answer(
        202,
        location=f"/v2/{asked.name}/blobs/uploads/{upload_id}",
        range="0-0",
        docker_upload_uuid=upload_id,
    )


def _add(asked: Asking) -> WireResponse:
    end = _append(asked)
    return app.answer(
        202,
        location=f"/v2/{asked.name}/blobs/uploads/{asked.reference}",
        range=f"0-{max(end - 1, 0)}",
        docker_upload_uuid=asked.reference,
    )


def _append(asked: Asking) -> int:
    """How many bytes the upload holds with this request's."""
    repository = asked.registry.repositories.get(asked.name)
    under_way = None if repository is None else repository.uploads.get(asked.reference)
    first = 0 if under_way is None else len(under_way.data)
    body = asked.request.body
    if body or under_way is None:
        _call(
            asked,
            "UploadLayerPart",
            uploadId=asked.reference,
            partFirstByte=first,
            partLastByte=first + len(body) - 1,
            layerPartBlob=body,
        )
    return first + len(body)


def _end(asked: Asking) -> WireResponse:
    digest = asked.parameter("digest")
    _append(asked)
    try:
        _call(asked, "CompleteLayerUpload", uploadId=asked.reference, layerDigests=[digest])
    except ServiceError as failure:
        if failure.code != "LayerAlreadyExistsException":  # no error to who pushes a blob again
            raise
    return app.answer(
        201, location=f"/v2/{asked.name}/blobs/{digest}", docker_content_digest=digest
    )


_UPLOADS: Final[Mapping[str, Callable[[Asking], WireResponse]]] = {
    "POST": _begin,
    "PATCH": _add,
    "PUT": _end,
}


def manifest(asked: Asking) -> WireResponse:
    """PUT stores a manifest, GET and HEAD read it."""
    if asked.request.method in ("GET", "HEAD"):
        return pulls.manifest(asked)
    if asked.request.method != "PUT":
        return app.unsupported()
    digest = digest_of(asked.request.body)
    by_digest = asked.reference.startswith("sha256:")
    if by_digest and asked.reference != digest:
        return app.error("DIGEST_INVALID", 400, f"The manifest's digest is {digest}")
    try:
        text = asked.request.body.decode()
    except UnicodeDecodeError:
        return app.error("MANIFEST_INVALID", 400, "The manifest is not UTF-8")
    media_type = asked.header("content-type").partition(";")[0].strip()
    try:
        _call(
            asked,
            "PutImage",
            imageManifest=text,
            **({"imageManifestMediaType": media_type} if media_type else {}),
            **({"imageDigest": digest} if by_digest else {"imageTag": asked.reference}),
        )
    except ServiceError as failure:
        if failure.code != "ImageAlreadyExistsException":  # the same manifest again
            raise
    return app.answer(
        201,
        location=f"/v2/{asked.name}/manifests/{digest}",
        docker_content_digest=digest,
    )
