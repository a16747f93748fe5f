"""Least privilege: the identity may do what a feed needs, and nothing else."""

from __future__ import annotations

from ecr_feed.check import HIGH, MEDIUM, check
from ecr_feed.config import Feed
from ecr_feed.facts.iam import Principal
from ecr_feed.iam import ActionGroup
from ecr_feed.outcomes import expect_judgement
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.permission_rules import judge_breadth
from ecr_feed.permissions.reads import POLICIES

_LEAST = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
)


@check(
    id="SCOPE-1",
    severity=MEDIUM,
    title="The identity may not change anything in ECR",
    why="A feed only reads: a leaked key must not be able to push or delete images.",
    fix="Attach only the policy that `--write-policy FILE` writes for this feed.",
    reads=POLICIES,
    refs=(_LEAST,),
)
def test_no_writes_to_ecr(feed: Feed, principal: Principal, rights: Rights) -> None:
    expect_judgement(judge_breadth(rights, principal, ActionGroup.ECR_WRITE))


@check(
    id="SCOPE-2",
    severity=HIGH,
    title="The identity may not change permissions",
    why="An identity that may change permissions can grant itself any other permission.",
    fix="Attach only the policy that `--write-policy FILE` writes for this feed.",
    reads=POLICIES,
    refs=(_LEAST,),
)
def test_no_privilege_escalation(feed: Feed, principal: Principal, rights: Rights) -> None:
    expect_judgement(judge_breadth(rights, principal, ActionGroup.ESCALATION))


@check(
    id="SCOPE-3",
    severity=MEDIUM,
    title="The identity may not use other AWS services",
    why="A feed needs only ECR; any other permission can be misused with a leaked key.",
    fix="Attach only the policy that `--write-policy FILE` writes for this feed.",
    reads=POLICIES,
    refs=(_LEAST,),
)
def test_no_other_services(feed: Feed, principal: Principal, rights: Rights) -> None:
    expect_judgement(
        judge_breadth(rights, principal, ActionGroup.EVERYTHING, ActionGroup.IAM, ActionGroup.OTHER)
    )
