"""Fields of a response, where a missing required field is malformed, and texts without secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from ecr_feed.facts.aws import ReadError

LIMIT: Final = 700
# What SignatureDoesNotMatch appends: the signed request that it received.
_ECHO = re.compile(r"\s*The (?:Canonical String|String-to-Sign)\b.*", re.DOTALL | re.IGNORECASE)
# What botocore appends to a response that it cannot parse: the whole body.
_BODY = re.compile(r",?\s*(?:invalid XML received|invalid JSON received)\b.*", re.DOTALL)
_KEY_ID = re.compile(r"\b((?:AKIA|ASIA))[A-Z0-9]{8,}([A-Z0-9]{4})\b")
_HASH = re.compile(r"(?<![A-Za-z0-9+/=:])[A-Za-z0-9+/=_-]{64,}(?![A-Za-z0-9+/=_-])")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}")
_SECRET_FIELD = re.compile(
    r"(?i)\b(password|secret[a-z_ ]*key|session[_ ]?token|security-token|signature)"
    r"([\"']?\s*[=:]\s*)"
    r"[\"']?[^\s\"',&]+"
)
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@")


def sanitize(text: object) -> str:
    """`text` without secrets, in one printable line of at most `LIMIT` characters.

    "" for anything but a text.
    """
    if not isinstance(text, str):
        return ""
    shown = _BODY.sub("", _ECHO.sub("", text))
    shown = _URL_USER.sub(r"\1***@", shown)
    shown = _JWT.sub("***", shown)
    shown = _SECRET_FIELD.sub(r"\1\2***", shown)
    shown = _KEY_ID.sub(r"\1***\2", shown)
    shown = _HASH.sub("***", shown)
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= LIMIT else shown[: LIMIT - 1] + "…"


T = TypeVar("T")


class MalformedErrors(Protocol):
    """What makes the error for a malformed response: a `Client`."""

    def malformed(self, operation: str, message: str) -> ReadError:
        """The error to raise."""


class ResponseReader:
    """Takes fields out of a response; raises ReadError (MALFORMED) for a missing or wrong one."""

    def __init__(self, client: MalformedErrors, operation: str) -> None:
        self._client = client
        self._operation = operation

    def require(self, answer: object, key: str, kind: type[T]) -> T:
        """`answer[key]`, which must exist, have the type, and not be an empty text."""
        value = answer.get(key) if isinstance(answer, Mapping) else None
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            raise self.wrong(f"the answer has no {key}" if value is None else f"unexpected {key}")
        if value == "":
            raise self.wrong(f"{key} is empty")
        return value

    def maybe(self, answer: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
        """`answer[key]`, which must have the type, or None where the key is absent."""
        return None if answer.get(key) is None else self.require(answer, key, kind)

    def text(self, answer: Mapping[str, Any], key: str, otherwise: str = "") -> str:
        """An optional text."""
        value = answer.get(key)
        if value is None:
            return otherwise
        if not isinstance(value, str):
            raise self.wrong(f"unexpected {key}")
        return value

    def value(self, answer: object, key: str) -> str:
        """A text that must be there and may be empty, such as the value of a tag."""
        found = answer.get(key) if isinstance(answer, Mapping) else None
        return found if found == "" and isinstance(found, str) else self.require(answer, key, str)

    def one_of(self, answer: object, key: str, known: Collection[str]) -> str:
        """A text that must be there and be one of those that AWS documents."""
        found = self.require(answer, key, str)
        if found not in known:
            raise self.wrong(f"{key} is {found!r}, which AWS does not document")
        return found

    def time(self, answer: Mapping[str, Any], key: str) -> datetime | None:
        """An optional time."""
        return self.maybe(answer, key, datetime)

    def items(self, answer: object, key: str) -> list[Mapping[str, Any]]:
        """`answer[key]`, which must be a list of objects."""
        found: list[Any] = self.require(answer, key, list)
        if not all(isinstance(item, Mapping) for item in found):
            raise self.wrong(f"{key} contains something that is not an object")
        return found

    def texts(self, answer: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """An optional list of texts."""
        found = answer.get(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self.wrong(f"unexpected {key}")
        return tuple(found)

    def wrong(self, message: str) -> ReadError:
        """The error for this response."""
        return self._client.malformed(self._operation, message)
