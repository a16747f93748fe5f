"""Times as reports write them, and this machine's clock against a service's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final


def rfc3339(moment: datetime) -> str:
    """`2026-11-25T00:03:27Z`; fractions of a second only where there are any.

    Raises `ValueError` for a time without a zone, which names no moment.
    """
    if moment.tzinfo is None:
        raise ValueError("a time in a report needs its zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_second(moment: datetime) -> str:
    """`rfc3339` without fractions."""
    return rfc3339(moment.replace(microsecond=0))


def span(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `5 h 3 min`, `12 d 4 h`: the two largest units."""
    if seconds < 0:
        return f"-{span(-seconds)}"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[tuple[int, str]] = []
    for name, size in units:
        number, whole = divmod(whole, size)
        if number or parts:
            parts.append((number, name))
    return " ".join(f"{number} {name}" for number, name in parts[:2] if number)


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
    """`offset`: this machine's time minus the service's; right to `uncertainty` either way."""

    offset: timedelta
    uncertainty: timedelta

    @property
    def certain(self) -> timedelta:
        """By how much the clock is off at the least; nothing where it may be right."""
        return max(abs(self.offset) - self.uncertainty, timedelta())

    @property
    def too_much(self) -> bool:
        """Certainly more than AWS accepts in a signed request."""
        return self.certain > SKEW_LIMIT


def clock_offset(date: str, sent: datetime, received: datetime) -> ClockOffset | None:
    """The offset that a response's Date header shows; None where it has no usable Date.

    `sent` and `received` are this machine's time, aware; the answer was made somewhere between.
    """
    said = http_date(date)
    if said is None:
        return None
    half = (received - sent) / 2
    offset = sent + half - (said + _RESOLUTION / 2)
    return ClockOffset(offset, abs(half) + _RESOLUTION / 2)
