"""Settings of the process for a run: log records without secrets, SIGTERM like an interrupt.

At DEBUG botocore logs canonical requests, headers and whole answers (with an authorization token),
before the redactor has learnt what in them is secret; urllib3 logs signed URLs. These records are
dropped. Every other record is redacted when it is made, so that no handler (live log, captured log,
log file, standard error) receives a secret.
"""

from __future__ import annotations

import logging
import signal
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, NoReturn

WIRES: Final = ("botocore", "boto3", "urllib3", "requests", "moto")
"""Loggers, with all below them, of which only warnings and errors are logged."""


def safe_logs(clean: Callable[[str], str]) -> Callable[[], None]:
    """From now on every record's text is `clean(text)`; what is returned undoes that."""
    made_before = logging.getLogRecordFactory()
    levels = {name: logging.getLogger(name).level for name in WIRES}

    def make(*given: Any, **named: Any) -> logging.LogRecord:
        return _cleaned(made_before(*given, **named), clean)

    logging.setLogRecordFactory(make)
    for name in WIRES:
        logging.getLogger(name).setLevel(logging.WARNING)

    def undo() -> None:
        logging.setLogRecordFactory(made_before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)

    return undo


def _cleaned(record: logging.LogRecord, clean: Callable[[str], str]) -> logging.LogRecord:
    """The record with its message formatted and its traceback as text, both through `clean`."""
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):  # a message and arguments that do not fit each other
        text = str(record.msg)
    record.msg, record.args = clean(text), ()
    if record.exc_info:
        record.exc_text = clean("".join(traceback.format_exception(*record.exc_info)).rstrip())
        record.exc_info = None
    if record.stack_info:
        record.stack_info = clean(record.stack_info)
    return record


def terminate_like_interrupt() -> Callable[[], None]:
    """From now on SIGTERM raises KeyboardInterrupt; what is returned undoes that.

    Does nothing outside the main thread, or where SIGTERM already has a handler. A shell
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


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _main() -> bool:
    return threading.current_thread() is threading.main_thread()
