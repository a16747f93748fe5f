"""One line that tells a person how far a long read is: feed, calls made, rate."""

from __future__ import annotations

from typing import Final

from ecr_feed.report.stamp import span
from ecr_feed.report.text import clean_line, cut

INTERVAL: Final = 0.2  # seconds between two lines, and before the first one


class Progress:
    """Counts calls and says, not too often, what to show. Times are monotonic seconds.

    Nothing is shown of a read that is over at once.
    """

    def __init__(self, started: float) -> None:
        self._started = started
        self._shown = started
        self._calls = 0

    def call(self, feed: str, now: float) -> str | None:
        """One more call was made for this feed; the line to show, or None while it is too soon."""
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
        calls = "1 call" if self._calls == 1 else f"{self._calls} calls"
        return f"reading {name}: {calls}{rate}, {span(seconds)}"
