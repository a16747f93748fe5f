"""The embedded registry as an application: routes, authentication, answers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from ecr_feed.embedded.ecr.layer_handlers import layer_host
from ecr_feed.embedded.ecr.registry_state import StoredRegistry
from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.faults import CalledOperation, Fault, body_of, cut, error_of
from ecr_feed.embedded.identity.callers import TOKEN_USER, TokenHolder
from ecr_feed.embedded.protocol.wire import ConnectionFault, ServiceError, WireRequest, WireResponse
from ecr_feed.naming import RegistryHost

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
    """An AWS error as an OCI error; one without a counterpart becomes a server error."""
    code, status = _CODES.get(failure.code, ("UNKNOWN", max(failure.status, 500)))
    return error(code, status, failure.message)


def challenge(host: str) -> WireResponse:
    """ECR's 401."""
    asked = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    return answer(401, b"Not Authorized\n", www_authenticate=asked, content_type="text/plain")


def expired() -> WireResponse:
    """ECR's answer to an expired token."""
    said = "Your authorization token has expired. Reauthenticate and try again."
    return error("DENIED", 403, said)


def unsupported(message: str = "The operation is unsupported.") -> WireResponse:
    """The answer to a method or parameter that ECR does not support."""
    return error("UNSUPPORTED", 405, message)


_NAME = r"(?P<name>[^/]+(?:/[^/]+)*)"
_ROUTES: Final = tuple(
    (operation, re.compile(pattern))
    for operation, pattern in (
        ("ping", r"/v2/?"),
        ("catalog", r"/v2/_catalog"),
        ("tags", rf"/v2/{_NAME}/tags/list"),
        ("manifest", rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)"),
        ("upload", rf"/v2/{_NAME}/blobs/uploads/(?P<reference>[^/]*)"),
        ("blob", rf"/v2/{_NAME}/blobs/(?P<reference>[^/]+)"),
    )
)
_BUCKET: Final = re.compile(r"prod-(?P<region>[a-z0-9-]+)-starport-layer-bucket\.s3\.")


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One request with a valid token."""

    http: WireRequest
    core: EmbeddedAws
    holder: TokenHolder
    registry: StoredRegistry
    name: str
    reference: str

    def check(self, operation: str, repository: str | None) -> None:
        """Raise AccessDeniedException unless the token's holder may; None: on any repository.

        A token is valid for every registry of its region, so a request is authorised in the
        registry's account, not in the token's.
        """
        self.core.permit(self._holder_here, operation, repository)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """An ECR operation as the token's holder, permissions included. Raises ServiceError."""
        return self.core.call_as(self._holder_here, operation, params)

    @property
    def _holder_here(self) -> TokenHolder:
        return replace(self.holder, account=self.registry.account)

    def parameter(self, name: str, default: str = "") -> str:
        """A query parameter; the last one where it is repeated."""
        return parse_qs(self.http.query, keep_blank_values=True).get(name, [default])[-1]

    def header(self, name: str) -> str:
        """A request header, or ""."""
        return self.http.headers.get(name, "")


Handler = Callable[[ServedRequest], WireResponse]


class RegistryApp:
    """Answers requests to every registry and layer storage host of the embedded account."""

    def __init__(
        self, core: EmbeddedAws, handlers: Mapping[str, Handler], storage: StorageHandler
    ) -> None:
        self._core = core
        self._handlers = handlers
        self._storage = storage

    def __call__(self, request: WireRequest) -> WireResponse:
        """The answer. Raises ConnectionFault for a network fault."""
        host = request.host.strip("[]")
        if bucket := _BUCKET.match(host):
            return self._layer(request, bucket["region"])
        where = RegistryHost.parse(host)
        if not where.ok:
            return error("UNKNOWN", 421, f"No such host here: {host}")
        operation, name, reference = route(request.path)
        holder = self._holder(request.headers.get("authorization", ""))
        callers = () if holder is None else (holder.caller.key_id, holder.caller.name)
        names = (name,) if name else ()
        fault = self._core.faults.take(
            CalledOperation(
                "registry", operation, where.region, names, callers, request.method, reference
            )
        )
        if fault is not None and not fault.changes:
            return _faulty(fault)
        answer = self._dated(self._answer(request, where, holder))
        return answer if fault is None else cut(fault, answer)

    def _dated(self, answer: WireResponse) -> WireResponse:
        """The answer with AWS's time in its Date header."""
        date = format_datetime(self._core.now(), usegmt=True)
        return replace(answer, headers={**answer.headers, "date": date})

    def _answer(
        self, request: WireRequest, where: RegistryHost, holder: TokenHolder | None
    ) -> WireResponse:
        """401 without a valid token, 403 for an expired one, else the operation's answer."""
        if holder is None or holder.region != where.region:
            return challenge(where.host)
        if holder.expires_at <= self._core.now():
            return expired()
        operation, name, reference = route(request.path)
        registry = self._core.registry(where.account, where.region)
        return self._done(
            operation, ServedRequest(request, self._core, holder, registry, name, reference)
        )

    def _holder(self, authorization: str) -> TokenHolder | None:
        scheme, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (
            self._core.token_caller(password)
            if scheme.lower() == "basic" and user == TOKEN_USER
            else None
        )

    def _done(self, operation: str, request: ServedRequest) -> WireResponse:
        handler = self._handlers.get(operation)
        if handler is None:
            return error("UNSUPPORTED", 404, "The operation is unsupported.")
        try:
            return handler(request)
        except ServiceError as failure:
            return from_service(failure)

    def _layer(self, request: WireRequest, region: str) -> WireResponse:
        path = unquote(urlsplit(request.url).path)
        owner, _, rest = path.lstrip("/").partition("/")
        name, _, digest = rest.rpartition("/")
        fault = self._core.faults.take(
            CalledOperation(
                "registry", "layer", region, (name,), (), request.method, f"sha256:{digest}"
            )
        )
        if fault is not None and not fault.changes:
            return _faulty(fault)
        answer = self._storage(request, self._core.registry(owner, region), name, digest)
        return answer if fault is None else cut(fault, answer)


StorageHandler = Callable[[WireRequest, StoredRegistry, str, str], WireResponse]


def route(path: str) -> tuple[str, str, str]:
    """Operation, repository and reference of a path; empty texts for a path outside the API."""
    for operation, pattern in _ROUTES:
        if found := pattern.fullmatch(path):
            parts = found.groupdict(default="")
            return (
                operation,
                unquote(parts.get("name", "")),
                unquote(parts.get("reference", "")),
            )
    return "", "", ""


def _faulty(fault: Fault) -> WireResponse:
    if fault.connection is not None:
        raise ConnectionFault(fault.connection)
    if fault.code:
        return from_service(error_of(fault, "ecr"))
    return body_of(fault)


def is_registry(host: str) -> bool:
    """Whether a host is a private registry's or its layer storage's."""
    bucket = _BUCKET.match(host)
    return RegistryHost.parse(host).ok if bucket is None else host == layer_host(bucket["region"])
