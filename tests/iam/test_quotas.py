"""IAM's quotas, sizes as IAM counts them, and policies split so that each document fits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam import (
    DEFAULT_QUOTAS,
    Need,
    PolicyQuotas,
    policy_size,
    smallest_policy,
    used_size,
)
from tests.iam.helpers import A

HERE = f"arn:aws:ecr:eu-west-1:{A}:repository/"
ACTIONS = ("ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages", "ecr:BatchGetImage")


def test_the_defaults_are_those_of_the_iam_guide() -> None:
    assert DEFAULT_QUOTAS.managed == 6144
    assert DEFAULT_QUOTAS.inline == {"user": 2048, "role": 10240, "group": 5120}
    assert DEFAULT_QUOTAS.attached == {"user": 10, "role": 10, "group": 10}


def test_an_accounts_summary_replaces_what_it_names() -> None:
    quotas = PolicyQuotas.of(
        {"AttachedPoliciesPerUserQuota": 20, "PolicySizeQuota": 5120, "RolePolicySizeQuota": 1}
    )
    assert (quotas.managed, quotas.attached["user"], quotas.inline["role"]) == (5120, 20, 1)
    assert (quotas.attached["role"], quotas.inline["user"]) == (10, 2048)


TEXTS = st.text(st.sampled_from(' \t\n"\\aé{}[]:,'), max_size=12)
VALUES = st.dictionaries(TEXTS, st.one_of(TEXTS, st.lists(TEXTS, max_size=3)), max_size=4)


@given(VALUES, st.sampled_from([None, 1, 4]))
def test_only_white_space_between_the_elements_is_not_counted(
    document: dict[str, Any], indent: int | None
) -> None:
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    assert used_size(text) == used_size(document) == len(compact)
    assert policy_size(text) <= used_size(text)


@pytest.mark.parametrize("text", ['"a b"', ' "a b" ', '"a\\" b"'])
def test_white_space_within_a_string_counts(text: str) -> None:
    assert used_size(text) == len(text.strip())


NAMES = st.lists(
    st.text("abc", min_size=1, max_size=40).map(lambda tail: f"team/{tail}"),
    min_size=1,
    max_size=60,
    unique=True,
)


@given(NAMES, st.sets(st.sampled_from(ACTIONS), min_size=1), st.integers(240, 3000), st.randoms())
def test_every_need_is_in_exactly_one_document_and_each_fits(
    names: list[str], actions: set[str], limit: int, random: Any
) -> None:
    needs = [Need(action, HERE + name) for name in names for action in actions]
    needs.append(Need("ecr:GetAuthorizationToken"))
    documents = smallest_policy(needs, limit=limit)
    assert all(used_size(each) <= limit for each in documents)
    assert sorted(pair for each in documents for pair in set(granted(each))) == sorted(
        (need.action, need.resource) for need in needs
    )
    random.shuffle(needs)
    assert smallest_policy(needs, limit=limit) == documents


def granted(document: Any) -> list[tuple[str, str]]:
    def each(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else value

    return [
        (action, resource)
        for statement in document["Statement"]
        for action in each(statement["Action"])
        for resource in each(statement["Resource"])
    ]
