"""The feed's identity is allowed the actions a feed needs, on each repository."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, MEDIUM, check
from ecr_feed.config import Feed
from ecr_feed.outcomes import expect_judgement
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.permission_rules import (
    judge_agreement,
    judge_listing,
    judge_permission,
    judge_pull_permission,
)
from ecr_feed.permissions.reads import ANSWERS

_PULL = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html"
_MINIMUM = (
    "https://octopus.com/docs/packaging-applications/package-repositories/guides/"
    "container-registries/amazon-ec2-container-services"
)
_ECR = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html"


def _pulls(feed: Feed) -> str | None:
    return None if feed.pulls else "Targets do not pull with this feed's credentials (pulls)."


@check(
    id="PERM-1",
    severity=CRITICAL,
    title="The feed may fetch an authorization token",
    why="Every login and every pull begins with ecr:GetAuthorizationToken.",
    fix='Allow ecr:GetAuthorizationToken on "Resource": "*", in a statement of its own.',
    reads=("ecr:GetAuthorizationToken",),
    refs=(_MINIMUM, _ECR),
)
def test_may_get_authorization_token(feed: Feed, rights: Rights) -> None:
    expect_judgement(judge_permission(rights, "ecr:GetAuthorizationToken", None))


@check(
    id="PERM-2",
    severity=CRITICAL,
    title="The feed may describe each repository",
    why="One of the four actions that Octopus documents as the minimum for a feed.",
    fix="Allow ecr:DescribeRepositories on the repository {package}.",
    reads=("ecr:DescribeRepositories",),
    refs=(_MINIMUM, _ECR),
)
def test_may_describe_repositories(feed: Feed, package: str, rights: Rights) -> None:
    expect_judgement(judge_permission(rights, "ecr:DescribeRepositories", package))


@check(
    id="PERM-3",
    severity=CRITICAL,
    title="The feed may describe each repository's images",
    why="One of the four actions that Octopus documents as the minimum for a feed.",
    fix="Allow ecr:DescribeImages on the repository {package}.",
    reads=("ecr:DescribeImages",),
    refs=(_MINIMUM, _ECR),
)
def test_may_describe_images(feed: Feed, package: str, rights: Rights) -> None:
    expect_judgement(judge_permission(rights, "ecr:DescribeImages", package))


@check(
    id="PERM-4",
    severity=CRITICAL,
    title="The feed may list each repository's images",
    why="One of the four actions that Octopus documents as the minimum for a feed.",
    fix="Allow ecr:ListImages on the repository {package}.",
    reads=("ecr:ListImages",),
    refs=(_MINIMUM, _ECR),
)
def test_may_list_images(feed: Feed, package: str, rights: Rights) -> None:
    expect_judgement(judge_permission(rights, "ecr:ListImages", package))


@check(
    id="PERM-5",
    severity=CRITICAL,
    title="The feed may read each image's manifest",
    why="The documented minimum is not enough to pull: a target that pulls with the feed's own "
    "credentials reads the manifest with ecr:BatchGetImage.",
    fix="Allow ecr:BatchGetImage on the repository {package}.",
    reads=ANSWERS,
    refs=(_PULL, _ECR),
    applies=_pulls,
)
def test_may_pull_manifests(feed: Feed, package: str, rights: Rights) -> None:
    expect_judgement(judge_pull_permission(rights, "ecr:BatchGetImage", package))


@check(
    id="PERM-6",
    severity=CRITICAL,
    title="The feed may download each image's layers",
    why="The documented minimum is not enough to pull: a target that pulls with the feed's own "
    "credentials downloads layers with ecr:GetDownloadUrlForLayer.",
    fix="Allow ecr:GetDownloadUrlForLayer on the repository {package}.",
    reads=ANSWERS,
    refs=(_PULL, _ECR),
    applies=_pulls,
)
def test_may_download_layers(feed: Feed, package: str, rights: Rights) -> None:
    expect_judgement(judge_pull_permission(rights, "ecr:GetDownloadUrlForLayer", package))


@check(
    id="PERM-7",
    severity=MEDIUM,
    title="The feed may list repositories without naming them",
    why="A package search names no repository. AWS authorises such a call on repository/*: a "
    "policy scoped to single repositories denies the whole call; results are not filtered.",
    fix="Allow ecr:DescribeRepositories on repository/*, in addition to the scoped statements.",
    reads=("ecr:DescribeRepositories",),
    refs=(_ECR,),
)
def test_may_list_repositories(feed: Feed, rights: Rights) -> None:
    expect_judgement(judge_listing(rights))


@check(
    id="PERM-8",
    severity=HIGH,
    title="The live call, IAM's simulation and the policy evaluation agree",
    why="A call that IAM's simulation allows can still be denied by what the simulation does not "
    "cover: a resource control, registry, session or endpoint policy, or a condition.",
    fix="Check resource control, registry, session and endpoint policies, and conditions.",
    reads=ANSWERS,
    refs=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html",
    ),
    in_plan="A plan has one answer, the evaluation: there is none to compare it with.",
)
def test_witnesses_agree(feed: Feed, rights: Rights) -> None:
    expect_judgement(judge_agreement(rights))
