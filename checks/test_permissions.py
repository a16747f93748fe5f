"""The feed's identity may call what a feed needs, per repository where the action has one."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, MEDIUM, check
from ecr_feed.config import Feed
from ecr_feed.oci.messages import many
from ecr_feed.outcomes import expect, not_applicable
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.judge import (
    NO_AUDITOR,
    disagreement_fix,
    disagreements,
    expect_allowed,
    expect_witnessed,
)
from ecr_feed.permissions.reads import WITNESSES

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
    expect_allowed(rights, "ecr:GetAuthorizationToken", None)


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
    expect_allowed(rights, "ecr:DescribeRepositories", package)


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
    expect_allowed(rights, "ecr:DescribeImages", package)


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
    expect_allowed(rights, "ecr:ListImages", package)


@check(
    id="PERM-5",
    severity=CRITICAL,
    title="The feed may read each image's manifest",
    why="The documented minimum is not enough to pull: a target that pulls with the feed's own "
    "credentials reads the manifest with ecr:BatchGetImage.",
    fix="Allow ecr:BatchGetImage on the repository {package}.",
    reads=WITNESSES,
    refs=(_PULL, _ECR),
    applies=_pulls,
)
def test_may_pull_manifests(feed: Feed, package: str, rights: Rights) -> None:
    expect_witnessed(rights, "ecr:BatchGetImage", package)


@check(
    id="PERM-6",
    severity=CRITICAL,
    title="The feed may download each image's layers",
    why="The documented minimum is not enough to pull: a target that pulls with the feed's own "
    "credentials downloads layers with ecr:GetDownloadUrlForLayer.",
    fix="Allow ecr:GetDownloadUrlForLayer on the repository {package}.",
    reads=WITNESSES,
    refs=(_PULL, _ECR),
    applies=_pulls,
)
def test_may_download_layers(feed: Feed, package: str, rights: Rights) -> None:
    expect_witnessed(rights, "ecr:GetDownloadUrlForLayer", package)


@check(
    id="PERM-7",
    severity=MEDIUM,
    title="The feed may list repositories without naming them",
    why="A search for packages has no name yet. AWS authorises a list without names on "
    "repository/*: a policy scoped to single repositories denies it whole, it filters nothing.",
    fix="Allow ecr:DescribeRepositories on repository/*, beside the scoped statements.",
    reads=("ecr:DescribeRepositories",),
    refs=(_ECR,),
)
def test_may_list_repositories(feed: Feed, rights: Rights) -> None:
    if not rights.has_auditor and rights.account.inventory().listing is None:
        not_applicable(f"Nothing had to be listed without names. {NO_AUDITOR}")
    expect_allowed(rights, "ecr:DescribeRepositories", None)


@check(
    id="PERM-8",
    severity=HIGH,
    title="The witnesses of each permission agree",
    why="Where a call is denied that IAM's simulation allows, something denies it that no "
    "simulation sees: a resource control, registry, session or endpoint policy, or a condition.",
    fix="Look for a resource control, registry, session or endpoint policy, or a condition.",
    reads=WITNESSES,
    refs=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html",
    ),
)
def test_witnesses_agree(feed: Feed, rights: Rights) -> None:
    if not rights.has_auditor:
        not_applicable(NO_AUDITOR)
    found = disagreements(rights)
    expect(
        not found,
        f"The witnesses disagree: {many(len(found), 'permission')}.",
        expected="one answer from probe, simulation and evaluation",
        found="; ".join(found) or None,
        fix=disagreement_fix(rights) if found else None,
    )
