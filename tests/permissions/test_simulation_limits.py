"""When IAM's simulation is believed: it does not see every policy that AWS evaluates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from ecr_feed.facts.aws import Answer, Failure, Permission, Trouble
from ecr_feed.facts.iam import Organization, PolicyDocument, Principal
from ecr_feed.permissions.evaluation import Evidence, Situation, evaluate
from ecr_feed.permissions.simulation_limits import within_limits

ACTION = "ecr:ListImages"
ACCOUNT = "123456789012"
ARN = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/shop/cart"
USER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/feed", ACCOUNT, "feed")
ROLE = Principal("role", f"arn:aws:iam::{ACCOUNT}:role/feed", ACCOUNT, "feed")
UNREAD = Failure(Trouble.DENIED, "ecr", "GetRegistryPolicy", "eu-west-1")
ALLOWED, DENIED, UNDETERMINED = Answer.ALLOWED, Answer.DENIED, Answer.UNDETERMINED


def policy(kind: str, effect: str, **condition: Any) -> PolicyDocument:
    statement: dict[str, Any] = {"Effect": effect, "Action": "ecr:*", "Resource": "*"}
    if kind in ("resource", "registry"):
        statement["Principal"] = "*"
    if kind == "resource":
        del statement["Resource"]
    if condition:
        statement["Condition"] = {"StringEquals": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return PolicyDocument(f"{kind} policy", kind, document)


def simulated(
    answer: Answer,
    principal: Principal,
    *resource: PolicyDocument,
    own: PolicyDocument | None = None,
    said: dict[str, object] | None = None,
    unread: tuple[Failure, ...] = (),
) -> Permission:
    """The simulation's answer as it counts, for an identity with one policy of its own."""
    policies = () if own is None else (own,)
    whole = Principal(
        *(principal.kind, principal.arn, principal.account, principal.name), policies=policies
    )
    evidence = Evidence(whole, Organization(member=False), resource, unread=unread)
    situation = Situation("eu-west-1", datetime(2026, 11, 25, tzinfo=UTC))
    evaluated, decision = evaluate(ACTION, ARN, evidence, situation)
    found = Permission(ACTION, ARN, answer, "IAM says so", "simulation", evidence=said or {})
    return within_limits(found, evaluated, decision, evidence)


GRANT = policy("identity", "Allow")


@pytest.mark.parametrize(
    ("simulation", "because"),
    [
        # Denied: a policy that IAM was not given may allow it.
        (partial(simulated, DENIED, ROLE, policy("resource", "Allow")), "the resource policy"),
        (partial(simulated, DENIED, USER, policy("registry", "Allow")), "the registry policy"),
        # Denied, and a policy that could not be read may allow it.
        (partial(simulated, DENIED, USER, unread=(UNREAD,)), "ecr:GetRegistryPolicy"),
        # Allowed: a policy that IAM was not given denies it, or may.
        (
            partial(simulated, ALLOWED, ROLE, policy("resource", "Deny"), own=GRANT),
            "the resource policy",
        ),
        (
            partial(
                simulated,
                *(ALLOWED, USER, policy("registry", "Deny", **{"aws:SourceVpce": "vpce-1"})),
                own=GRANT,
            ),
            "aws:SourceVpce",
        ),
        (partial(simulated, ALLOWED, USER, own=GRANT, unread=(UNREAD,)), "ecr:GetRegistryPolicy"),
    ],
)
def test_a_policy_that_the_simulation_does_not_cover(
    simulation: Callable[[], Permission], because: str
) -> None:
    found = simulation()
    assert found.answer is UNDETERMINED
    assert found.because.startswith("IAM says so, but does not cover everything: ")
    assert because in found.because


@pytest.mark.parametrize(
    "simulation",
    [
        partial(simulated, DENIED, USER),
        # For a user the repository's policy was handed to IAM.
        partial(simulated, DENIED, USER, policy("resource", "Deny")),
        # An explicit Deny stands, and so does the organisation's.
        partial(
            simulated, DENIED, ROLE, policy("resource", "Allow"), said={"decision": "explicitDeny"}
        ),
        partial(
            simulated,
            DENIED,
            ROLE,
            policy("resource", "Allow"),
            said={"organization_allows": False},
        ),
        partial(simulated, ALLOWED, USER, own=GRANT),
        partial(simulated, ALLOWED, ROLE, policy("resource", "Allow"), own=GRANT),
        # A contradiction that no such policy explains is left for PERM-8.
        partial(simulated, ALLOWED, USER),
    ],
)
def test_an_answer_that_stands(simulation: Callable[[], Permission]) -> None:
    found = simulation()
    assert found.because == "IAM says so"
    assert found.answer is not UNDETERMINED


def test_no_answer_stays_none() -> None:
    assert simulated(UNDETERMINED, USER, own=GRANT).because == "IAM says so"
