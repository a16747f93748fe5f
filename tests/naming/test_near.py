from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.naming import looks_like_region, near, near_regions, partition_of
from ecr_feed.naming.near import one_edit_apart

KNOWN = [
    *("eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    *("ap-southeast-1", "ap-southeast-2", "me-south-1", "cn-north-1", "us-gov-west-1"),
]
words = st.text(alphabet="abc/-", max_size=8)


def distance(left: str, right: str) -> int:
    """Optimal string alignment, the slow and plain way: the oracle of `one_edit_apart`."""
    rows = [
        [max(i, j) if not i or not j else 0 for j in range(len(right) + 1)]
        for i in range(len(left) + 1)
    ]  # fmt: skip - one expression
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            rows[i][j] = min(
                rows[i - 1][j] + 1,
                rows[i][j - 1] + 1,
                rows[i - 1][j - 1] + (left[i - 1] != right[j - 1]),
            )
            if i > 1 and j > 1 and left[i - 2 : i] == right[j - 2 : j][::-1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(words, words)
def test_one_edit_is_a_distance_of_one(left: str, right: str) -> None:
    assert one_edit_apart(left, right) == (distance(left, right) == 1)


@given(words, st.data())
def test_any_single_edit_is_seen(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word)))
    for edited in (word[:at] + "x" + word[at:], word[:at] + "x" + word[at + 1 :]):
        assert one_edit_apart(word, edited)
        assert edited in near(word, [edited, "zzzzzzzz"])


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("team/app", ["Team/App", "team/app", "other"], ["Team/App"]),
        ("team/app", ["team/app2"], ["team/app2"]),
        ("team/app", ["team/ap", "team/pap", "taem/app", "team/apx"], 4),
        ("team/app", ["team-app", "team.app", "teamapp", "team__app"], 4),
        ("team/app", ["prod/team/app", "app", "team/app/web", "team"], 4),
        ("team/app", ["prod/app", "app/team", "x"], ["prod/app"]),
        ("team/missing", ["team/missing-app"], ["team/missing-app"]),
        ("team/app-web", ["team/app"], ["team/app"]),
        ("team/app", ["quite/different"], []),
        ("team/app", [], []),
        ("", ["team/app"], []),
    ],
)
def test_near_names(name: str, candidates: list[str], expected: list[str] | int) -> None:
    found = near(name, candidates)

    if isinstance(expected, int):
        assert len(found) == expected
    else:
        assert list(found) == expected


def test_the_closest_come_first_and_five_at_most() -> None:
    candidates = [
        *("prod/team/app", "team-app", "team/apq", "TEAM/APP", "other/app", "team/app-old"),
        *(f"x{number}/app" for number in range(10_000)),
    ]

    found = near("team/app", candidates)

    assert found[:4] == ("TEAM/APP", "team-app", "team/apq", "prod/team/app")
    assert len(found) == 5


@given(words, st.lists(words, max_size=8))
def test_near_never_names_the_name_itself_nor_one_that_is_not_there(
    name: str, candidates: list[str]
) -> None:
    found = near(name, candidates)

    assert name not in found
    assert set(found) <= set(candidates)
    assert len(found) == len(set(found)) <= 5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EU-WEST-1", "eu-west-1"),
        (" eu-west-1", "eu-west-1"),
        ("useast-1", "us-east-1"),
        ("us_east_1", "us-east-1"),
        ("us-east1", "us-east-1"),
        ("us-east-1a", "us-east-1"),
        ("eu-wset-1", "eu-west-1"),
        ("eu-west-11", "eu-west-1"),
        ("west-eu-1", "eu-west-1"),
        ("ap-south-east-2", "ap-southeast-2"),
        ("cn-north", "cn-north-1"),
        ("us-east", "us-east-1"),
        ("asia-southeast2", "ap-southeast-2"),
        ("gov-us-west-1", "us-gov-west-1"),
    ],
)
def test_the_region_that_was_meant(written: str, meant: str) -> None:
    assert near_regions(written, KNOWN)[0] == meant


@given(st.text(max_size=12))
def test_near_regions_are_known_and_not_the_same(written: str) -> None:
    found = near_regions(written, KNOWN)

    assert set(found) <= set(KNOWN) - {written}
    assert len(found) <= 3


def test_partitions_by_prefix() -> None:
    assert [partition_of(region) for region in ("eu-west-1", "cn-north-1", "us-gov-east-1")] == [
        *("aws", "aws-cn", "aws-us-gov"),
    ]
    assert [
        partition_of(region)
        for region in ("us-iso-west-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1")
    ] == ["aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"]
    assert partition_of("eusc-de-east-1") == "aws-eusc"
    assert partition_of("east-au") == "aws"


def test_the_form_of_a_region() -> None:
    assert all(looks_like_region(region) for region in [*KNOWN, "eusc-de-east-1"])
    for text in ("us-east-1a", "useast-1", "EU-WEST-1", "aws-global", "", "eu-west-0", "a-b-1\n"):
        assert not looks_like_region(text)
