from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.config import slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Production ECR", "production-ecr"),
        ("  prod::eu|west[1] ", "prod-eu-west-1"),
        ("Zürich & Straße", "zurich-strasse"),
        ("ECR 🚀", "ecr"),
        ("a" * 60, "a" * 60),
    ],
)
def test_a_slug_reads_like_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", ["生产", "🚀", "a" * 61, "|", ""])
def test_what_a_slug_cannot_spell_is_told_apart_by_a_hash(name: str) -> None:
    assert re.search(r"-[0-9a-f]{8}\Z", slug_of(name))


def test_two_names_of_another_script_stay_apart() -> None:
    assert slug_of("生产 ECR") != slug_of("测试 ECR")
    assert slug_of("生产 ECR").startswith("ecr-")


@given(st.text())
def test_any_name_has_a_slug(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug_of(name))
    assert len(slug_of(name)) <= 60
