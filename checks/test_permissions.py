"""The feed's identity may call what a feed needs, per repository where the action has one."""

from __future__ import annotations

from ecr_feed.aws.account import Account
from ecr_feed.check import CRITICAL, check
from ecr_feed.config import Feed
from fixtures.permissions import expect_allowed

_MINIMUM = (
    "https://octopus.com/docs/packaging-applications/package-repositories/guides/"
    "container-registries/amazon-ec2-container-services"
)
_ECR = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html"


@check(
    id="PERM-1",
    severity=CRITICAL,
    title="The feed may fetch an authorization token",
    why="Every login and every pull begins with ecr:GetAuthorizationToken.",
    fix='Allow ecr:GetAuthorizationToken on "Resource": "*", in a statement of its own.',
    reads=("ecr:GetAuthorizationToken",),
    refs=(_MINIMUM, _ECR),
)
def test_may_get_authorization_token(feed: Feed, account: Account) -> None:
    expect_allowed(account, "ecr:GetAuthorizationToken", None)


@check(
    id="PERM-2",
    severity=CRITICAL,
    title="The feed may describe each repository",
    why="One of the four actions that Octopus documents as the minimum for a feed.",
    fix="Allow ecr:DescribeRepositories on the repository {package}.",
    reads=("ecr:DescribeRepositories",),
    refs=(_MINIMUM, _ECR),
)
def test_may_describe_repositories(feed: Feed, package: str, account: Account) -> None:
    expect_allowed(account, "ecr:DescribeRepositories", package)


@check(
    id="PERM-3",
    severity=CRITICAL,
    title="The feed may describe each repository's images",
    why="One of the four actions that Octopus documents as the minimum for a feed.",
    fix="Allow ecr:DescribeImages on the repository {package}.",
    reads=("ecr:DescribeImages",),
    refs=(_MINIMUM, _ECR),
)
def test_may_describe_images(feed: Feed, package: str, account: Account) -> None:
    expect_allowed(account, "ecr:DescribeImages", package)


@check(
    id="PERM-4",
    severity=CRITICAL,
    title="The feed may list each repository's images",
    why="One of the four actions that Octopus documents as the minimum for a feed.",
    fix="Allow ecr:ListImages on the repository {package}.",
    reads=("ecr:ListImages",),
    refs=(_MINIMUM, _ECR),
)
def test_may_list_images(feed: Feed, package: str, account: Account) -> None:
    expect_allowed(account, "ecr:ListImages", package)
