from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import combinations, islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam import Decision, Outcome, Policies, Request, decide
from tests.iam.helpers import (
    JSON,
    PULL,
    REPOSITORY,
    USER,
    Context,
    policy,
)

K1, K2 = "aws:K1", "aws:k2"
SHORT = REPOSITORY.replace("team/app", "ab")

# Completions tried by hand: every value over a small alphabet, absent, and sets of two.
SINGLES = [
    "",
    "a",
    "b",
    "ab",
    "ba",
    "aa",
    "A",
    "c",
    "1",
    "2",
    "1.5",
    "0",
    "3",
    "a*",
    "*",
    "?",
    "*b",
    "a?",
]
POOL: list[tuple[str, ...] | None] = [None, *((value,) for value in SINGLES)]
SETS: list[tuple[str, ...] | None] = [
    *POOL,
    *combinations(SINGLES, 2),
    ("a", "b", "c"),
    ("ab", "c", "1"),
]

WANTED = st.sampled_from(
    ["a", "b", "ab", "a*", "*", "?", "*b", "a?", "${aws:k2}", "${aws:K1, 'a'}", "c"]
)
STRINGS = st.sampled_from(
    [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "ForAllValues:StringLike",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringNotEquals",
        "ForAllValues:StringNotEquals",
    ]
)
NUMBERS = st.sampled_from(
    ["NumericEquals", "NumericLessThan", "NumericNotEquals", "NumericGreaterThanEquals"]
)
KEYS = st.sampled_from([K1, K2])
TESTS = st.one_of(
    st.tuples(STRINGS, KEYS, st.lists(WANTED, min_size=1, max_size=2)),
    st.tuples(NUMBERS, KEYS, st.sampled_from([["1"], ["2"], ["1", "2"]])),
    st.tuples(st.just("Null"), KEYS, st.sampled_from([["true"], ["false"]])),
)


@st.composite
def statements(draw: st.DrawFn) -> JSON:
    condition: dict[str, dict[str, object]] = {}
    for operator, key, wanted in draw(st.lists(TESTS, max_size=2)):
        condition.setdefault(operator, {})[key] = wanted
    resource = draw(
        st.sampled_from(["*", SHORT, SHORT.replace("ab", "${aws:k1}"), "arn:aws:s3:::b"])
    )
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    return {"Effect": effect, "Action": "ecr:*", "Resource": resource, "Condition": condition}


@given(
    st.lists(statements(), min_size=1, max_size=3),
    st.lists(statements(), max_size=1),
    st.sampled_from([frozenset({K1}), frozenset({K1, K2}), frozenset({K2})]),
    st.randoms(use_true_random=False),
)
def test_undetermined_just_when_completions_differ(
    own: list[JSON], limit: list[JSON], unknown: frozenset[str], chance: random.Random
) -> None:
    boundary = policy(*limit) if limit else None
    policies = Policies((policy(*own),), boundary)
    known: Context = {key: "a" for key in {K1, K2} - unknown if chance.random() < 0.5}
    decision = decide(Request(USER, PULL, SHORT, known, unknown), policies)
    sets = {key for key in unknown if _holds_sets(key, policies)}
    fillings = _fillings(sorted(unknown), sets, chance)
    judged = (decide(Request(USER, PULL, SHORT, {**known, **each}), policies) for each in fillings)
    if decision.outcome is Outcome.UNDETERMINED:
        assert decision.depends_on
        assert set(decision.depends_on) <= unknown
        # The pool holds a value for every way that this small alphabet's conditions come out.
        assert _differ(judged)
    else:
        assert {each.allowed for each in islice(judged, 400)} == {decision.allowed}
        assert decision.depends_on == ()


K3 = "aws:k3"
OF_K1 = SHORT.replace("ab", "${aws:k1}")


@pytest.mark.parametrize(
    ("resource", "condition"),
    [
        (OF_K1, {"StringEquals": {K1: ["a", "${aws:k2}"]}}),
        ("*", {"StringEquals": {K1: "${aws:k2}", K2: "x"}}),
        (OF_K1, {"StringEquals": {K1: "${aws:k2}", K2: "${aws:k3}"}}),
        ("*", {"StringEquals": {K1: "${aws:k2}", K2: "${aws:k3}", K3: "z"}}),
        ("*", {"StringLike": {K1: "a${aws:k2}"}, "StringEquals": {K2: "x"}}),
        (OF_K1, {"StringEquals": {K3: "${aws:k2}", K2: "${aws:k1}"}}),
    ],
)
def test_unknown_keys_that_are_compared_with_each_other_may_be_equal(
    resource: str, condition: JSON
) -> None:
    allow = {"Effect": "Allow", "Action": "ecr:*", "Resource": resource, "Condition": condition}
    unknown = frozenset({K1, K2, K3})
    decision = decide(Request(USER, PULL, SHORT, {}, unknown), Policies((policy(allow),)))
    assert decision.outcome is Outcome.UNDETERMINED
    assert set(decision.depends_on) <= unknown


def _differ(decisions: Iterable[Decision]) -> bool:
    rest = iter(decisions)
    first = next(rest)
    return any(each.allowed is not first.allowed for each in rest)


def _holds_sets(key: str, policies: Policies) -> bool:
    return any(
        each.quantifier and each.lower == key.lower()
        for document in policies.documents
        for statement in document.statements
        for each in statement.conditions
    )


def _fillings(
    keys: list[str], sets: set[str], chance: random.Random
) -> list[dict[str, tuple[str, ...]]]:
    """All ways to fill the keys in from the pool, in a random order."""
    choices = [SETS if key in sets else POOL for key in keys]
    found = [
        {key: value for key, value in zip(keys, combination, strict=True) if value is not None}
        for combination in product(*choices)
    ]
    chance.shuffle(found)
    return found
