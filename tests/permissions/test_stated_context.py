"""Decisions on stated values: when an answer rests on them, and when they do not count."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_feed.config import StatedKey
from ecr_feed.config.context import FIXED
from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.facts.iam import Organization, PolicyDocument, Principal
from ecr_feed.iam import Decision
from ecr_feed.permissions.blockers import blocker, needs_allow
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.evaluation import Evidence, Situation, evaluate, simulated_context
from ecr_feed.permissions.permission_rules import evidence_of
from ecr_feed.permissions.stated_context import in_words, remark_on, resting_on

ACTION = "ecr:BatchGetImage"
ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
ALONE = Organization(member=False)
VPCE, IP = "aws:SourceVpce", "aws:SourceIp"
Block = Mapping[str, Mapping[str, object]]


def principal(*statements: dict[str, Any], kind: str = "user", **more: Any) -> Principal:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    arn = f"arn:aws:iam::123456789012:{kind}/feed"
    policies = (PolicyDocument("own", "identity", json.dumps(document)),)
    return Principal(kind, arn, "123456789012", "feed", policies=policies, **more)


def allow(**condition: Mapping[str, object]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": ACTION, "Resource": "*", "Condition": condition}


def deny(**condition: Mapping[str, object]) -> dict[str, Any]:
    return {**allow(**condition), "Effect": "Deny"}


def keys(**stated: str | list[str]) -> tuple[StatedKey, ...]:
    """`SourceVpce="a"` -> `aws:SourceVpce`."""
    return tuple(
        StatedKey(f"aws:{key}", (values,) if isinstance(values, str) else tuple(values))
        for key, values in stated.items()
    )


def judged(
    who: Principal, stated: tuple[StatedKey, ...], organization: Organization = ALONE, **more: Any
) -> tuple[Permission, Decision | None]:
    situation = Situation("eu-west-1", NOW, stated)
    return evaluate(ACTION, ARN, Evidence(who, organization, **{"tags": {}, **more}), situation)


ONE = allow(StringEquals={VPCE: "vpce-1"})
BOTH = allow(StringEquals={VPCE: "vpce-1"}, IpAddress={IP: "198.51.100.0/24"})
OFFICE = allow(IpAddress={IP: "198.51.100.0/24"})


@pytest.mark.parametrize(
    ("statements", "stated", "answer", "assumed"),
    [
        # One value decides; without it the answer is undetermined.
        ([ONE], keys(), Answer.UNDETERMINED, {}),
        ([ONE], keys(SourceVpce="vpce-1"), Answer.ALLOWED, {VPCE: ["vpce-1"]}),
        ([ONE], keys(SourceVpce="vpce-2"), Answer.DENIED, {VPCE: ["vpce-2"]}),
        ([ONE], keys(SourceIp="198.51.100.7"), Answer.UNDETERMINED, {}),
        # Two conditions need two values.
        ([BOTH], keys(SourceVpce="vpce-1"), Answer.UNDETERMINED, {}),
        (
            [BOTH],
            keys(SourceVpce="vpce-1", SourceIp="198.51.100.7"),
            Answer.ALLOWED,
            {VPCE: ["vpce-1"], IP: ["198.51.100.7"]},
        ),
        # One false condition is enough for a denial.
        (
            [BOTH],
            keys(SourceVpce="vpce-2", SourceIp="198.51.100.7"),
            Answer.DENIED,
            {VPCE: ["vpce-2"]},
        ),
        # Two statements: one of them is enough, the other's value is not rested on.
        (
            [ONE, OFFICE],
            keys(SourceVpce="vpce-1", SourceIp="203.0.113.1"),
            Answer.ALLOWED,
            {VPCE: ["vpce-1"]},
        ),
        # What needs no stated value rests on none.
        ([allow(), ONE], keys(SourceVpce="vpce-2"), Answer.ALLOWED, {}),
        ([{**ONE, "Action": "s3:*"}], keys(SourceVpce="vpce-1"), Answer.DENIED, {}),
        ([ONE, deny()], keys(SourceVpce="vpce-1"), Answer.DENIED, {}),
        (
            [allow(), deny(StringNotEquals={VPCE: "vpce-1"})],
            keys(SourceVpce="vpce-2"),
            Answer.DENIED,
            {VPCE: ["vpce-2"]},
        ),
        # Keys in any case.
        (
            [allow(StringEquals={"AWS:sourcevpce": "vpce-1"})],
            keys(SourceVpce="vpce-1"),
            Answer.ALLOWED,
            {VPCE: ["vpce-1"]},
        ),
        # A variable in a value.
        (
            [{**allow(), "Resource": "arn:aws:ecr:*:*:repository/${aws:SourceVpc}/*"}],
            keys(SourceVpc="shop"),
            Answer.ALLOWED,
            {"aws:SourceVpc": ["shop"]},
        ),
        # Of several values each request has one: all of them must lead to the same answer.
        (
            [allow(StringLike={VPCE: "vpce-*"})],
            keys(SourceVpce=["vpce-1", "vpce-2"]),
            Answer.ALLOWED,
            {VPCE: ["vpce-1", "vpce-2"]},
        ),
        ([ONE], keys(SourceVpce=["vpce-1", "vpce-2"]), Answer.UNDETERMINED, {}),
        ([ONE], keys(SourceVpce=["vpce-2", "vpce-3"]), Answer.DENIED, {VPCE: ["vpce-2", "vpce-3"]}),
        ([ONE], keys(SourceVpce=[f"vpce-{n}" for n in range(65)]), Answer.UNDETERMINED, {}),
        # Keys that hold sets: one request has all of the values.
        (
            [allow(**{"ForAnyValue:StringEquals": {"aws:CalledVia": "b"}})],
            keys(CalledVia=["a", "b"]),
            Answer.ALLOWED,
            {"aws:CalledVia": ["a", "b"]},
        ),
    ],
)
def test_what_an_answer_rests_on(
    statements: list[dict[str, Any]],
    stated: tuple[StatedKey, ...],
    answer: Answer,
    assumed: dict[str, list[str]],
) -> None:
    said, _ = judged(principal(*statements), stated)
    assert (said.answer, said.evidence.get("assumed", {})) == (answer, assumed), said.because
    assert ("Assumed, as stated" in said.because) is bool(assumed)
    assert in_words(assumed) in said.because


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (("aws:SourceIp",), ""),
        (("aws:SourceVpce", "aws:SourceVpc"), ""),
        (("AWS:sourceip", "aws:SourceVpc"), "can a request have aws:SourceVpc too?"),
        (("aws:VpcSourceIp", "aws:SourceIp"), "can a request have aws:VpcSourceIp too?"),
    ],
)
def test_values_that_no_request_has_together_are_remarked_on(
    stated: tuple[str, ...], said: str
) -> None:
    remark = remark_on({key: ["v"] for key in stated})
    assert (remark.endswith(said), bool(remark)) == (True, bool(said))


def test_values_that_lead_to_different_answers_are_named() -> None:
    said, _ = judged(principal(ONE), keys(SourceVpce=["vpce-1", "vpce-2"]))
    assert "aws:SourceVpce = vpce-1 or vpce-2" in said.because
    assert "do not all lead to the same answer" in said.because


MFA = allow(Bool={"aws:MultiFactorAuthPresent": "true"})


@pytest.mark.parametrize(
    ("who", "stated", "more", "answer"),
    [
        # A request with a user's long-term key never has it; a role's may.
        (principal(MFA), keys(MultiFactorAuthPresent="true"), {}, Answer.DENIED),
        (principal(MFA, kind="role"), keys(MultiFactorAuthPresent="true"), {}, Answer.ALLOWED),
        # Tags that were read count, those that were not may be stated.
        (
            principal(allow(StringEquals={"aws:PrincipalTag/team": "a"}), tags={"team": "b"}),
            keys(**{"PrincipalTag/team": "a"}),
            {},
            Answer.DENIED,
        ),
        (
            principal(allow(StringEquals={"aws:ResourceTag/team": "a"})),
            keys(**{"ResourceTag/team": "a"}),
            {"tags": {"team": "b"}},
            Answer.DENIED,
        ),
        (
            principal(allow(StringEquals={"aws:ResourceTag/team": "a"})),
            keys(**{"ResourceTag/team": "a"}),
            {"tags": {}},
            Answer.DENIED,
        ),
        (
            principal(allow(StringEquals={"aws:ResourceTag/team": "a"})),
            keys(**{"ResourceTag/team": "a"}),
            {"tags": None},
            Answer.ALLOWED,
        ),
        # The organisation that was read counts, or that there is none.
        (
            principal(allow(StringEquals={"aws:PrincipalOrgID": "o-1"})),
            keys(PrincipalOrgID="o-1"),
            {"organization": ALONE},
            Answer.DENIED,
        ),
        (
            principal(allow(StringEquals={"aws:PrincipalOrgID": "o-1"})),
            keys(PrincipalOrgID="o-1"),
            {"organization": Organization(member=True, management=True, id="o-2")},
            Answer.DENIED,
        ),
    ],
)
def test_a_stated_value_does_not_stand_in_place_of_what_the_request_has(
    who: Principal, stated: tuple[StatedKey, ...], more: dict[str, Any], answer: Answer
) -> None:
    said, _ = judged(who, stated, **more)
    assert said.answer is answer, said.because
    assert ("assumed" in said.evidence) is (answer is Answer.ALLOWED)


def test_the_keys_that_may_not_be_stated_are_those_that_every_request_has() -> None:
    _, decision = judged(principal(allow()), ())
    assert decision is not None
    assert set(decision.request.env.values) == set(FIXED)


def test_what_could_not_be_read_leaves_it_open_whatever_is_stated() -> None:
    unread = Organization(member=None)
    said, _ = judged(principal(ONE), keys(SourceVpce="vpce-1"), organization=unread)
    assert said.answer is Answer.UNDETERMINED
    assert "assumed" not in said.evidence


SIMULATED = [
    ("user", {"aws:SourceVpce": "vpce-1"}),
    ("role", {"aws:SourceVpce": "vpce-1", "aws:MultiFactorAuthPresent": "true"}),
]


@pytest.mark.parametrize(("kind", "given"), SIMULATED)
def test_a_simulation_is_given_what_no_document_decides(kind: str, given: dict[str, str]) -> None:
    stated = keys(
        SourceVpce="vpce-1",
        SourceIp=["198.51.100.7", "198.51.100.8"],
        MultiFactorAuthPresent="true",
        PrincipalOrgID="o-1",
        **{"ResourceTag/team": "a", "PrincipalTag/team": "a"},
    )
    assert simulated_context(stated, principal(kind=kind)) == given
    assert simulated_context(keys(TagKeys=["a", "b"]), principal()) == {"aws:TagKeys": ("a", "b")}


def test_a_simulation_rests_on_what_the_evaluation_does_else_on_what_a_policy_looks_at() -> None:
    simulated = Permission(ACTION, ARN, Answer.ALLOWED, "", "simulation", {"decision": "allowed"})
    given = {"aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1"}
    stated = keys(SourceVpce="vpce-1")
    rested = resting_on(simulated, given, *judged(principal(ONE), stated))
    assert rested.evidence == {"decision": "allowed", "assumed": {VPCE: ["vpce-1"]}}
    needless = resting_on(simulated, given, *judged(principal(allow(), ONE), stated))
    assert needless == simulated
    open_ = judged(principal(ONE), stated, organization=Organization(member=None))
    assert resting_on(simulated, given, *open_).evidence["assumed"] == {VPCE: ["vpce-1"]}
    blind = resting_on(simulated, given, open_[0], None)
    assert blind.evidence["assumed"] == {VPCE: ["vpce-1"], "aws:SourceVpc": ["vpc-1"]}
    assert resting_on(simulated, {}, *open_) == simulated


def answers(*witnesses: Permission, decision: Decision | None = None) -> Answers:
    return Answers(ACTION, ARN, witnesses, decision)


def witness(name: str, answer: Answer, **evidence: object) -> Permission:
    return Permission(ACTION, ARN, answer, f"{name} says", name, evidence)


def test_a_call_rests_on_no_stated_value() -> None:
    evaluated = witness("evaluation", Answer.ALLOWED, assumed={VPCE: ["vpce-1"]})
    simulated = witness("simulation", Answer.ALLOWED, assumed={IP: ["198.51.100.7"]})
    open_ = witness("evaluation", Answer.UNDETERMINED)
    assert answers(evaluated, simulated).assumed == {VPCE: ["vpce-1"]}
    assert answers(open_, simulated).assumed == {IP: ["198.51.100.7"]}
    called = answers(witness("probe", Answer.ALLOWED), evaluated)
    assert (called.assumed, called.stated) == ({}, {VPCE: ["vpce-1"]})
    assert "assumed" not in evidence_of(called)
    assert evidence_of(answers(evaluated))["assumed"] == {VPCE: ["vpce-1"]}
    assert answers(evaluated, witness("simulation", Answer.DENIED)).assumed == {}


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ([ONE], "add vpce-2 in statement 1 of 'own', which asks for aws:SourceVpce vpce-1."),
        # The nearest statement fails on another condition.
        (
            [allow(StringEquals={"aws:RequestedRegion": "us-east-1"}), ONE],
            "add vpce-2 in statement 2 of 'own', which asks for aws:SourceVpce vpce-1.",
        ),
        (
            [allow(), deny(StringNotEquals={VPCE: "vpce-1"})],
            "Narrow the Deny in the identity-based policy: statement 2 of 'own'",
        ),
    ],
)
def test_a_denial_by_a_stated_value_is_not_mended_by_a_wider_policy(
    statements: list[dict[str, Any]], says: str
) -> None:
    said, decision = judged(principal(*statements), keys(SourceVpce="vpce-2"))
    found = answers(said, decision=decision)
    first = "Correct the stated aws:SourceVpce = vpce-2, or, where it is right: "
    assert blocker(found).startswith(first + says)
    assert not needs_allow(found)


def test_a_simulated_denial_on_a_stated_value_is_not_mended_by_a_wider_policy() -> None:
    simulated = witness("simulation", Answer.DENIED, assumed={VPCE: ["vpce-2"]})
    found = answers(simulated, witness("evaluation", Answer.UNDETERMINED))
    assert blocker(found).startswith("Correct the stated aws:SourceVpce = vpce-2")
    assert not needs_allow(found)
