from __future__ import annotations

import pytest

from ecr_feed.iam import Outcome, PolicyError, parse
from tests.iam.helpers import REPOSITORY, Context, allow, ask, deny, policy, under

HERE = REPOSITORY.rpartition("team/app")[0]
TEAM = "aws:PrincipalTag/team"


def resource(pattern: str, context: Context) -> bool:
    return ask(policy(allow("ecr:*", HERE + pattern)), context=context).allowed


@pytest.mark.parametrize(
    ("pattern", "context", "expected"),
    [
        ("${aws:PrincipalTag/team}/app", {TEAM: "team"}, True),
        ("${AWS:principaltag/TEAM}/app", {TEAM: "team"}, True),
        ("${ aws:PrincipalTag/team }/*", {TEAM: "team"}, True),
        ("${aws:PrincipalTag/team}/app", {TEAM: "other"}, False),
        ("${aws:PrincipalTag/team}/app", {}, False),
        ("${aws:PrincipalTag/team}*", {}, False),
        ("${aws:PrincipalTag/team, 'team'}/app", {}, True),
        ("${aws:PrincipalTag/team,'team'}/app", {}, True),
        ("${aws:PrincipalTag/team, 'x'}/app", {TEAM: "team"}, True),
        ("${aws:PrincipalTag/team, 'team'}/app", {TEAM: "x"}, False),
        # A variable's value is text: its wildcards are none.
        ("${aws:PrincipalTag/team}", {TEAM: "*"}, False),
        ("${aws:PrincipalTag/team, '*'}", {}, False),
        # Only a single value can be put in.
        ("${aws:PrincipalTag/team}/app", {TEAM: ("team",)}, True),
        ("${aws:PrincipalTag/team}/app", {TEAM: ("team", "x")}, False),
        ("${aws:PrincipalTag/team}/app", {TEAM: ()}, False),
        ("team/${*}", {}, False),
        ("te${?}m/app", {}, False),
        ("${*}", {}, False),
    ],
)
def test_resource(pattern: str, context: Context, expected: bool) -> None:
    assert resource(pattern, context) is expected


def test_literals_stand_for_themselves() -> None:
    literal = policy(allow("ecr:*", HERE + "a${*}b${?}c${$}{x}"))
    assert ask(literal, resource=HERE + "a*b?c${x}").allowed
    assert not ask(literal, resource=HERE + "axbyc${x}").allowed


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_the_old_version_takes_variables_as_text(version: str | None) -> None:
    source: dict[str, object] = {
        "Statement": [
            allow("ecr:*", HERE + "${aws:PrincipalTag/team}/app"),
            allow("ecr:*", "*", Condition={"StringLike": {"aws:x": "${aws:PrincipalTag/team}*"}}),
        ]
    }
    if version is not None:
        source["Version"] = version
    old = parse(source)
    assert not ask(old, context={TEAM: "team", "aws:x": "team"}).allowed
    assert ask(old, resource=HERE + "${aws:PrincipalTag/team}/app").allowed
    assert ask(old, context={"aws:x": "${aws:PrincipalTag/team}/1"}).allowed


def test_a_variable_before_the_fifth_colon_is_text() -> None:
    misplaced = policy(
        allow("ecr:*", "arn:aws:ecr:${aws:RequestedRegion}:123456789012:repository/*")
    )
    assert not ask(misplaced, context={"aws:RequestedRegion": "eu-west-1"}).allowed


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("ArnLike", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("ArnNotEquals", True),
        ("StringEqualsIfExists", False),
        ("ForAllValues:StringEquals", False),
        ("ForAnyValue:StringNotEquals", True),
    ],
)
def test_a_variable_without_value_in_a_condition(operator: str, holds: bool) -> None:
    assert under({operator: {"aws:x": "${aws:y}"}}, {"aws:x": "a"}).allowed is holds


def test_a_deny_whose_variable_has_no_value() -> None:
    positive = deny(Condition={"StringEquals": {"aws:x": "${aws:y}"}})
    negated = deny(Condition={"StringNotEquals": {"aws:x": "${aws:y}"}})
    assert ask(policy(allow(), positive), context={"aws:x": "a"}).allowed
    fired = ask(policy(allow(), negated), context={"aws:x": "a"})
    assert fired.outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "holds"),
    [
        ("StringEquals", "${aws:y}", {"aws:x": "a", "aws:y": "a"}, True),
        ("StringEquals", "${aws:y}", {"aws:x": "a", "aws:y": "b"}, False),
        ("StringLike", "${aws:y}/*", {"aws:x": "a/b", "aws:y": "a"}, True),
        ("StringLike", "${aws:y}", {"aws:x": "abc", "aws:y": "a*"}, False),
        ("StringEqualsIgnoreCase", "${aws:y}", {"aws:x": "A", "aws:y": "a"}, True),
        ("StringEquals", "${aws:y, 'd'}", {"aws:x": "d"}, True),
        ("StringEquals", "${$}{aws:y}", {"aws:x": "${aws:y}"}, True),
        (
            "ArnLike",
            "arn:aws:iam::${aws:y}:role/*",
            {"aws:x": "arn:aws:iam::1:role/r", "aws:y": "1"},
            True,
        ),
        (
            "ArnEquals",
            "${aws:y}",
            {"aws:x": "arn:aws:iam::1:role/r", "aws:y": "arn:aws:iam::1:role/r"},
            True,
        ),
        ("Bool", "${aws:y}", {"aws:x": "true", "aws:y": "true"}, True),
        ("Bool", "${aws:y}", {"aws:x": "true", "aws:y": "maybe"}, False),
    ],
)
def test_condition_values(operator: str, wanted: str, context: Context, holds: bool) -> None:
    assert under({operator: {"aws:x": wanted}}, context).allowed is holds


@pytest.mark.parametrize(
    "operator", ["NumericEquals", "DateLessThan", "IpAddress", "BinaryEquals", "Null"]
)
def test_other_operators_take_no_variables(operator: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        policy(allow(Condition={operator: {"aws:x": "${aws:y}"}}))


def test_not_resource_with_a_variable_that_has_no_value_lists_nothing() -> None:
    guarded = policy(
        allow(),
        {"Effect": "Deny", "Action": "ecr:*", "NotResource": HERE + "${aws:PrincipalTag/team}/*"},
    )
    assert ask(guarded).outcome is Outcome.EXPLICIT_DENY
    assert ask(guarded, context={TEAM: "team"}).allowed


@pytest.mark.parametrize("text", ["${}", "$ {aws:y}", "${a,b}", "${aws:y, x}"])
def test_what_is_no_variable_is_text(text: str) -> None:
    assert under({"StringEquals": {"aws:x": text}}, {"aws:x": text, "aws:y": "v"}).allowed
