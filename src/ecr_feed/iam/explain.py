"""The reasons of a decision, worked out when asked for."""

from __future__ import annotations

from ecr_feed.iam.decision import Decision, NearMiss


def nearest(decision: Decision) -> tuple[NearMiss, ...]:
    """Allow statements of the blocking layers that came nearest, best first."""
    return ()


def absent(decision: Decision) -> tuple[str, ...]:
    """Condition keys that were looked for and are not there."""
    return ()


def because(decision: Decision) -> str:
    """One sentence for people."""
    return str(decision.outcome)
