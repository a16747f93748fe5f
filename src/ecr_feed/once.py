"""A fact that is read once: it keeps the value, or the error that the read ended in."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Calls `read` at the first `get()`, and keeps what it returned or raised. Thread-safe.

    `functools.cache` does not keep exceptions: fifty users of a denied read would call fifty times.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = RLock()
        self._value: T | None = None
        self._error: Exception | None = None
        self._done = False

    def get(self) -> T:
        """The value; raises the error that `read` raised, each time with a new traceback."""
        with self._lock:
            if not self._done:
                try:
                    self._value = self._read()
                except Exception as error:
                    if _replaced_an_interrupt(error):
                        raise KeyboardInterrupt from error
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self._value  # type: ignore[return-value] # done without error: it is a T

    def peek(self) -> T | None:
        """The value if it was read; None before the first `get()`, or where the read failed."""
        with self._lock:
            return self._value


def _replaced_an_interrupt(error: BaseException) -> bool:
    """A KeyboardInterrupt was on its way when the error came up.

    A signal may come while a lock is being acquired; releasing it then raises RuntimeError, in
    place of the interrupt.
    """
    earlier = error.__context__
    return earlier is not None and (
        isinstance(earlier, KeyboardInterrupt) or _replaced_an_interrupt(earlier)
    )
