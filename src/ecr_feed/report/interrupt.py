"""SIGTERM ends a run as Ctrl-C does; neither comes between two files that belong together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn

_HELD: Final = (signal.SIGINT, signal.SIGTERM)


def terminate_like_interrupt() -> Callable[[], None]:
    """From now on SIGTERM raises KeyboardInterrupt; what is returned undoes that.

    Does nothing outside the main thread, or where somebody else already handles SIGTERM. A shell
    starts background processes with SIGINT ignored, so the exception is raised here, not by way
    of that signal.
    """
    if not _main() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None
    signal.signal(signal.SIGTERM, _interrupt)

    def undo() -> None:
        if signal.getsignal(signal.SIGTERM) is _interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return undo


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, SIGINT and SIGTERM wait; the first that came is delivered at the end."""
    if not _main():
        yield
        return
    came: list[int] = []
    earlier: dict[int, Any] = {}
    try:
        for held in _HELD:
            earlier[held] = signal.signal(held, lambda got, _: came.append(got))
        yield
    finally:
        for number, handler in earlier.items():
            # None: installed by something other than Python, which cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _main() -> bool:
    return threading.current_thread() is threading.main_thread()
