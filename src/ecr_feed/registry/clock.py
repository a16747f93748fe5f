"""This machine's clock against a service's, from the Date of an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# A request has to arrive within five minutes of its time stamp
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html).
SKEW_LIMIT: Final = timedelta(minutes=5)
_RESOLUTION: Final = timedelta(seconds=1)  # of a Date header, which is cut, not rounded


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
    """The offset that an answer's Date shows; None where it has none that can be read.

    `sent` and `received` are this machine's time, aware; the answer was made somewhere between.
    """
    try:
        said = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    if said.tzinfo is None:  # an RFC 5322 date with -0000, which HTTP does not know
        said = said.replace(tzinfo=UTC)
    half = (received - sent) / 2
    offset = sent + half - (said + _RESOLUTION / 2)
    return ClockOffset(offset, abs(half) + _RESOLUTION / 2)
