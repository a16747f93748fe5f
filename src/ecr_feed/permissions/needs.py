"""The actions that a feed needs, and the resources AWS judges them on. Pure."""

from __future__ import annotations

from typing import Final

from ecr_feed.config import Feed
from ecr_feed.iam import Need
from ecr_feed.naming import repository_arn

TOKEN: Final = "ecr:GetAuthorizationToken"
DESCRIBE: Final = "ecr:DescribeRepositories"
READ: Final = (DESCRIBE, "ecr:DescribeImages", "ecr:ListImages")
"""What Octopus calls on each repository. This audit makes the same calls with the feed's key."""
CALLED: Final = (TOKEN, *READ)
"""All that this audit calls in ECR's API with the feed's own credentials; a PERM rule each."""
PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""What a pull needs besides. Never called here: AWS counts it as a pull."""


def actions_on_repositories(feed: Feed) -> tuple[str, ...]:
    """What the feed needs on each repository; `PULL` only where targets pull with its key."""
    return (*READ, *(PULL if feed.pulls else ()))


def resource_of(action: str, account: str, region: str, package: str | None) -> str:
    """The ARN that AWS judges the action on; `*` for the token, which has none.

    `package` None: the list without names, which is judged on every repository.
    """
    return "*" if action == TOKEN else repository_arn(account, region, package or "*")


def needs(feed: Feed, account: str) -> list[Need]:
    """What a feed needs, on exactly its packages; Octopus's search needs the list without names."""
    wanted: list[tuple[str, str | None]] = [(TOKEN, None), (DESCRIBE, None)]
    actions = actions_on_repositories(feed)
    wanted += [(action, package.id) for package in feed.packages for action in actions]
    return [
        Need(action, resource_of(action, account, feed.region, package))
        for action, package in wanted
    ]
