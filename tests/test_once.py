from __future__ import annotations

import pytest

from ecr_feed.once import Once


def test_a_value_is_read_once() -> None:
    reads: list[int] = []

    def read() -> int:
        reads.append(1)
        return len(reads)

    once = Once(read)
    assert once.peek() is None
    assert (once.get(), once.get(), once.peek()) == (1, 1, 1)


def test_an_error_is_kept_and_raised_to_every_caller() -> None:
    reads: list[int] = []

    def read() -> int:
        reads.append(1)
        raise LookupError("denied")

    once = Once(read)
    for _ in range(3):
        with pytest.raises(LookupError, match="denied"):
            once.get()
    assert len(reads) == 1
    assert once.peek() is None


def test_an_interrupt_is_not_kept() -> None:
    def read() -> int:
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        return 7

    interrupted: list[bool] = []
    once = Once(read)
    with pytest.raises(KeyboardInterrupt):
        once.get()
    assert once.get() == 7


def test_an_error_that_took_the_place_of_an_interrupt_is_the_interrupt() -> None:
    """A signal that comes while a lock is acquired: releasing the lock raises RuntimeError."""

    def read() -> int:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("release unlocked lock")

    with pytest.raises(KeyboardInterrupt):
        Once(read).get()
