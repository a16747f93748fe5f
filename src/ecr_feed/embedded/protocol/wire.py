"""HTTP requests and answers, independent of how they arrive."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

Params = dict[str, Any]
"""An operation's parameters, by botocore's member names."""

Result = dict[str, Any]
"""An operation's result, by botocore's member names."""

JSON_TYPE: Final = "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request. Header names are lower case; `body` is what was sent, byte for byte."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(
        cls, method: str, url: str, headers: Mapping[str, str | bytes], body: str | bytes | None
    ) -> WireRequest:
        """From a client's own types: names in any case, values and body as text or bytes."""
        text = {name.lower(): _text(value) for name, value in headers.items()}
        text.setdefault("host", urlsplit(url).netloc)
        raw = body.encode() if isinstance(body, str) else bytes(body or b"")
        return cls(method.upper(), url, text, raw)

    @property
    def host(self) -> str:
        """The requested host, without port."""
        return self.headers.get("host", urlsplit(self.url).netloc).rsplit(":", 1)[0]

    @property
    def path(self) -> str:
        """The path, as sent."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        """The query string, as sent."""
        return urlsplit(self.url).query


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


class ConnectionFault(Exception):  # noqa: N818 - a configured fault, not an error
    """A configured network fault: no answer, but what a broken network would do.

    `kind`: `connect-timeout`, `read-timeout`, `reset`, `refused`, `dns`, `tls` or `proxy`.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class ServiceError(Exception):
    """An error of a service: AWS's code and message, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def stamp(now: datetime) -> dict[str, str]:
    """The headers of every AWS answer: a request ID and the service's time."""
    return {"x-amzn-requestid": str(uuid.uuid4()), "date": format_datetime(now, usegmt=True)}


def json_answer(document: object, now: datetime, status: int = 200) -> WireResponse:
    """A JSON 1.1 answer; datetimes become epoch seconds."""
    body = json.dumps(document, default=_plain).encode()
    headers = {**stamp(now), "content-type": JSON_TYPE, "content-length": str(len(body))}
    return WireResponse(status, headers, body)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def xml_answer(text: str, now: datetime, status: int = 200) -> WireResponse:
    """An XML answer of the query protocol; `{request_id}` in the text becomes the request id."""
    headers = stamp(now)
    body = text.replace("{request_id}", headers["x-amzn-requestid"]).encode()
    headers |= {"content-type": "text/xml", "content-length": str(len(body))}
    return WireResponse(status, headers, body)


def json_error(error: ServiceError, now: datetime) -> WireResponse:
    """An error of the JSON protocols; real ECR answers 400 to a denial too."""
    return json_answer({"__type": error.code, "message": error.message}, now, error.status)


def xml_error(error: ServiceError, namespace: str, now: datetime) -> WireResponse:
    """An error of the query protocol (IAM, STS)."""
    kind = "Receiver" if error.status >= 500 else "Sender"
    return xml_answer(
        f'<ErrorResponse xmlns="{escape(namespace)}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        "<RequestId>{request_id}</RequestId></ErrorResponse>",
        now,
        error.status,
    )
