"""The cause of a denial, as a person reads it: policy, statement, element, wanted and found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.facts.iam import Organization, PolicyDocument, Principal
from ecr_feed.permissions.causes import cause
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.evaluation import Evidence, Situation, evaluate

ACCOUNT, REGION = "123456789012", "eu-west-1"
ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
USER = f"arn:aws:iam::{ACCOUNT}:user/octopus"
LIST = "ecr:ListImages"
AWS = "User: x is not authorized"


def allow(resource: object = "*", action: object = LIST, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(kind: str, name: str, *statements: dict[str, Any]) -> PolicyDocument:
    return PolicyDocument(name, kind, {"Version": "2012-10-17", "Statement": list(statements)})


def when(operator: str, key: str, value: object, **more: Any) -> dict[str, Any]:
    return allow(**{"Condition": {operator: {key: value}}, **more})


def said(
    *own: dict[str, Any],
    action: str = LIST,
    resource: str = ARN,
    repository: dict[str, Any] | None = None,
    boundary: dict[str, Any] | None = None,
    scp: dict[str, Any] | None = None,
    probe: bool = True,
) -> str:
    levels = None if scp is None else ((policy("scp", "Region lock", scp),),)
    principal = Principal(
        *("user", USER, ACCOUNT, "octopus"),
        policies=(policy("identity", "own.json", *own),) if own else (),
        boundary=None if boundary is None else policy("boundary", "Limit", boundary),
    )
    evidence = Evidence(
        principal,
        Organization(member=levels is not None, management=False, scps=levels, rcps=()),
        () if repository is None else (policy("resource", "policy of repository x", repository),),
        tags={},
    )
    evaluated, decision = evaluate(
        action, resource, evidence, Situation(REGION, datetime(2026, 11, 28, tzinfo=UTC))
    )
    assert evaluated.answer is Answer.DENIED, evaluated
    tried = [Permission(action, resource, Answer.DENIED, AWS, "probe")] if probe else []
    return cause(Answers(action, resource, (*tried, evaluated), decision))


def arn(*, partition: str = "aws", region: str = REGION, account: str = ACCOUNT, of: str) -> str:
    return f"arn:{partition}:ecr:{region}:{account}:{of}"


OWN = "statement 1 of the identity-based policy 'own.json'"
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "nothing at all": (said(), ("No identity-based policy has a statement",)),
    "token on a repository": (
        said(
            allow(arn(of="repository/*"), "ecr:GetAuthorizationToken"),
            action="ecr:GetAuthorizationToken",
            resource="*",
        ),
        (OWN, "acts on no resource", 'only "*"'),
    ),
    "another name": (
        said(allow(arn(of="repository/team*x"))),
        (OWN, "its Resource", "team*x does not cover", "team/app"),
    ),
    "no repository/": (said(allow(arn(of="team/app"))), (OWN, "repository/ before the name")),
    "another region": (
        said(allow(arn(region="us-east-1", of="repository/team/app"))),
        (OWN, "region us-east-1, not eu-west-1"),
    ),
    "another account": (
        said(allow(arn(account="123456789021", of="repository/*"))),
        (OWN, "account 123456789021, not 123456789012"),
    ),
    "the nearest of several": (
        said(allow([arn(of="repository/x"), arn(region="eu-west-2", of="repository/team/app")])),
        ("region eu-west-2, not eu-west-1",),
    ),
    "another action": (said(allow(action="ecr:ListTags")), (OWN, "Action is ecr:ListTags, not")),
    "NotAction": (
        said({"Effect": "Allow", "NotAction": "ecr:List*", "Resource": "*"}),
        (OWN, "NotAction ecr:List* leaves out ecr:ListImages"),
    ),
    "NotResource": (
        said({"Effect": "Allow", "Action": "*", "NotResource": arn(of="repository/team/*")}),
        (OWN, "NotResource", "leaves out"),
    ),
    "source address": (
        said(when("IpAddress", "aws:SourceIp", "10.0.0.0/8")),
        (
            *(OWN, "IpAddress aws:SourceIp wants 10.0.0.0/8, the request has none"),
            "AWS never sees a source address in 10.0.0.0/8.",
        ),
    ),
    "second factor": (
        said(when("Bool", "aws:MultiFactorAuthPresent", "true")),
        (OWN, "Bool aws:MultiFactorAuthPresent wants true, the request has none"),
    ),
    "principal tag": (
        said(when("StringEquals", "aws:PrincipalTag/team", "web")),
        (OWN, "aws:PrincipalTag/team wants web, the request has none"),
    ),
    "resource tag": (
        said(when("StringEquals", "aws:ResourceTag/team", "web")),
        (OWN, "aws:ResourceTag/team wants web"),
    ),
    "requested region": (
        said(when("StringEquals", "aws:RequestedRegion", ["us-east-1", "us-east-2"])),
        (OWN, "wants us-east-1 or us-east-2, the request has eu-west-1"),
    ),
    "boundary": (
        said(allow(), boundary=allow(action="s3:*")),
        ("No permissions boundary allows it", "statement 1 of the permissions boundary 'Limit'"),
    ),
    "a Deny": (
        said(allow(), {"Sid": "Shut", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"}),
        ("statement 'Shut' of the identity-based policy 'own.json' denies it.",),
    ),
    "region lock": (
        said(
            allow(),
            scp={
                "Effect": "Deny",
                "NotAction": "iam:*",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}},
            },
        ),
        (
            "statement 1 of the service control policy 'Region lock' denies it",
            "NotAction does not list ecr:ListImages",
            "StringNotEquals aws:RequestedRegion is us-east-1, the request has eu-west-1",
        ),
    ),
    "a Deny without a second factor": (
        said(
            allow(),
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            },
        ),
        ("statement 2", "BoolIfExists aws:MultiFactorAuthPresent is false, the request has none"),
    ),
    "deleted role": (
        said(
            repository={
                "Effect": "Allow",
                "Principal": {"AWS": "AROAEXAMPLEEXAMPLE012"},
                "Action": LIST,
            }
        ),
        ("AROAEXAMPLEEXAMPLE012 is the ID of a role that was deleted",),
    ),
    "deleted user": (
        said(
            repository={
                "Effect": "Allow",
                "Principal": {"AWS": "AIDAEXAMPLEEXAMPLE012"},
                "Action": LIST,
            }
        ),
        ("AIDAEXAMPLEEXAMPLE012 is the ID of a user that was deleted",),
    ),
    "the owner's Deny": (
        said(allow(), repository={"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}),
        ("statement 1 of the resource-based policy 'policy of repository x' denies it",),
    ),
    "NotPrincipal": (
        said(
            allow(),
            repository={
                "Effect": "Deny",
                "NotPrincipal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/other"]},
                "Action": "ecr:*",
            },
        ),
        (f"its NotPrincipal does not list {USER}",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_of_a_denial(name: str) -> None:
    text, expected = CASES[name]
    assert [part for part in expected if part not in text] == [], text
    assert text.endswith(f" AWS: {AWS}")


def test_without_a_call_there_are_no_words_of_aws() -> None:
    assert "AWS:" not in said(allow(action="s3:*"), probe=False)
