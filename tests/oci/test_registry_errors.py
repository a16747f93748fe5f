"""From answers and exceptions to causes."""

from __future__ import annotations

import errno
import json
import socket
import ssl

import pytest
import requests
import urllib3

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.registry_errors import reason_of_error, reason_of_head_refusal, reason_of_refusal


def oci(code: object, message: object = "said") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "trouble", "code"),
    [
        (401, oci("UNAUTHORIZED"), Trouble.LOGIN_REFUSED, "UNAUTHORIZED"),
        (403, oci("DENIED"), Trouble.DENIED, "DENIED"),
        (400, oci("denied"), Trouble.DENIED, "DENIED"),
        (404, oci("NAME_UNKNOWN"), Trouble.NOT_FOUND, "NAME_UNKNOWN"),
        (404, oci("MANIFEST_UNKNOWN"), Trouble.NOT_FOUND, "MANIFEST_UNKNOWN"),
        (404, oci("BLOB_UNKNOWN"), Trouble.NOT_FOUND, "BLOB_UNKNOWN"),
        (403, oci("TOOMANYREQUESTS"), Trouble.THROTTLED, "TOOMANYREQUESTS"),
        (405, oci("UNSUPPORTED"), Trouble.OTHER, "UNSUPPORTED"),
        (418, oci("NEW_CODE"), Trouble.OTHER, "NEW_CODE"),
        (403, oci("DENIED", "Your authorization token has expired."), Trouble.EXPIRED, "DENIED"),
        (403, b"Your Authorization Token has expired. Please run", Trouble.EXPIRED, ""),
        (401, b"Not Authorized\n", Trouble.LOGIN_REFUSED, "HTTP 401"),
        (403, b"<html>blocked</html>", Trouble.OTHER, "HTTP 403"),
        (403, b"Forbidden", Trouble.OTHER, "HTTP 403"),
        (404, b"", Trouble.OTHER, "HTTP 404"),
        (407, b"", Trouble.PROXY, "HTTP 407"),
        (408, b"", Trouble.TIMEOUT, "HTTP 408"),
        (429, b"", Trouble.THROTTLED, "HTTP 429"),
        (500, b"\xff\xfe", Trouble.OTHER, "HTTP 500"),
        (500, b'{"errors": []}', Trouble.OTHER, "HTTP 500"),
        (500, b'{"errors": ["x"]}', Trouble.OTHER, "HTTP 500"),
        (500, oci(5, 6), Trouble.OTHER, "HTTP 500"),
        (500, b"[" * 50_000, Trouble.OTHER, "HTTP 500"),
        (403, b"<Error><Code>AccessDenied</Code></Error>", Trouble.OTHER, "HTTP 403"),
    ],
)
def test_answers_of_a_registry(status: int, body: bytes, trouble: Trouble, code: str) -> None:
    found = reason_of_refusal(status, body, "text/html" if b"<html" in body else "application/json")
    assert (found.trouble, found.code) == (trouble, code)
    assert "<html" not in found.message


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("AccessDenied", Trouble.DENIED),
        ("NoSuchKey", Trouble.NOT_FOUND),
        ("ExpiredToken", Trouble.EXPIRED),
        ("SlowDown", Trouble.THROTTLED),
        ("RequestTimeTooSkewed", Trouble.CLOCK),
        ("InvalidArgument", Trouble.OTHER),
    ],
)
def test_answers_of_the_storage(code: str, trouble: Trouble) -> None:
    body = f"<Error><Code>{code}</Code><Message>said</Message></Error>".encode()
    found = reason_of_refusal(403, body, "application/xml", registry=False)
    assert (found.trouble, found.code, found.message) == (trouble, code, "said")


@pytest.mark.parametrize(
    ("status", "marked", "trouble"),
    [
        (401, False, Trouble.LOGIN_REFUSED),
        (403, True, Trouble.DENIED),
        (403, False, Trouble.OTHER),
        (404, False, Trouble.NOT_FOUND),
        (429, False, Trouble.THROTTLED),
        (405, True, Trouble.OTHER),
        (500, True, Trouble.OTHER),
    ],
)
def test_answers_to_head(status: int, marked: bool, trouble: Trouble) -> None:
    assert reason_of_head_refusal(status, from_registry=marked).trouble is trouble


def wrapped(inner: Exception) -> Exception:
    """As requests and urllib3 wrap what the socket raised."""
    pool = urllib3.HTTPSConnectionPool("h")
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", inner))


def certificate() -> Exception:
    error = ssl.SSLCertVerificationError("x")
    error.verify_message = "certificate has expired"
    return requests.exceptions.SSLError(urllib3.exceptions.SSLError(error))


def proxy(said: str) -> Exception:
    return requests.exceptions.ProxyError(
        urllib3.exceptions.ProxyError("Cannot connect to proxy. http://me:secret@p", OSError(said))
    )


@pytest.mark.parametrize(
    ("error", "trouble", "says"),
    [
        (wrapped(socket.gaierror(1, "secret")), Trouble.DNS, "no such name"),
        (wrapped(ConnectionRefusedError(111, "secret")), Trouble.REFUSED, "closed"),
        (wrapped(OSError(errno.ENETUNREACH, "secret")), Trouble.REFUSED, "no route"),
        (requests.ConnectTimeout("secret"), Trouble.TIMEOUT, "connection in time"),
        (requests.ReadTimeout("secret"), Trouble.TIMEOUT, "answer in time"),
        (wrapped(ConnectionResetError(104, "secret")), Trouble.RESET, "cut off"),
        (wrapped(ssl.SSLEOFError(8, "secret")), Trouble.RESET, "cut off"),
        (requests.ConnectionError("secret"), Trouble.RESET, "failed"),
        (requests.exceptions.ChunkedEncodingError("secret"), Trouble.RESET, "failed"),
        (requests.exceptions.ContentDecodingError("secret"), Trouble.MALFORMED, "decoded"),
        (requests.exceptions.InvalidURL("secret"), Trouble.MALFORMED, "address"),
        (certificate(), Trouble.TLS, "certificate has expired"),
        (requests.exceptions.SSLError("secret"), Trouble.TLS, "handshake"),
        (proxy("Tunnel connection failed: 407 secret"), Trouble.PROXY, "requires a login"),
        (proxy("Tunnel connection failed: 403 secret"), Trouble.PROXY, "does not connect"),
        (proxy("secret"), Trouble.PROXY, "cannot be reached"),
    ],
)
def test_exceptions(error: Exception, trouble: Trouble, says: str) -> None:
    found = reason_of_error(error)
    assert found.trouble is trouble
    assert says in found.message
    assert "secret" not in repr(found)


def test_exceptions_that_wrap_each_other_end() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert reason_of_error(one).trouble is Trouble.RESET
