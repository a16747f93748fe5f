"""Why a request failed: by error code and exception type, not by HTTP status where avoidable."""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import requests
import urllib3

from ecr_feed.facts.aws import Trouble

# OCI distribution-spec, "Error codes", and two more that ECR sends.
_CODES: Final = {
    "UNAUTHORIZED": Trouble.LOGIN_REFUSED,
    "DENIED": Trouble.DENIED,
    "NAME_UNKNOWN": Trouble.NOT_FOUND,
    "MANIFEST_UNKNOWN": Trouble.NOT_FOUND,
    "BLOB_UNKNOWN": Trouble.NOT_FOUND,
    "MANIFEST_BLOB_UNKNOWN": Trouble.NOT_FOUND,
    "TOOMANYREQUESTS": Trouble.THROTTLED,
}
# S3's error codes, which the layer storage sends in XML.
_STORAGE: Final = {
    "AccessDenied": Trouble.DENIED,
    "NoSuchKey": Trouble.NOT_FOUND,
    "ExpiredToken": Trouble.EXPIRED,
    "SlowDown": Trouble.THROTTLED,
    "RequestTimeTooSkewed": Trouble.CLOCK,
    "SignatureDoesNotMatch": Trouble.SIGNATURE,
}
_XML_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_XML_MESSAGE: Final = re.compile(r"<Message>([^<]{1,500})</Message>")
_EXPIRED: Final = re.compile(r"authorization token has expired", re.IGNORECASE)
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
_CUT: Final = (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_UNREACHED: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Why a request failed; `code` is the service's error code, or ""."""

    trouble: Trouble
    message: str
    code: str = ""


def reason_of_refusal(
    status: int, body: bytes, content_type: str, *, registry: bool = True
) -> FailureReason:
    """The reason of a response that is not a success.

    `registry` is False for the storage host, whose errors are S3's XML. A refusal without a known
    code may come from a proxy (a block page), so its trouble is OTHER.
    """
    text = body.decode("utf-8", "replace")
    if _EXPIRED.search(text):
        return FailureReason(Trouble.EXPIRED, "the authorization token has expired", _oci(text)[0])
    code, message = _oci(text)
    if code:
        return FailureReason(_CODES.get(code, Trouble.OTHER), message, code)
    found = _XML_CODE.search(text)
    if found is not None and not registry:
        in_xml = _XML_MESSAGE.search(text)
        known = _STORAGE.get(found.group(1), Trouble.OTHER)
        return FailureReason(known, in_xml.group(1) if in_xml else "", found.group(1))
    return _by_status(status, text, content_type, registry=registry)


def _by_status(status: int, text: str, content_type: str, *, registry: bool) -> FailureReason:
    """The reason of a response without a code: only unambiguous statuses are classified."""
    shown = "an HTML page" if "html" in content_type.lower() else text.strip()
    by_status = {
        # The layer storage has no login to refuse.
        401: Trouble.LOGIN_REFUSED if registry else Trouble.OTHER,
        407: Trouble.PROXY,
        408: Trouble.TIMEOUT,
        429: Trouble.THROTTLED,
    }
    return FailureReason(by_status.get(status, Trouble.OTHER), shown, f"HTTP {status}")


def reason_of_head_refusal(
    status: int, *, from_registry: bool, strange: bool = False
) -> FailureReason:
    """The reason of a refused HEAD, which has no body with a code.

    `strange`: the answer is an HTML page's, or another host's.
    """
    meanings = {
        401: FailureReason(Trouble.LOGIN_REFUSED, "the login is not accepted", "HTTP 401"),
        403: FailureReason(Trouble.DENIED, "access is denied", "HTTP 403"),
        404: FailureReason(Trouble.NOT_FOUND, "no such tag", "HTTP 404"),
        429: FailureReason(Trouble.THROTTLED, "too many requests", "HTTP 429"),
    }
    if from_registry or status == 429 or (status in (401, 404) and not strange):
        return meanings.get(status, FailureReason(Trouble.OTHER, "", f"HTTP {status}"))
    return FailureReason(Trouble.OTHER, "the answer is not from the registry", f"HTTP {status}")


def _oci(text: str) -> tuple[str, str]:
    """Code and message of the first OCI error, or two empty texts."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return "", ""
    code, message = first.get("code"), first.get("message")
    return (
        code.upper() if isinstance(code, str) else "",
        message if isinstance(message, str) else "",
    )


def reason_of_error(error: BaseException) -> FailureReason:
    """The reason of an exception of `requests`, without its text, which may contain a password."""
    chain = tuple(_chain(error))
    if type(error) is OSError and "TLS CA certificate bundle" in str(error):
        return FailureReason(Trouble.TLS, "the configured CA bundle file does not exist")
    if any(isinstance(one, requests.exceptions.ProxyError) for one in chain):
        return _proxy(chain)
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return FailureReason(Trouble.TLS, str(one.verify_message))
    if any(isinstance(one, _CUT) for one in chain):
        return FailureReason(Trouble.RESET, "the connection was cut off")
    if any(isinstance(one, (ssl.SSLError, requests.exceptions.SSLError)) for one in chain):
        return FailureReason(Trouble.TLS, "the TLS handshake failed")
    for kind, trouble, words in _KINDS:
        if any(isinstance(one, kind) for one in chain):
            return FailureReason(trouble, words)
    if any(isinstance(one, OSError) and one.errno in _UNREACHED for one in chain):
        return FailureReason(Trouble.REFUSED, "no route to the host")
    return FailureReason(Trouble.RESET, "the connection failed")


# Order matters: a connection that timed out is also a ConnectionError.
_KINDS: Final[
    tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Trouble, str], ...]
] = (
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), Trouble.DNS, "no such name"),
    (ConnectionRefusedError, Trouble.REFUSED, "the port is closed"),
    (requests.exceptions.ConnectTimeout, Trouble.TIMEOUT, "no connection in time"),
    (
        (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError),
        Trouble.TIMEOUT,
        "no answer in time",
    ),
    (urllib3.exceptions.IncompleteRead, Trouble.RESET, "the answer was cut off"),
    (requests.exceptions.ContentDecodingError, Trouble.MALFORMED, "the answer cannot be decoded"),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema),
        Trouble.MALFORMED,
        "the address is malformed",
    ),
)


def _proxy(chain: tuple[BaseException, ...]) -> FailureReason:
    """The reason of an error of a proxy: it refused, or could not be reached."""
    # Only the status is taken from the text; the rest is written by the proxy.
    found = _TUNNEL.search(" ".join(str(one) for one in chain if isinstance(one, OSError)))
    if found is None and any(isinstance(one, _CUT) for one in chain):
        # urllib3 also reports a tunnel that breaks later as an error of the proxy.
        return FailureReason(Trouble.RESET, "the connection was cut, by the proxy or behind it")
    if found is None:
        return FailureReason(Trouble.PROXY, "the proxy cannot be reached")
    if found.group(1) == "407":
        return FailureReason(Trouble.PROXY, "the proxy requires a login", "407")
    return FailureReason(Trouble.PROXY, "the proxy does not connect to this host", found.group(1))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all errors inside of it, as requests and urllib3 nest them."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
        waiting.extend(other for other in inner if isinstance(other, BaseException))
