"""Test IDs say feed and package, and both can be read from them again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed import config
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.plugin import parametrize
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.parametrize import SEPARATOR, feed_of, items_of, package_of

NODE = "checks/test_repositories.py::test_repository_exists"


@pytest.mark.parametrize(
    ("package", "shown"),
    [
        ("team/app", "production|team/app"),
        ("a|b", "production|a|b"),
        ("##octopus[x]", "production|%23%23octopus[x]"),
        ("100%", "production|100%25"),
        ("%23", "production|%2523"),
    ],
)
def test_the_id_of_a_package(package: str, shown: str) -> None:
    assert parametrize.test_id("production", package) == shown
    assert feed_of(f"{NODE}[{shown}]") == "production"
    assert package_of(f"{NODE}[{shown}]") == package


def test_the_id_of_a_feed() -> None:
    assert feed_of(f"{NODE}[production]") == "production"
    assert package_of(f"{NODE}[production]") is None


def test_a_name_that_is_too_long_is_cut_and_still_its_own() -> None:
    long = "a" * 1_000
    first, second = parametrize.test_id("p", long + "x"), parametrize.test_id("p", long + "y")
    assert first != second
    assert len(first) < 300
    assert parametrize.test_id("p", "a" * 256).endswith("a" * 256)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=250))
def test_any_package_can_be_read_again(package: str) -> None:
    node = f"{NODE}[{parametrize.test_id('production', package)}]"
    assert package_of(node) == package
    assert feed_of(node) == "production"
    assert "#" not in node
    assert SEPARATOR in node


FACTS = PlanFacts(
    "1" * 12, "arn", repositories={"eu-west-1": {"a/b": {}}, "us-east-1": {"c/d": {}}}
)
JUDGED_IN_PLANS = {"REGION-1", "REPO-2", "IDENT-2", "SCOPE-1", "SCOPE-2", "SCOPE-3"} | {
    f"PERM-{number}" for number in range(1, 8)
}
"""Rules that documents decide, always. Any other says when, or why not."""


def test_each_rule_says_whether_the_documents_of_a_plan_decide_it() -> None:
    of_ecr = [info for info in catalogue() if info.subject == "feed"]
    assert {info.id for info in of_ecr if info.in_plan is None} == JUDGED_IN_PLANS


def test_what_no_document_speaks_of_is_one_item_a_feed() -> None:
    suite = config.one_feed("eu-west-1", ["a/b", "c/d"], None, None)
    infos = {info.id: info for info in catalogue()}

    def items(check: str) -> int:
        return items_of([infos[check]], suite, FACTS)[suite.feeds[0].slug]

    assert (items("PULL-1"), items("TOKEN-4"), items("REPO-3")) == (1, 1, 1)
    assert (items("REPO-1"), items("PERM-2")) == (2, 2)
    empty = PlanFacts("1" * 12, "arn")
    assert items_of([infos["REPO-1"]], suite, empty)[suite.feeds[0].slug] == 1
    assert items_of([infos["PULL-1"]], suite)[suite.feeds[0].slug] == 2
