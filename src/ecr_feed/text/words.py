"""Counts and lists in words: `1 tag`, `2 tags`, `a, b and 3 more`. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

SHOWN: Final = 10  # names in a message; the evidence has them all


def few(names: Collection[str], shown: int = SHOWN) -> str:
    """The first `shown` names, and how many more there are; `none` without any."""
    first = list(names)[:shown]
    more = len(names) - len(first)
    return (", ".join(first) or "none") + (f" and {more:,} more" if more else "")


def many(number: int, noun: str) -> str:
    """`1 tag`, `2 tags`, `1 more feed`, `1 policy`, `2 policies`: the last word in the plural."""
    if number == 1:
        return f"{number} {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {plural}"
