"""Test IDs say feed and package, and both can be read from them again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.plugin import parametrize
from ecr_feed.plugin.parametrize import SEPARATOR, feed_of, package_of

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
