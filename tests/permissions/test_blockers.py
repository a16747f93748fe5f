"""The one line that a person is told to do about a denied permission."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.facts.iam import Organization, PolicyDocument, Principal
from ecr_feed.permissions import compared_answers as answers
from ecr_feed.permissions.blockers import blocker, needs_allow
from ecr_feed.permissions.evaluation import Evidence, Situation, evaluate

ACTION = "ecr:BatchGetImage"
ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"
USER = "arn:aws:iam::123456789012:user/feed"
MANAGED = "arn:aws:iam::aws:policy/AWSDenyAll"
QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
ALONE = Organization(member=False)


def document(kind: str, *statements: dict[str, Any]) -> PolicyDocument:
    return PolicyDocument("own", kind, {"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str = ACTION, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def when(operator: str, key: str, value: object) -> dict[str, Any]:
    return allow(Condition={operator: {key: value}})


def heard(
    *statements: dict[str, Any],
    boundary: dict[str, Any] | None = None,
    organization: Organization = ALONE,
    probe: dict[str, object] | None = None,
) -> answers.Answers:
    """What the evaluation says, after a probe that AWS denied in these words."""
    principal = Principal(
        *("user", USER, "123456789012", "feed"),
        policies=(document("identity", *statements),) if statements else (),
        boundary=None if boundary is None else document("boundary", boundary),
    )
    evidence = Evidence(principal, organization, tags={})
    situation = Situation("eu-west-1", datetime(2026, 11, 25, tzinfo=UTC))
    said, decision = evaluate(ACTION, ARN, evidence, situation)
    tried = [Permission(ACTION, ARN, Answer.DENIED, "no", "probe", probe)] if probe else []
    return answers.Answers(ACTION, ARN, (*tried, said), decision)


def limited(**documents: dict[str, Any]) -> Organization:
    levels = {kind + "s": ((document(kind, each),),) for kind, each in documents.items()}
    return Organization(member=True, management=False, **levels)  # type: ignore[arg-type] # the names are checked by the dataclass


SIMULATED = Permission(
    *(ACTION, ARN, Answer.DENIED, "the organisation's policies do not allow it", "simulation"),
    evidence={"decision": "implicitDeny", "organization_allows": False, "boundary_allows": True},
)


CORRECT = "Meet or correct the condition in statement 1"


@pytest.mark.parametrize(
    ("found", "says", "identity_too"),
    [
        (heard(), "", True),
        (heard(allow("ecr:List*")), "", True),
        (heard({**allow(), "Effect": "Deny", "Sid": "Shut"}), "'Shut'", False),
        (heard(allow(), boundary=allow("s3:*")), "in the permissions boundary.", False),
        (heard(allow("s3:*"), boundary=allow("s3:*")), "in the permissions boundary.", True),
        (
            heard(allow(), organization=limited(scp=allow("s3:*"))),
            "in the service control policy.",
            False,
        ),
        (
            heard(*[allow()], boundary=allow("s3:*"), organization=limited(scp=allow("s3:*"))),
            "in the service control policy and in the permissions boundary.",
            False,
        ),
        (
            heard(allow(), probe={"policy_type": "endpoint", "explicit": False}),
            "in the VPC endpoint policy.",
            False,
        ),
        (
            heard(probe={"policy_type": "scp", "explicit": True, "policy_arn": "arn:p"}),
            "the service control policy arn:p;",
            False,
        ),
        (
            heard(when("StringEquals", "aws:ResourceTag/squad", "team one")),
            f"aws ecr tag-resource --resource-arn {ARN} --tags 'Key=squad,Value=team one'",
            False,
        ),
        (
            heard(when("StringEquals", "ecr:ResourceTag/a", ["x", "y"])),
            "Meet or correct the condition",
            False,
        ),
        (
            heard(when("StringLike", "ecr:ResourceTag/a", "x*")),
            "Meet or correct the condition",
            False,
        ),
        (
            heard(when("StringEquals", "aws:PrincipalTag/squad", "web")),
            "aws iam tag-user --user-name feed --tags Key=squad,Value=web",
            False,
        ),
        (
            heard(when("StringEquals", "aws:RequestedRegion", "us-east-1")),
            "expects us-east-1, found eu-west-1. Set the feed's region",
            False,
        ),
        (
            heard(when("StringEquals", "ecr:ResourceTag/a", "${aws:PrincipalTag/a}")),
            "Meet or correct the condition",
            False,
        ),
        (
            heard(when("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.168.0.0/16"])),
            "AWS never sees a private source address.",
            False,
        ),
        (
            heard(when("Bool", "aws:MultiFactorAuthPresent", "true")),
            "A feed cannot give a second factor",
            False,
        ),
        (
            heard(
                {**when("Bool", "aws:MultiFactorAuthPresent", "true"), "Action": "s3:*"},
                when("StringEquals", "aws:SourceVpce", "vpce-1"),
                probe={"policy_type": "identity"},
            ),
            "aws:SourceVpce expects vpce-1, found unknown. Send the requests through that VPC",
            False,
        ),
        (
            heard(when("Bool", "aws:MultiFactorAuthPresent", "true"), boundary=allow("s3:*")),
            "in the permissions boundary. Meet or correct the condition in",
            False,
        ),
        (
            heard(probe={"explicit": True, "policy_type": ""}),
            "Narrow the Deny in the policy that AWS does not name; no Allow overrides it.",
            False,
        ),
        (
            heard(probe={"explicit": True, "policy_type": "identity", "policy_arn": MANAGED}),
            f"Detach {MANAGED}, which only AWS can change",
            False,
        ),
        (
            heard(probe={"explicit": True, "policy_type": "identity", "policy_arn": QUARANTINE}),
            "found this access key published",
            False,
        ),
        (
            heard(allow(), boundary=when("Bool", "aws:MultiFactorAuthPresent", "true")),
            CORRECT,
            False,
        ),
    ],
)
def test_what_stands_in_the_way(found: answers.Answers, says: str, identity_too: bool) -> None:
    line = blocker(found)
    assert says in line
    assert bool(line) is bool(says)
    assert needs_allow(found) is identity_too


def test_what_the_simulation_blames_where_nobody_read_it() -> None:
    unread = Organization(member=None)
    said = heard(allow(), organization=unread)
    found = answers.Answers(ACTION, ARN, (SIMULATED, *said.witnesses), said.decision)
    assert blocker(found).endswith("in the service control policy.")
    assert not needs_allow(found)
