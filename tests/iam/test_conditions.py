from __future__ import annotations

import pytest

from ecr_feed.iam import Outcome
from tests.iam.helpers import Context, allow, ask, deny, policy, under

KEY = "aws:x"

ROWS: list[tuple[str, object, str | tuple[str, ...], bool]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", ["b", "a"], "a", True),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", 12345, "12345", True),
    ("StringEquals", True, "true", True),
    ("StringEquals", "", "", True),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringEqualsIgnoreCase", "Team", "tEAM", True),
    ("StringEqualsIgnoreCase", "Team", "teams", False),
    ("StringNotEqualsIgnoreCase", "Team", "TEAM", False),
    ("StringNotEqualsIgnoreCase", "Team", "x", True),
    ("StringLike", "team/*", "team/a:b/c", True),
    ("StringLike", "te?m", "team", True),
    ("StringLike", "te?m", "tem", False),
    ("StringLike", "team/*", "Team/a", False),
    ("StringLike", "a.c", "abc", False),
    ("StringNotLike", "team/*", "team/a", False),
    ("StringNotLike", ["x*", "y*"], "z", True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", 10, "10", True),
    ("NumericEquals", "10", "9", False),
    ("NumericNotEquals", "10", "9", True),
    ("NumericNotEquals", ["10", "9"], "9", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "9", "10", True),
    ("NumericGreaterThan", "-1.5", "-1.4", True),
    ("NumericGreaterThanEquals", "10", "9.999", False),
    ("NumericEquals", "10", "ten", False),
    ("NumericNotEquals", "10", "ten", True),
    ("DateEquals", "2026-11-25T02:00:00Z", "2026-11-25T03:00:00+01:00", True),
    ("DateEquals", "2026-11-25", "2026-11-25T00:00:00Z", True),
    ("DateEquals", "2026-11", "2026-11-01T00:00Z", True),
    ("DateEquals", "1764032400", "2025-11-25T01:00:00Z", True),
    ("DateEquals", 1764032400, "1764032400", True),
    ("DateNotEquals", "2026-11-25", "2026-11-26", True),
    ("DateLessThan", "2026-11-25T00:00:00Z", "2026-11-24T23:59:59.999Z", True),
    ("DateLessThan", "2026-11-25T00:00:00+02:00", "2026-11-24T22:30:00Z", False),
    ("DateLessThanEquals", "2026-11-25", "2026-11-25T00:00:00Z", True),
    ("DateGreaterThan", "2026-11-25T00:00:00Z", "2026-11-25T00:00:01Z", True),
    ("DateGreaterThanEquals", "2026-11-25T00:00:00Z", "2026-11-24", False),
    ("DateEquals", "2026-11-25", "soon", False),
    ("Bool", "true", "true", True),
    ("Bool", True, "True", True),
    ("Bool", "false", "true", False),
    ("Bool", ["true", "false"], "false", True),
    ("Bool", "true", "yes", False),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.9", False),
    ("IpAddress", "203.0.113.9", "203.0.113.9", True),
    ("IpAddress", "203.0.113.9", "203.0.113.10", False),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678::1", True),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8::1", False),
    ("IpAddress", "::/0", "203.0.113.9", False),
    ("IpAddress", "10.1.2.3/8", "10.9.9.9", True),
    ("IpAddress", "0.0.0.0/0", "not an address", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.9", False),
    ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", True),
    ("ArnEquals", "arn:aws:sns:*:123456789012:t-*", "arn:aws:sns:eu-west-1:123456789012:t-1", True),
    ("ArnLike", "arn:aws:sns:*:123456789012:t-*", "arn:aws:sns:eu-west-1:123456789012:t-1", True),
    ("ArnLike", "arn:aws:sns:*:t-1", "arn:aws:sns:eu-west-1:123456789012:t-1", False),
    ("ArnNotEquals", "arn:aws:iam::*:role/admin", "arn:aws:iam::1:role/admin", False),
    ("ArnNotLike", "arn:aws:iam::*:role/admin", "arn:aws:iam::1:role/other", True),
    ("ArnLike", "arn:aws:iam::*:role/Admin", "arn:aws:iam::1:role/admin", False),
    ("Null", "true", "x", False),
    ("Null", "false", "x", True),
    ("Null", False, "x", True),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "holds"), ROWS)
def test_operator(operator: str, wanted: object, found: str | tuple[str, ...], holds: bool) -> None:
    assert under({operator: {KEY: wanted}}, {KEY: found}).allowed is holds
    if operator != "Null":  # every operator takes IfExists, which changes nothing for a present key
        assert under({f"{operator}IfExists": {KEY: wanted}}, {KEY: found}).allowed is holds


@pytest.mark.parametrize(
    ("operator", "wanted", "holds"),
    [
        ("StringEquals", "a", False),
        ("StringLike", "*", False),
        ("StringNotEquals", "a", True),
        ("StringNotLike", "*", True),
        ("StringNotEqualsIgnoreCase", "a", True),
        ("NumericNotEquals", "1", True),
        ("NumericLessThan", "1", False),
        ("DateNotEquals", "2026-01-01", True),
        ("DateGreaterThan", "2026-01-01", False),
        ("Bool", "false", False),
        ("BinaryEquals", "AA==", False),
        ("IpAddress", "0.0.0.0/0", False),
        ("NotIpAddress", "0.0.0.0/0", True),
        ("ArnLike", "*", False),
        ("ArnNotEquals", "arn:aws:iam::1:role/x", True),
        ("StringEqualsIfExists", "a", True),
        ("StringNotEqualsIfExists", "a", True),
        ("IpAddressIfExists", "10.0.0.0/8", True),
        ("Null", "true", True),
        ("Null", "false", False),
        ("Null", ["true", "false"], True),
        ("ForAllValues:StringEquals", "a", True),
        ("ForAllValues:StringNotEquals", "a", True),
        ("ForAnyValue:StringEquals", "a", False),
        ("ForAnyValue:StringNotEquals", "a", False),
        ("ForAllValues:StringEqualsIfExists", "a", True),
        ("ForAnyValue:StringEqualsIfExists", "a", False),
        ("ForAnyValue:StringNotEqualsIfExists", "a", False),
        ("ForAllValues:Null", "false", True),
        ("ForAnyValue:Null", "true", False),
    ],
)
@pytest.mark.parametrize("context", [{}, {KEY: ()}], ids=["absent", "empty set"])
def test_missing_key(operator: str, wanted: object, holds: bool, context: Context) -> None:
    assert under({operator: {KEY: wanted}}, context).allowed is holds


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "holds"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True),
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
        ("ForAllValues:StringLike", "a*", ("a1", "a2"), True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "b"), False),
        ("ForAllValues:StringNotLike", "a*", ("b", "a1"), False),
        ("ForAllValues:StringNotLike", "a*", ("b", "c"), True),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "d"), False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
        ("ForAnyValue:ArnLike", "arn:aws:iam::*:role/x", ("y", "arn:aws:iam::1:role/x"), True),
        ("ForAllValues:NumericLessThan", "10", ("1", "11"), False),
        ("ForAnyValue:Bool", "true", ("false", "true"), True),
        # An empty text is an empty set to the quantifiers.
        ("ForAllValues:StringEquals", "a", "", True),
        ("ForAnyValue:StringLike", "*", "", False),
    ],
)
def test_sets(operator: str, wanted: object, found: tuple[str, ...], holds: bool) -> None:
    assert under({operator: {KEY: wanted}}, {KEY: found}).allowed is holds


def test_an_empty_text_is_present_to_null() -> None:
    assert under({"Null": {KEY: "false"}}, {KEY: ""}).allowed


@pytest.mark.parametrize("found", [None, (), "", ("",), ("", "")])
def test_null_false_keeps_out_what_for_all_values_lets_through(
    found: str | tuple[str, ...] | None,
) -> None:
    context = {} if found is None else {KEY: found}
    alone = {"ForAllValues:StringEquals": {KEY: ["a", "b"]}}
    assert under(alone, context).allowed
    assert not under({**alone, "Null": {KEY: "false"}}, context).allowed
    assert under({**alone, "Null": {KEY: "true"}}, context).allowed
    assert not under({"ForAnyValue:StringLike": {KEY: "*"}}, context).allowed


def test_null_false_beside_for_all_values_lets_values_through() -> None:
    condition = {"ForAllValues:StringEquals": {KEY: ["a", "b"]}, "Null": {KEY.upper(): "false"}}
    assert under(condition, {KEY: ("a", "b")}).allowed
    assert under(condition, {KEY: "a"}).allowed
    assert not under(condition, {KEY: ("a", "")}).allowed
    assert not under(condition, {KEY: ("a", "c")}).allowed
    assert under(condition, unknown=[KEY]).depends_on == (KEY,)


@pytest.mark.parametrize("spelled", ["aws:resourcetag/TEAM", "AWS:ResourceTag/team"])
def test_key_names_ignore_case_tag_keys_included(spelled: str) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/Team": "payments"}}
    assert under(condition, {spelled: "payments"}).allowed
    assert not under(condition, {spelled: "Payments"}).allowed


def test_operators_and_keys_are_anded() -> None:
    condition = {
        "StringEquals": {"aws:a": "1", "aws:b": "2"},
        "Bool": {"aws:SecureTransport": "true"},
    }
    context = {"aws:a": "1", "aws:b": "2", "aws:SecureTransport": "true"}
    assert under(condition, context).allowed
    for key in context:
        others = {each: value for each, value in context.items() if each != key}
        assert not under(condition, others).allowed


def test_a_key_in_two_operators_must_meet_both() -> None:
    condition = {"StringLike": {KEY: "a*"}, "StringNotEquals": {KEY: "ab"}}
    assert under(condition, {KEY: "ac"}).allowed
    assert not under(condition, {KEY: "ab"}).allowed


def test_an_empty_value_list_matches_nothing() -> None:
    assert not under({"StringEquals": {KEY: []}}, {KEY: "a"}).allowed
    assert under({"StringNotEquals": {KEY: []}}, {KEY: "a"}).allowed


@pytest.mark.parametrize("operator", ["StringNotEquals", "NotIpAddress", "ArnNotLike"])
def test_a_deny_on_a_negated_operator_fires_when_the_key_is_absent(operator: str) -> None:
    wanted = {"NotIpAddress": "10.0.0.0/8"}.get(operator, "arn:aws:iam::1:role/x")
    guarded = policy(allow(), deny(Condition={operator: {KEY: wanted}}))
    assert ask(guarded).outcome is Outcome.EXPLICIT_DENY
    with_exists = policy(allow(), deny(Condition={f"{operator}IfExists": {KEY: wanted}}))
    assert ask(with_exists).outcome is Outcome.EXPLICIT_DENY


def test_several_values_without_a_quantifier() -> None:
    assert under({"StringEquals": {KEY: "a"}}, {KEY: ("b", "a")}).allowed
    assert not under({"StringNotEquals": {KEY: "a"}}, {KEY: ("b", "a")}).allowed
