"""Tokens and keys on a line of time: where the marks stand in a picture, and the same in words.

The picture is decoration: every time in it is also in the list of moments beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ecr_feed.report.run import KeyTimes, TokenTimes
from ecr_feed.report.stamp import span, to_second

WIDTH = 1000  # units of the picture's own grid; the page stretches it


@dataclass(frozen=True, slots=True)
class Moment:
    """A mark: `at` in units from the left, its name, the time and how far from the run's end."""

    at: int
    name: str
    time: str
    away: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A bar from `start` to `end` (units), the part of it that is over, and the marks in order."""

    label: str
    start: int
    end: int
    used: int
    moments: tuple[Moment, ...]
    over: bool = False


def of_token(token: TokenTimes, now: datetime) -> Timeline:
    """An authorization token's life, as seen at the run's end."""
    marks = [("fetched", token.fetched_at), ("expires", token.expires_at)]
    if token.needed_until is not None:
        marks.append(("needed until", token.needed_until))
    return _line("Authorization token", marks, (token.fetched_at, token.expires_at), now)


def of_key(key: KeyTimes, now: datetime) -> Timeline:
    """An access key's life so far; the bar ends where it has to be replaced, or now."""
    marks = [("created", key.created_at)]
    if key.last_used_at is not None:
        marks.append(("last used", key.last_used_at))
    if key.rotate_by is not None:
        marks.append(("replace by", key.rotate_by))
    status = f", {key.status}" if key.status else ""
    end = key.rotate_by if key.rotate_by is not None else now
    return _line(f"Access key {key.key_id}{status}", marks, (key.created_at, end), now)


def _line(
    label: str,
    marks: Sequence[tuple[str, datetime]],
    bar: tuple[datetime, datetime],
    now: datetime,
) -> Timeline:
    times = [moment for _, moment in marks] + [now]
    first, last = min(times), max(times)
    length = max((last - first).total_seconds(), 1.0)

    def place(moment: datetime) -> int:
        return round((moment - first).total_seconds() / length * WIDTH)

    moments = [
        Moment(place(moment), name, to_second(moment), _away(moment, now))
        for name, moment in sorted(marks, key=lambda mark: mark[1])
    ]
    moments.append(Moment(place(now), "end of this run", to_second(now), "", now=True))
    start, end = sorted((place(bar[0]), place(bar[1])))
    used = min(max(place(now), start), end)
    ordered = tuple(sorted(moments, key=lambda moment: (moment.at, moment.now)))
    return Timeline(label, start, end, used, ordered, over=bar[1] < now)


def _away(moment: datetime, now: datetime) -> str:
    seconds = (moment - now).total_seconds()
    return f"in {span(seconds)}" if seconds >= 0 else f"{span(-seconds)} before"
