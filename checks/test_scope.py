"""Least privilege: the identity may do what a feed needs, and nothing beyond."""

from __future__ import annotations

from ecr_feed.check import HIGH, MEDIUM, check
from ecr_feed.config import Feed
from ecr_feed.facts.iam import Principal
from ecr_feed.iam import Group
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.reads import POLICIES
from ecr_feed.permissions.scope import expect_nothing_of

_LEAST = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
)


@check(
    id="SCOPE-1",
    severity=MEDIUM,
    title="The identity may not change anything in ECR",
    why="A feed only reads: whoever gets hold of its key must not push or delete images.",
    fix="Attach only the policy that `--write-policy FILE` writes for this feed.",
    reads=POLICIES,
    refs=(_LEAST,),
)
def test_no_writes_to_ecr(feed: Feed, principal: Principal, rights: Rights) -> None:
    expect_nothing_of(rights, principal, Group.ECR_WRITE)


@check(
    id="SCOPE-2",
    severity=HIGH,
    title="The identity may not change permissions",
    why="An identity that may change permissions may do anything, whatever its policies say today.",
    fix="Attach only the policy that `--write-policy FILE` writes for this feed.",
    reads=POLICIES,
    refs=(_LEAST,),
)
def test_no_privilege_escalation(feed: Feed, principal: Principal, rights: Rights) -> None:
    expect_nothing_of(rights, principal, Group.ESCALATION)


@check(
    id="SCOPE-3",
    severity=MEDIUM,
    title="The identity may use no other service",
    why="A feed needs ECR alone; every other permission is a way to misuse its key.",
    fix="Attach only the policy that `--write-policy FILE` writes for this feed.",
    reads=POLICIES,
    refs=(_LEAST,),
)
def test_no_other_services(feed: Feed, principal: Principal, rights: Rights) -> None:
    expect_nothing_of(rights, principal, Group.EVERYTHING, Group.IAM, Group.OTHER)
