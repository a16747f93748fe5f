"""The registry's answers: OCI errors with the texts and statuses that ECR has for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ecr_feed.embedded.wire import ServiceError, WireResponse

VERSION: Final = {"docker-distribution-api-version": "registry/2.0"}

# AWS error code -> OCI error code and HTTP status.
_CODES: Final = {
    "AccessDeniedException": ("DENIED", 403),
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "LayersNotFoundException": ("BLOB_UNKNOWN", 404),
    "UploadNotFoundException": ("BLOB_UPLOAD_UNKNOWN", 404),
    "InvalidLayerException": ("DIGEST_INVALID", 400),
    "InvalidLayerPartException": ("BLOB_UPLOAD_INVALID", 416),
    "EmptyUploadException": ("BLOB_UPLOAD_INVALID", 400),
    "ImageDigestDoesNotMatchException": ("DIGEST_INVALID", 400),
    "ImageTagAlreadyExistsException": ("TAG_INVALID", 400),
    "ReferencedImagesNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 404),
    "ThrottlingException": ("TOOMANYREQUESTS", 429),
    "InvalidParameterException": ("UNSUPPORTED", 405),
}


def answer(status: int, body: bytes = b"", **headers: str) -> WireResponse:
    """An answer; header names are written with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireResponse(status, {**VERSION, **named}, body)


def shown(document: Mapping[str, Any], **headers: str) -> WireResponse:
    """A JSON document."""
    body = json.dumps(document).encode()
    return answer(200, body, content_type="application/json; charset=utf-8", **headers)


def error(code: str, status: int, message: str) -> WireResponse:
    """One OCI error."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return answer(status, body, content_type="application/json; charset=utf-8")


def from_service(failure: ServiceError) -> WireResponse:
    """An AWS error in the registry's words; one without a counterpart is the service's fault."""
    code, status = _CODES.get(failure.code, ("UNKNOWN", max(failure.status, 500)))
    return error(code, status, failure.message)


def challenge(host: str) -> WireResponse:
    """ECR's 401."""
    asked = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    return answer(401, b"Not Authorized\n", www_authenticate=asked, content_type="text/plain")


def expired() -> WireResponse:
    """ECR's word for a token of yesterday."""
    said = "Your authorization token has expired. Reauthenticate and try again."
    return error("DENIED", 403, said)


def unsupported(message: str = "The operation is unsupported.") -> WireResponse:
    """A method, or a parameter, that ECR does not do."""
    return error("UNSUPPORTED", 405, message)
