from __future__ import annotations

import pytest

from ecr_feed.iam import Document, Outcome
from tests.iam.helpers import (
    JSON,
    PULL,
    REPOSITORY,
    SESSION,
    USER,
    allow,
    ask,
    deny,
    grant,
    policy,
    under,
)

K1, K2 = "aws:K1", "aws:k2"
OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}


def test_an_unknown_key_that_decides() -> None:
    decision = under(OFFICE, unknown=["aws:SourceIp"])
    assert decision.outcome is Outcome.UNDETERMINED
    assert decision.depends_on == ("aws:SourceIp",)
    assert not decision.allowed
    assert "depends on aws:SourceIp" in decision.because


def test_the_request_spelling_is_kept() -> None:
    assert under(OFFICE, unknown=["AWS:sourceip"]).depends_on == ("AWS:sourceip",)


def test_an_unknown_key_that_nothing_looks_at() -> None:
    assert ask(policy(allow()), unknown=["aws:SourceIp"]).allowed
    assert ask(unknown=["aws:SourceIp"]).outcome is Outcome.IMPLICIT_DENY


def test_another_statement_allows_anyway() -> None:
    assert ask(policy(allow(Condition=OFFICE), allow(PULL)), unknown=["aws:SourceIp"]).allowed


def test_an_unknown_allow_under_a_certain_deny() -> None:
    decision = ask(policy(allow(Condition=OFFICE), deny(PULL)), unknown=["aws:SourceIp"])
    assert decision.outcome is Outcome.EXPLICIT_DENY


def test_a_deny_that_may_fire_where_nothing_allows() -> None:
    decision = ask(policy(deny(Condition=OFFICE)), unknown=["aws:SourceIp"])
    assert decision.outcome is Outcome.IMPLICIT_DENY
    assert decision.depends_on == ()


def test_a_deny_that_may_fire_over_an_allow() -> None:
    decision = ask(policy(allow(), deny(Condition=OFFICE)), unknown=["aws:SourceIp"])
    assert decision.outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize(
    "conditions",
    [
        ({"StringEquals": {K1: "a"}}, {"StringNotEquals": {K1: "a"}}),
        ({"StringLike": {K1: "a*"}}, {"StringNotLike": {K1: "a*"}}),
        ({"Null": {K1: "true"}}, {"Null": {K1: "false"}}),
        (
            {"NumericLessThan": {K1: "5"}},
            {"NumericGreaterThanEquals": {K1: "5"}},
            {"Null": {K1: "true"}},
            {"StringLike": {K1: "*"}},
        ),
        ({"IpAddress": {K1: ["0.0.0.0/1", "128.0.0.0/1"]}}, {"NotIpAddress": {K1: "0.0.0.0/0"}}),
        ({"StringEqualsIfExists": {K1: "a"}}, {"StringNotEquals": {K1: "a"}}),
        ({"ArnLike": {K1: "*"}}, {"ArnNotLike": {K1: "*"}}),
    ],
)
def test_statements_that_together_leave_no_gap(conditions: tuple[JSON, ...]) -> None:
    document = policy(*(allow(Condition=condition) for condition in conditions))
    assert ask(document, unknown=[K1]).outcome is Outcome.ALLOWED


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {K1: "a"}, "StringLike": {K1: "b*"}},
        {"StringLike": {K1: "a*"}, "StringNotLike": {K1: "*"}},
        {"NumericLessThan": {K1: "5"}, "NumericGreaterThan": {K1: "5"}},
        {"IpAddress": {K1: "10.0.0.0/8"}, "NotIpAddress": {K1: "10.0.0.0/7"}},
        {"Null": {K1: "true"}, "StringLike": {K1: "*"}},
        {"DateLessThan": {K1: "2026-01-01"}, "DateGreaterThan": {K1: "2026-01-02"}},
        {"StringLike": {K1: "a*b*"}, "StringNotLike": {K1: ["a*b", "a*b?*"]}},
        {"ForAnyValue:StringEquals": {K1: "a"}, "ForAllValues:StringEquals": {K1: "b"}},
        {"StringEquals": {K1: "a", "aws:never": "there"}},
    ],
)
def test_conditions_that_nothing_can_meet(condition: JSON) -> None:
    assert under(condition, unknown=[K1]).outcome is Outcome.IMPLICIT_DENY


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {K1: "a*"}, "StringNotEquals": {K1: ["a", "aq"]}},
        {"StringLike": {K1: "*"}, "StringNotLike": {K1: ["a*", "*b", "q*"]}},
        {"StringLike": {K1: "a?c"}, "StringNotEqualsIgnoreCase": {K1: "ABC"}},
        {"StringEqualsIgnoreCase": {K1: "ab"}, "StringNotEquals": {K1: "ab"}},
        {"NumericGreaterThan": {K1: "5"}, "NumericLessThan": {K1: "5.5"}},
        {"IpAddress": {K1: "10.0.0.0/7"}, "NotIpAddress": {K1: "10.0.0.0/8"}},
        {"IpAddress": {K1: "2001:db8::/32"}},
        {"ForAnyValue:StringEquals": {K1: "a"}, "ForAllValues:StringNotEquals": {K1: "b"}},
        {"ForAnyValue:StringLike": {K1: "a*"}, "ForAnyValue:StringEquals": {K1: "b"}},
        {"BinaryEquals": {K1: "QQ=="}},
        {"Bool": {K1: "true"}},
        {
            "ArnLike": {K1: "arn:aws:iam::*:role/a*"},
            "ArnNotEquals": {K1: "arn:aws:iam::*:role/ab*"},
        },
        {"DateGreaterThan": {K1: "2026-01-01"}, "DateLessThan": {K1: "2026-01-01T00:00:01Z"}},
        {"StringEquals": {"aws:here": "${aws:K1}"}},
        {"StringLike": {"aws:here": "v${aws:k1}*"}},
        {"StringEquals": {K1: "${aws:here}"}},
    ],
)
def test_conditions_that_some_value_meets(condition: JSON) -> None:
    decision = under(condition, {"aws:here": "value"}, [K1])
    assert decision.outcome is Outcome.UNDETERMINED
    assert decision.depends_on == (K1,)


def test_two_unknown_keys_compared_with_each_other() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    keys = ["aws:ResourceTag/team", "aws:PrincipalTag/team"]
    assert under(condition, unknown=keys).depends_on == tuple(sorted(keys))


def test_only_the_key_that_turns_the_answer_is_named() -> None:
    document = policy(
        allow(Condition={"StringEquals": {K1: "a"}}),
        deny("s3:*", Condition={"StringEquals": {K2: "b"}}),
        deny(Condition={"StringEquals": {"aws:x": "y", K2: "b"}}),
    )
    assert ask(document, unknown=[K1, K2]).depends_on == (K1,)


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("${aws:K1}", Outcome.UNDETERMINED),
        ("${aws:K1}/*", Outcome.UNDETERMINED),
        ("team/${aws:K1}", Outcome.UNDETERMINED),
        ("${aws:K1}/${aws:K1}", Outcome.IMPLICIT_DENY),
        ("other/${aws:K1}", Outcome.IMPLICIT_DENY),
        ("${aws:K1, 'team'}/app", Outcome.UNDETERMINED),
    ],
)
def test_an_unknown_variable_in_a_resource(pattern: str, outcome: Outcome) -> None:
    document = policy(allow("ecr:*", REPOSITORY.replace("team/app", pattern)))
    assert ask(document, unknown=[K1]).outcome is outcome


def test_an_unknown_variable_and_a_condition_on_it() -> None:
    pattern = REPOSITORY.replace("team/", "${aws:K1}/")
    reachable = policy(allow("ecr:*", pattern, Condition={"StringLike": {K1: "t*"}}))
    assert ask(reachable, unknown=[K1]).outcome is Outcome.UNDETERMINED
    unreachable = policy(allow("ecr:*", pattern, Condition={"StringNotEquals": {K1: "team"}}))
    assert ask(unreachable, unknown=[K1]).outcome is Outcome.IMPLICIT_DENY


@pytest.mark.parametrize("layer", ["boundary", "session"])
def test_an_unknown_condition_in_a_limit(layer: str) -> None:
    limit = policy(allow(Condition=OFFICE))
    boundary, session = (limit, None) if layer == "boundary" else (None, limit)
    decision = ask(
        policy(allow()),
        principal=SESSION,
        boundary=boundary,
        session=session,
        unknown=["aws:SourceIp"],
    )
    assert decision.depends_on == ("aws:SourceIp",)
    assert decision.layer == layer


def test_a_direct_grant_makes_an_unknown_limit_irrelevant() -> None:
    limit = policy(allow(Condition=OFFICE))
    assert ask(repository=grant({"AWS": USER}), boundary=limit, unknown=["aws:SourceIp"]).allowed


def test_more_combinations_than_can_be_tried() -> None:
    keys = [f"aws:key{index}" for index in range(12)]
    wanted = {key: [f"{letter}{key}" for letter in "abcd"] for key in keys}
    decision = under({"StringEquals": wanted}, unknown=keys)
    assert decision.outcome is Outcome.UNDETERMINED
    assert set(decision.depends_on) == set(keys)


def test_very_many_patterns_on_an_unknown_key() -> None:
    many = [
        allow(PULL, Condition={"StringLike": {K1: f"team-{index}-*", K2: f"*-{index}"}})
        for index in range(300)
    ]
    decision = ask(policy(*many), unknown=[K1, K2])
    assert decision.depends_on == (K1, K2)


def test_documents_are_not_changed_by_being_asked() -> None:
    document: Document = policy(allow(Condition=OFFICE))
    first = ask(document, unknown=["aws:SourceIp"])
    assert ask(document, context={"aws:SourceIp": "203.0.113.1"}).allowed
    assert ask(document, unknown=["aws:SourceIp"]) == first
