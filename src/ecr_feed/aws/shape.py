"""What a 200 must hold: an answer that lacks it is malformed, never "none"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ecr_feed.facts import ReadError

T = TypeVar("T")


class Answered(Protocol):
    """Who can say that an answer is malformed: a `Client`."""

    def malformed(self, operation: str, message: str) -> ReadError:
        """The error to raise."""


class Reader:
    """Takes fields out of one answer; raises ReadError (MALFORMED) for what is wrong."""

    def __init__(self, client: Answered, operation: str) -> None:
        self._client = client
        self._operation = operation

    def require(self, answer: object, key: str, kind: type[T]) -> T:
        """`answer[key]`, there, of the type, and not an empty text."""
        value = answer.get(key) if isinstance(answer, Mapping) else None
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            raise self.wrong(f"the answer has no {key}" if value is None else f"unexpected {key}")
        if value == "":
            raise self.wrong(f"{key} is empty")
        return value

    def maybe(self, answer: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
        """`answer[key]` of the type, or None where the key is absent."""
        return None if answer.get(key) is None else self.require(answer, key, kind)

    def text(self, answer: Mapping[str, Any], key: str, otherwise: str = "") -> str:
        """An optional text."""
        value = answer.get(key)
        if value is None:
            return otherwise
        if not isinstance(value, str):
            raise self.wrong(f"unexpected {key}")
        return value

    def time(self, answer: Mapping[str, Any], key: str) -> datetime | None:
        """An optional time."""
        return self.maybe(answer, key, datetime)

    def items(self, answer: object, key: str) -> list[Mapping[str, Any]]:
        """A list that must be there, of objects."""
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
        """The error for this answer."""
        return self._client.malformed(self._operation, message)
