"""Records of whatever logger, without secrets and orders; the wires' own are left out."""

from __future__ import annotations

import io
import logging
import signal
import threading
from collections.abc import Iterator

import pytest

from ecr_feed.facts.aws import Secret
from ecr_feed.plugin.process import WIRES, safe_logs, terminate_like_interrupt
from ecr_feed.report.artefacts import undisturbed
from ecr_feed.report.redact import Redactor
from ecr_feed.text.safe import inert

PLANTED = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKy"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler of a logger with all levels writes meanwhile."""
    redactor = Redactor([Secret(PLANTED)])
    undo = safe_logs(lambda text: inert(redactor.block(text)))
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield out
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        undo()


def test_a_record_is_clean_when_it_is_made(written: io.StringIO) -> None:
    log = logging.getLogger("anyone")
    log.debug("secret %s and %r", PLANTED, {"key": PLANTED})
    log.warning("##octopus[x]\n::error::y %s", 5)
    log.warning("does not fit %s %s", PLANTED)  # noqa: PLE1206 - the point of it
    log.info("stack", stack_info=True)
    try:
        raise ValueError(PLANTED)
    except ValueError:
        log.exception("failed")
    text = written.getvalue()
    assert PLANTED not in text
    assert PLANTED[:20] not in text
    assert "secret ******** and" in text
    assert "# #octopus[x]\n: :error::y 5" in text or "# #octopus[x]\n: :error: :y 5" in text
    assert "ValueError: ********" in text


@pytest.mark.parametrize("name", WIRES)
def test_the_wires_log_no_detail(written: io.StringIO, name: str) -> None:
    for each in (name, f"{name}.deeper"):
        logging.getLogger(each).debug("headers")
        logging.getLogger(each).info("credentials found")
        logging.getLogger(each).warning("retrying %s", PLANTED)
    assert written.getvalue() == "retrying ********\n" * 2


def test_it_is_undone() -> None:
    factory = logging.getLogRecordFactory()
    levels = [logging.getLogger(name).level for name in WIRES]
    safe_logs(str.upper)()
    assert logging.getLogRecordFactory() is factory
    assert [logging.getLogger(name).level for name in WIRES] == levels


def test_sigterm_interrupts_and_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        undo = terminate_like_interrupt()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        undo()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        terminate_like_interrupt()()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits(number: int) -> None:
    before = signal.signal(number, signal.default_int_handler)
    done = []
    try:
        with pytest.raises(KeyboardInterrupt), undisturbed():
            signal.raise_signal(number)
            done.append("all of it")
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert done == ["all of it"]


def test_other_threads_are_left_alone() -> None:
    def inside() -> None:
        with undisturbed():
            terminate_like_interrupt()()

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
