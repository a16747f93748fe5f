"""Progress while a run reads: a line on a terminal, a progress bar in a step of Octopus."""

from __future__ import annotations

from shutil import get_terminal_size
from threading import Lock
from time import monotonic
from typing import Any, Final

import pytest

from ecr_feed.report.services import progress
from ecr_feed.text.safe import clean_line, cut
from ecr_feed.text.times import elapsed
from ecr_feed.text.words import many

INTERVAL: Final = 0.2  # seconds between two lines, and before the first one


class Progress:
    """Counts calls and limits how often a line is shown. Times are monotonic seconds.

    A read that takes less than `INTERVAL` shows nothing.
    """

    def __init__(self, started: float) -> None:
        self._started = started
        self._shown = started
        self._calls = 0

    def call(self, feed: str, now: float) -> str | None:
        """Count a call for this feed; returns the line to show, or None within `INTERVAL`."""
        self._calls += 1
        if now - self._shown < INTERVAL:
            return None
        self._shown = now
        return self.line(feed, now)

    @property
    def showing(self) -> bool:
        """Whether anything was shown so far."""
        return self._shown > self._started

    def line(self, feed: str, now: float) -> str:
        """`reading Production ECR: 120 calls, 24 a second, 5.0 s`."""
        seconds = max(now - self._started, 0.0)
        rate = f", {self._calls / seconds:.0f} a second" if seconds >= 1 else ""
        name = cut(clean_line(feed), 80)
        return f"reading {name}: {many(self._calls, 'call')}{rate}, {elapsed(seconds)}"


STEP: Final = 10  # per cent between two messages to Octopus


class Live:
    """One line on a terminal about the read that the current test waits for.

    `plugins` is pytest's plugin manager: its terminal is registered later than this is made, and
    workers have none. `quiet`: no line is shown. Calls may be reported by other threads: the test
    waits for them, so nothing else writes at that time.
    """

    def __init__(self, plugins: pytest.PytestPluginManager, *, quiet: bool = False) -> None:
        self._plugins = plugins
        self._quiet = quiet
        self._lock = Lock()
        self._progress: Progress | None = None
        self._feed = ""

    def begin(self, feed: str) -> None:
        """A test about this feed starts."""
        terminal = self._terminal
        if terminal is not None and terminal.isatty and not self._quiet:
            with self._lock:
                self._progress, self._feed = Progress(monotonic()), feed

    def saw_call(self) -> None:
        """One more call was made."""
        with self._lock:
            if self._progress is None:
                return
            fresh = not self._progress.showing
            line = self._progress.call(self._feed, monotonic())
            if line is not None:
                capture: Any = self._plugins.get_plugin("capturemanager")
                with capture.global_and_fixture_disabled():
                    if fresh:
                        self._terminal.ensure_newline()
                    self._write(line)

    def end(self, nodeid: str) -> None:
        """The test's reads are done: the line stays, with its last numbers."""
        with self._lock:
            if self._progress is not None and self._progress.showing:
                self._write(self._progress.line(self._feed, monotonic()))
                if not self._terminal.showlongtestinfo:  # dots go on below the file's name
                    self._terminal.write_fspath_result(nodeid, "")
            self._progress = None

    def say(self, line: str) -> None:
        """A line of its own, where there is a terminal reporter."""
        if self._terminal is not None:
            self._terminal.write_line(line)

    @property
    def _terminal(self) -> Any:
        return self._plugins.get_plugin("terminalreporter")

    def _write(self, line: str) -> None:
        # `rewrite` fills the line up to its end, and cannot take back what went beyond.
        self._terminal.rewrite(line[: get_terminal_size().columns - 1], erase=True)
        self._terminal.flush()


class Steps:
    """Reports the run's progress to a step of Octopus Deploy, every `STEP` per cent."""

    def __init__(self) -> None:
        self._done = 0
        self._said = 0

    def done(self, total: int) -> str | None:
        """Count a check of `total`; returns a message to print each `STEP` per cent, else None."""
        self._done += 1
        share = self._done * 100 // max(total, self._done)
        if share // STEP == self._said // STEP:
            return None
        self._said = share
        return progress(share, f"{self._done} of {many(max(total, self._done), 'check')}")
