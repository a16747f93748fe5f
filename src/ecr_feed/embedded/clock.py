"""AWS's clock, as the embedded account shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Clock:
    """`now()` is AWS's time. `signing_now()` is the time a client is expected to sign with.

    `advance` moves AWS's time, and with it what is expected of clients, so that a test may look at
    tomorrow with today's signatures. `client_off` is by how much clients are *really* wrong: AWS's
    time differs from theirs, and beyond 15 minutes their signatures are refused.
    """

    def __init__(self, base: Callable[[], datetime] = utc_now) -> None:
        self._base = base
        self._moved = timedelta()
        self.client_off = timedelta()

    def now(self) -> datetime:
        """AWS's time, in UTC."""
        return self._base() + self._moved - self.client_off

    def signing_now(self) -> datetime:
        """The time a client's signature is compared with: the machine's, by which clients sign."""
        return utc_now() - self.client_off

    def advance(self, step: timedelta) -> None:
        """Let time pass, or run back."""
        self._moved += step

    @contextmanager
    def ago(self, age: timedelta) -> Iterator[None]:
        """Do things in the past: what is made inside is `age` old afterwards."""
        self._moved -= age
        try:
            yield
        finally:
            self._moved += age
