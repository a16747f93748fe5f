"""Sizes of policies for the way in which they would be attached."""

from __future__ import annotations

import json

import pytest

from ecr_feed.config import ConfigError
from ecr_feed.planned.attachment import WAYS, check_sizes, described


def text(characters: int, indent: int | None = None) -> str:
    """JSON of so many characters without white space."""
    return json.dumps({"a": "x" * (characters - len('{"a":""}'))}, indent=indent)


@pytest.mark.parametrize(
    ("way", "sizes"),
    [
        ("managed", [6144, 6144, 6144]),
        ("user", [2048]),
        ("user", [1024, 1024]),
        ("role", [10240]),
        ("group", [2000, 3120]),
    ],
)
def test_what_iam_takes(way: str, sizes: list[int]) -> None:
    policies = {f"{number}.json": text(size, indent=4) for number, size in enumerate(sizes)}
    check_sizes(policies, None, way)
    check_sizes(policies, ("boundary.json", text(6144)), way)


@pytest.mark.parametrize(
    ("way", "sizes", "said", "fix"),
    [
        (
            "managed",
            [100, 6145],
            (
                "1.json: 6,145 characters without white space; IAM takes 6,144 in a managed policy "
                "(--attach managed, the default)."
            ),
            "or use --attach role (10,240 in all).",
        ),
        (
            "managed",
            [10241],
            "0.json: 10,241 characters",
            "Split it into smaller managed policies.",
        ),
        (
            "user",
            [1024, 1025],
            (
                "0.json (1,024), 1.json (1,025): 2,049 characters without white space; IAM takes "
                "2,048 in all inline policies of a user together (--attach user)."
            ),
            (
                "or use --attach managed (6,144 each) or --attach role (10,240 in all) or "
                "--attach group (5,120 in all)."
            ),
        ),
        ("group", [5121], "IAM takes 5,120", "--attach managed (6,144 each) or --attach role"),
        ("role", [10241], "IAM takes 10,240", "Split it into smaller managed policies."),
        ("role", [5121, 5120], "10,241 characters", "or use --attach managed (6,144 each)."),
    ],
)
def test_what_iam_refuses_is_a_mistake_with_another_way(
    way: str, sizes: list[int], said: str, fix: str
) -> None:
    policies = {f"{number}.json": text(size) for number, size in enumerate(sizes)}
    with pytest.raises(ConfigError) as caught:
        check_sizes(policies, None, way)
    assert said in str(caught.value)
    assert str(caught.value).endswith(fix) or fix in str(caught.value)


def test_a_boundary_is_a_managed_policy() -> None:
    with pytest.raises(ConfigError, match=r"b\.json: 6,145 .*a permissions boundary is one"):
        check_sizes({}, ("b.json", text(6145)), "role")


def test_each_way_in_words() -> None:
    assert [described(way) for way in WAYS] == [
        *(f"inline policies of a {kind}" for kind in ("user", "role", "group")),
        "managed policies",
    ]
