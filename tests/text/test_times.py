"""Times and durations as reports write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.text.times import duration, elapsed, rfc3339, to_second

PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(microseconds=-1), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(hours=3, minutes=19, seconds=7), "3 h 19 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, seconds=5), "2 h"),
        (timedelta(days=1, hours=1), "1 day 1 h"),
        (timedelta(days=400), "400 days"),
        (timedelta(minutes=-5), "minus 5 min"),
    ],
)
def test_durations_in_words(span: timedelta, words: str) -> None:
    assert duration(span) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (12.04, "12 s"), (200, "3 min 20 s")],
)
def test_what_a_piece_of_work_took(seconds: float, words: str) -> None:
    assert elapsed(seconds) == words


@pytest.mark.parametrize(
    ("moment", "exact", "second"),
    [
        (datetime(2026, 11, 25, 0, 3, tzinfo=UTC), "2026-11-25T00:03:00Z", "2026-11-25T00:03:00Z"),
        (
            datetime(2026, 11, 25, 0, 3, 27, 500_000, tzinfo=PARIS),
            "2026-11-24T23:03:27.500000Z",
            "2026-11-24T23:03:27Z",
        ),
    ],
)
def test_a_moment(moment: datetime, exact: str, second: str) -> None:
    assert (rfc3339(moment), to_second(moment)) == (exact, second)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_read_back(moment: datetime) -> None:
    assert datetime.fromisoformat(rfc3339(moment)) == moment


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        rfc3339(datetime(2026, 11, 25))  # noqa: DTZ001 - the mistake itself
