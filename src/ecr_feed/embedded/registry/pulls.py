"""Pulls from the embedded registry: tags, manifests, blobs, in pages."""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from ecr_feed.embedded.ecr.registry_state import StoredImage, StoredRegistry, digest_of
from ecr_feed.embedded.protocol.wire import ServiceError, WireRequest, WireResponse
from ecr_feed.embedded.registry import app
from ecr_feed.embedded.registry.app import ServedRequest

_DOCKER: Final = "application/vnd.docker.distribution.manifest.v2+json"
_OCI: Final = "application/vnd.oci.image.manifest.v1+json"
_OTHER: Final = {_DOCKER: _OCI, _OCI: _DOCKER}
# Types that change together with the manifest's own, Docker's first.
_PARTS: Final = (
    (
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.oci.image.config.v1+json",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.oci.image.layer.v1.tar",
    ),
)
_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


def ping(request: ServedRequest) -> WireResponse:
    """GET /v2/: needs a valid token and no permission."""
    return app.shown({}) if request.http.method in ("GET", "HEAD") else app.unsupported()


def manifest(request: ServedRequest) -> WireResponse:
    """GET or HEAD of a manifest. GET counts as a pull, HEAD does not.

    By tag it comes in a form that the client accepts, by digest as it is.
    """
    if request.http.method not in ("GET", "HEAD"):
        return app.unsupported()
    repository = request.name
    request.check("BatchGetImage", repository)
    image = _image(request)
    by_digest = request.reference.startswith("sha256:")
    found = _accepted(image, request.header("accept"), by_digest=by_digest)
    if found is None:
        raise _missing()
    media_type, body = found
    if request.http.method == "HEAD":
        return app.answer(
            200,
            body,
            content_type=media_type,
            docker_content_digest=digest_of(body),
        )
    image_id = {"imageDigest" if by_digest else "imageTag": request.reference}
    request.call(
        "BatchGetImage",
        {"repositoryName": repository, "imageIds": [image_id]},
    )
    return app.answer(200, body, content_type=media_type)


def _image(request: ServedRequest) -> StoredImage:
    repository = request.registry.repositories.get(request.name)
    if repository is None:
        said = (
            f"The repository with name '{request.name}' does not exist in the registry with id "
            f"'{request.registry.account}'"
        )
        raise ServiceError("RepositoryNotFoundException", said)
    if request.reference.startswith("sha256:"):
        image = repository.find(digest=request.reference)
    else:
        image = repository.find(tag=request.reference)
    if image is None:
        raise _missing()
    if image.status != "ACTIVE":
        said = "The requested image is in an inaccessible state. Please restore if needed"
        raise ServiceError("ImageNotFoundException", said)
    return image


def _missing() -> ServiceError:
    return ServiceError("ImageNotFoundException", "Requested image not found")


def _accepted(image: StoredImage, accept: str, *, by_digest: bool) -> tuple[str, bytes] | None:
    """Media type and bytes for this client; None if it accepts neither form."""
    types = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if by_digest or not accept or "*/*" in types or image.media_type in types:
        return image.media_type, image.manifest.encode()
    other = _OTHER.get(image.media_type)
    if other is None or other not in types:
        return None
    return other, json.dumps(_converted(image.document, other)).encode()


def _converted(document: Mapping[str, Any], media_type: str) -> dict[str, Any]:
    """The manifest in the other format; its layers and config stay the same."""
    index = 0 if media_type == _DOCKER else 1
    names = {pair[1 - index]: pair[index] for pair in _PARTS}

    def renamed(part: Mapping[str, Any]) -> dict[str, Any]:
        return {**part, "mediaType": names.get(part["mediaType"], part["mediaType"])}

    return {
        **document,
        "mediaType": media_type,
        "config": renamed(document["config"]),
        "layers": [renamed(layer) for layer in document["layers"]],
    }


def blob(request: ServedRequest) -> WireResponse:
    """GET: a redirect to the layer storage. HEAD: whether it is there."""
    wanted = {"repositoryName": request.name}
    if request.http.method == "HEAD":
        found = request.call(
            "BatchCheckLayerAvailability",
            {**wanted, "layerDigests": [request.reference]},
        )
        layer = next(iter(found["layers"]), {"layerAvailability": "UNAVAILABLE"})
        if layer["layerAvailability"] != "AVAILABLE":
            return app.error("BLOB_UNKNOWN", 404, "The layer does not exist")
        return app.answer(
            200,
            content_length=str(layer["layerSize"]),
            content_type="application/octet-stream",
            docker_content_digest=request.reference,
        )
    if request.http.method != "GET":
        return app.unsupported()
    found = request.call(
        "GetDownloadUrlForLayer",
        {**wanted, "layerDigest": request.reference},
    )
    return app.answer(307, location=str(found["downloadUrl"]))


def storage(request: WireRequest, registry: StoredRegistry, name: str, digest: str) -> WireResponse:
    """The layer storage: as S3, only signed addresses without other credentials are answered."""
    if request.headers.get("authorization"):
        said = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query string parameter or the Authorization header should be specified"
        )
        return _s3_error(400, "InvalidArgument", said)
    if "X-Amz-Signature=" not in request.query:
        return _s3_error(403, "AccessDenied", "Access Denied")
    repository = registry.repositories.get(name)
    data = None if repository is None else repository.layers.get(f"sha256:{digest}")
    if data is None:
        return _s3_error(404, "NoSuchKey", "The specified key does not exist.")
    return ranged(data, request.headers.get("range", ""))


def ranged(data: bytes, wanted: str) -> WireResponse:
    """The bytes, or the requested range of them."""
    kind = {"content-type": "application/octet-stream", "accept-ranges": "bytes"}
    found = _RANGE.fullmatch(wanted)
    if found is None:
        return WireResponse(200, kind, data)
    first = int(found[1])
    last = min(int(found[2] or len(data)), len(data) - 1)
    if first > last:
        return _s3_error(416, "InvalidRange", "The requested range is not satisfiable")
    headers = {**kind, "content-range": f"bytes {first}-{last}/{len(data)}"}
    return WireResponse(206, headers, data[first : last + 1])


def _s3_error(status: int, code: str, message: str) -> WireResponse:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    )
    return WireResponse(status, {"content-type": "application/xml"}, body.encode())


_USUAL: Final = 100
_MOST: Final = 1000
_KEY: Final = secrets.token_bytes(16)


def tags(request: ServedRequest) -> WireResponse:
    """GET /v2/NAME/tags/list: the tags of images that can be pulled."""
    if request.http.method != "GET":
        return app.unsupported()
    request.call(
        "ListImages",
        {"repositoryName": request.name, "maxResults": 1},
    )
    repository = request.registry.repositories[request.name]
    active = [
        tag
        for tag, digest in tuple(repository.tags.items())
        if repository.images[digest].status == "ACTIVE"
    ]
    return _page(request, active, lambda page: {"name": request.name, "tags": page})


def catalog(request: ServedRequest) -> WireResponse:
    """GET /v2/_catalog: every repository; needs DescribeRepositories on all."""
    if request.http.method != "GET":
        return app.unsupported()
    request.check("DescribeRepositories", None)
    names = sorted(request.registry.repositories)
    return _page(request, names, lambda page: {"repositories": page})


def _page(
    request: ServedRequest, rows: Sequence[str], shown: Callable[[list[str]], dict[str, object]]
) -> WireResponse:
    wanted, last = request.parameter("n", str(_USUAL)), request.parameter("last")
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:9]) <= _MOST):
        return app.unsupported(f"Invalid parameter at 'n': it must be 1 to {_MOST}")
    start = _opened(last) if last else 0
    if start is None:
        return app.unsupported("Invalid parameter at 'last'")
    end = start + int(wanted)
    page = shown(list(rows[start:end]))
    if end >= len(rows):
        return app.shown(page)
    query = urlencode({"last": _sealed(end), "n": wanted})
    link = f'<{quote(request.http.path)}?{query}>; rel="next"'
    return app.shown(page, link=link)


def _sealed(position: int) -> str:
    """An opaque, authenticated page position."""
    text = str(position).encode()
    mark = hmac.digest(_KEY, text, "sha256")[:12]
    return base64.urlsafe_b64encode(mark + text).decode().rstrip("=")


def _opened(last: str) -> int | None:
    try:
        raw = base64.urlsafe_b64decode(last + "=" * (-len(last) % 4))
    except ValueError:
        return None
    mark, text = raw[:12], raw[12:]
    known = hmac.compare_digest(mark, hmac.digest(_KEY, text, "sha256")[:12])
    return int(text) if known else None
