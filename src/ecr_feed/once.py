"""A fact that is had once: its value, or the error that reading it ended in."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Reads on first `get()`, then answers the same value, or raises the same error, for ever.

    `functools.cache` keeps no exception: fifty dependents of a denied read would ask fifty times.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = RLock()
        self._value: T | None = None
        self._error: Exception | None = None
        self._done = False

    def get(self) -> T:
        """The value; raises the first read's error, without growing its traceback."""
        with self._lock:
            if not self._done:
                try:
                    self._value = self._read()
                except Exception as error:  # noqa: BLE001 - kept whole and raised to every caller
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self._value  # type: ignore[return-value] # done without error: it is a T

    def peek(self) -> T | None:
        """The value if it was read; None where nobody asked yet, or the read failed."""
        with self._lock:
            return self._value
