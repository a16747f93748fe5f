"""Counts and lists in words."""

from __future__ import annotations

import pytest

from ecr_feed.text.words import SHOWN, few, many


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "call", "0 calls"),
        (1, "call", "1 call"),
        (2, "more feed", "2 more feeds"),
        (1, "more feed", "1 more feed"),
        (1_200, "row", "1,200 rows"),
        (2, "policy", "2 policies"),
    ],
)
def test_many(number: int, noun: str, said: str) -> None:
    assert many(number, noun) == said


def test_few() -> None:
    assert few([]) == "none"
    assert few(["a", "b"]) == "a, b"
    assert few(["a", "b", "c"], 2) == "a, b and 1 more"
    assert few([str(number) for number in range(SHOWN + 2)]).endswith("9 and 2 more")
