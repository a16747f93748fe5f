from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecr_feed.login_line import schedule

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "overdue", "expired"),
    [(7, False, False), (8, True, False), (11.9, True, False), (12, True, True)],
)
def test_due_and_expiry_follow_the_last_replacement(
    hours: float, overdue: bool, expired: bool
) -> None:
    told = schedule(NOON, 8, NOON + timedelta(hours=hours))
    assert told["next_due"] == "2026-11-25T20:00:00+00:00"
    assert told["expires_at"] == "2026-11-26T00:00:00+00:00"
    assert (told["overdue"], told["expired"]) == (overdue, expired)


def test_without_a_schedule_nothing_is_due() -> None:
    assert "next_due" not in schedule(NOON, None, NOON)
