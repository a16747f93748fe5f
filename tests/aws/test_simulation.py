"""The shapes in which SimulatePrincipalPolicy answers, and what may be taken from each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecr_feed.aws.readers.simulation import SimulationRequest, simulate
from ecr_feed.facts.aws import Answer, Permission, ReadError, Trouble
from ecr_feed.facts.iam import Principal
from tests.aws.fake import ACCOUNT

A, B, C = (f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/{name}" for name in "abc")
USER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/feed", ACCOUNT, "feed")
ROLE = Principal("role", f"arn:aws:iam::{ACCOUNT}:role/feed", ACCOUNT, "feed")
LIST = "ecr:ListImages"


class Iam:
    """A client of prepared answers; it keeps what it was asked."""

    region = "eu-west-1"

    def __init__(self, *answers: list[dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def pages(self, operation: str, **parameters: Any) -> Any:
        for name in ("request_key", "response_key", "MaxItems"):
            parameters.pop(name)
        self.asked.append(parameters)
        yield {"EvaluationResults": self.answers.pop(0), "IsTruncated": False}

    def malformed(self, operation: str, message: str) -> ReadError:
        from ecr_feed.aws.transport.failures import CallContext, malformed_failure

        return ReadError(malformed_failure(CallContext("iam", operation, self.region), message))


def ask(iam: Iam, principal: Principal, question: SimulationRequest) -> dict[str, Permission]:
    found = simulate(iam, principal, question)  # type: ignore[arg-type] # a client in shape
    return {permission.resource: permission for permission in found}


def result(decision: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {
        "EvalActionName": LIST,
        "EvalResourceName": resource,
        "EvalDecision": decision,
        "MissingContextValues": [],
        **more,
    }


def own(resource: str, decision: str, *missing: str) -> dict[str, Any]:
    return {
        "EvalResourceName": resource,
        "EvalResourceDecision": decision,
        "MissingContextValues": list(missing),
    }


def test_each_resource_has_its_own_result() -> None:
    specific = [own(A, "allowed"), own(B, "explicitDeny")]
    iam = Iam([result("explicitDeny", ResourceSpecificResults=specific)])
    told = ask(iam, ROLE, SimulationRequest((LIST,), (A, B)))
    assert (told[A].answer, told[B].answer) == (Answer.ALLOWED, Answer.DENIED)
    assert len(iam.asked) == 1


def test_the_older_shape_has_one_result_for_each_resource() -> None:
    iam = Iam([result("allowed", A), result("implicitDeny", B)])
    told = ask(iam, ROLE, SimulationRequest((LIST,), (A, B)))
    assert (told[A].answer, told[B].answer) == (Answer.ALLOWED, Answer.DENIED)


def test_the_strictest_allowed_allows_all() -> None:
    told = ask(Iam([result("allowed")]), ROLE, SimulationRequest((LIST,), (A, B)))
    assert {permission.answer for permission in told.values()} == {Answer.ALLOWED}


def test_the_strictest_denial_is_asked_about_one_by_one() -> None:
    iam = Iam([result("implicitDeny")], [result("allowed")], [result("implicitDeny")])
    told = ask(iam, ROLE, SimulationRequest((LIST,), (A, B)))
    assert (told[A].answer, told[B].answer) == (Answer.ALLOWED, Answer.DENIED)
    assert [asked["ResourceArns"] for asked in iam.asked] == [[A, B], [A], [B]]


def test_a_resource_that_iam_passed_over_is_asked_about() -> None:
    iam = Iam(
        [result("allowed", ResourceSpecificResults=[own(A, "allowed")])], [result("allowed", B)]
    )
    assert ask(iam, ROLE, SimulationRequest((LIST,), (A, B)))[B].answer == Answer.ALLOWED


@pytest.mark.parametrize("decision", ["allowed", "implicitDeny", "explicitDeny"])
def test_a_missing_context_value_is_never_an_answer(decision: str) -> None:
    iam = Iam([result(decision, MissingContextValues=["aws:SourceVpce"])])
    told = ask(iam, ROLE, SimulationRequest((LIST,), (A,)))[A]
    assert told.answer == Answer.UNDETERMINED
    assert told.evidence["depends_on"] == ["aws:SourceVpce"]
    specific = [own(A, decision, "aws:SourceVpce"), own(B, decision, "aws:SourceVpce")]
    iam = Iam([result(decision, ResourceSpecificResults=specific)])
    both = ask(iam, ROLE, SimulationRequest((LIST,), (A, B)))
    assert {permission.answer for permission in both.values()} == {Answer.UNDETERMINED}


def test_the_repository_policy_goes_with_a_user_and_not_with_a_role() -> None:
    policies: Mapping[str, str] = {A: "{policy}", B: "{policy}"}
    question = SimulationRequest((LIST,), (A, B, C), policies)
    iam = Iam([result("allowed")], [result("allowed", C)])
    ask(iam, USER, question)
    assert [(asked["ResourceArns"], asked.get("ResourcePolicy")) for asked in iam.asked] == [
        ([A, B], "{policy}"),
        ([C], None),
    ]
    iam = Iam([result("allowed")])
    ask(iam, ROLE, question)
    assert "ResourcePolicy" not in iam.asked[0]


def test_hundreds_of_repositories_cost_a_call_a_hundred() -> None:
    arns = tuple(f"{A}{number}" for number in range(250))
    iam = Iam(*([result("allowed")] for _ in range(3)))
    ask(iam, ROLE, SimulationRequest((LIST,), arns))
    assert [len(asked["ResourceArns"]) for asked in iam.asked] == [100, 100, 50]


def test_context_is_handed_over() -> None:
    iam = Iam([result("allowed")])
    context: dict[str, str | tuple[str, ...]] = {
        "aws:SourceVpce": "vpce-1",
        "aws:TagKeys": ("a", "b"),
    }
    ask(iam, ROLE, SimulationRequest((LIST,), (A,), context=context))
    assert [entry["ContextKeyType"] for entry in iam.asked[0]["ContextEntries"]] == [
        "string",
        "stringList",
    ]


def test_why_it_is_denied() -> None:
    boundary = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}
    organization = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        (boundary, "the permissions boundary does not allow it"),
        (organization, "the organisation's policies do not allow it"),
        ({}, "no policy allows it"),
    )
    for more, because in cases:
        iam = Iam([result("implicitDeny", **more)])
        assert ask(iam, ROLE, SimulationRequest((LIST,), (A,)))[A].because == because


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{}],
        [result("maybe")],
        [{**result("allowed"), "EvalActionName": "ecr:Other"}],
        [{**result("allowed"), "EvalDecision": None}],
        [result("implicitDeny", ResourceSpecificResults=[own(B, "allowed")])],
    ],
    ids=["none", "empty", "unknown-word", "other-action", "no-decision", "other-resource"],
)
def test_answers_that_are_none(results: list[dict[str, Any]]) -> None:
    with pytest.raises(ReadError) as raised:
        ask(Iam(results, results), ROLE, SimulationRequest((LIST,), (A,)))
    assert raised.value.failure.trouble == Trouble.MALFORMED


def test_another_case_of_the_action_is_the_same() -> None:
    told = ask(
        Iam([{**result("allowed"), "EvalActionName": "ECR:listimages"}]),
        ROLE,
        SimulationRequest((LIST,)),
    )
    assert told["*"].action == LIST
