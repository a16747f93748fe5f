"""Policies that AWS handed over, with parts that it would refuse or does not document."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ecr_feed.facts.aws import Answer
from ecr_feed.facts.iam import Organization, PolicyDocument, Principal
from ecr_feed.permissions.evaluation import Evidence, Situation, evaluate

ACCOUNT = "123456789012"
REPOSITORY = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team/app"
SITUATION = Situation("eu-west-1", datetime(2026, 11, 28, tzinfo=UTC))


@pytest.mark.parametrize(
    ("resources", "answer", "named"),
    [
        ([f"arn:aws:*:eu-west-1:{ACCOUNT}:repository/*"], Answer.DENIED, "no identity-based"),
        (["arn:aws:*:*:*:*", REPOSITORY], Answer.ALLOWED, "is allowed"),
        (["arn:aws*:ecr:*:*:repository/*"], Answer.UNDETERMINED, "arn:aws*:ecr:*:*:repository/*"),
        (["arn:*:ecr:*:*:repository/*"], Answer.ALLOWED, "is allowed"),
    ],
)
def test_odd_resources(resources: list[str], answer: Answer, named: str) -> None:
    statement = {"Sid": "A", "Effect": "Allow", "Action": "ecr:*", "Resource": resources}
    again = {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = PolicyDocument("feed", "identity", {"Statement": [statement, again]})
    arn = f"arn:aws:iam::{ACCOUNT}:user/octopus"
    principal = Principal("user", arn, ACCOUNT, "octopus", policies=(policy,))
    evidence = Evidence(principal, Organization(member=False))
    permission, decision = evaluate("ecr:DescribeImages", REPOSITORY, evidence, SITUATION)
    assert decision is not None
    assert permission.answer is answer
    assert named in permission.because
