"""Times and durations as reports write them, and a clock's offset from a service's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final


def rfc3339(moment: datetime) -> str:
    """`2026-11-25T00:03:27Z`; fractions of a second only where there are any.

    Raises `ValueError` for a time without a zone, which is ambiguous.
    """
    if moment.tzinfo is None:
        raise ValueError("a time in a report needs its zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_second(moment: datetime) -> str:
    """`rfc3339` without fractions."""
    return rfc3339(moment.replace(microsecond=0))


def duration(span: timedelta) -> str:
    """The two largest units, such as `12 days 4 h`, `3 h 19 min`, `0 s`, `minus 5 min`.

    Whole seconds, rounded towards zero, so that what misses a limit never reads as if it met it.
    """
    seconds = int(abs(span).total_seconds())
    units = [
        ("days", seconds // 86_400),
        ("h", seconds // 3_600 % 24),
        ("min", seconds // 60 % 60),
        ("s", seconds % 60),
    ]
    first = next((at for at, (_, count) in enumerate(units) if count), len(units) - 1)
    words = [
        f"{count} {'day' if (unit, count) == ('days', 1) else unit}"
        for unit, count in units[first : first + 2]
        if count or unit == units[first][0]
    ]
    return ("minus " if span < timedelta() and seconds else "") + " ".join(words)


def elapsed(seconds: float) -> str:
    """How long a piece of work took: `0.4 s`, from ten seconds on as `duration` says it."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(timedelta(seconds=seconds))


# A request has to arrive within five minutes of its time stamp
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html).
SKEW_LIMIT: Final = timedelta(minutes=5)
_RESOLUTION: Final = timedelta(seconds=1)  # of a Date header, which is cut, not rounded
# AWS did not exist before: an earlier Date is a placeholder, such as the epoch, and not a time.
_EARLIEST: Final = datetime(2006, 1, 1, tzinfo=UTC)


def http_date(text: str) -> datetime | None:
    """The moment of a Date header, in UTC; None where it is not a usable date."""
    try:
        date = parsedate_to_datetime(text)
        # A date with -0000 has no zone in RFC 5322, which HTTP does not know: UTC.
        moment = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if moment < _EARLIEST else moment


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """`offset`: this machine's time minus the service's, plus or minus `uncertainty`."""

    offset: timedelta
    uncertainty: timedelta

    @property
    def certain(self) -> timedelta:
        """The smallest possible offset, without sign; zero where the clock may be right."""
        return max(abs(self.offset) - self.uncertainty, timedelta())

    @property
    def too_much(self) -> bool:
        """Whether the offset certainly exceeds what AWS accepts in a signed request."""
        return self.certain > SKEW_LIMIT


def clock_offset(date: str, sent: datetime, received: datetime) -> ClockOffset | None:
    """The offset that a response's Date header shows; None where it has no usable Date.

    `sent` and `received` are this machine's time, aware; the response was made between the two.
    """
    said = http_date(date)
    if said is None:
        return None
    half = (received - sent) / 2
    offset = sent + half - (said + _RESOLUTION / 2)
    return ClockOffset(offset, abs(half) + _RESOLUTION / 2)
