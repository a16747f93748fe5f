"""A model of one account, small enough to be believed: what AWS documents of what a feed meets.

- A request is allowed when a statement allows it and none denies it, in the user's policies and the
  repository's own; a repository's grant to a user of its account is enough by itself. (IAM User
  Guide, "Policy evaluation for requests within a single account")
- ecr:GetAuthorizationToken has no resource: only `*` covers it. The list without names is judged on
  every repository's ARN at once. (Service Authorization Reference, Amazon ECR)
- An inactive key is nobody's, and nobody's key works in a region that is not enabled. (IAM User
  Guide, "Manage access keys"; Account Management Reference Guide, "Enable or disable Regions")
- A token lives 12 hours. (ECR API Reference, GetAuthorizationToken)
- A deleted repository takes its images and its policy with it. (same, DeleteRepository)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

TOKEN: Final = "ecr:GetAuthorizationToken"
DESCRIBE: Final = "ecr:DescribeRepositories"
IMAGES: Final = "ecr:DescribeImages"
LIST: Final = "ecr:ListImages"
ACTIONS: Final = (TOKEN, DESCRIBE, IMAGES, LIST)
NAMES: Final = ("team/app", "team/api", "web")

EVERYTHING: Final = "*"
EVERY_REPOSITORY: Final = "repository/*"
SCOPES: Final = (EVERYTHING, EVERY_REPOSITORY, *NAMES)

NOWHERE: Final = ""  # the target of a call that has no resource
LISTING: Final = "repository/*"  # the target of the list without names


@dataclass(frozen=True)
class Statement:
    """One statement of the user's, or (with a repository's name as scope) of a repository's.

    `until`: the hour, counted from the account's beginning, at which it ceases to hold.
    """

    effect: str
    action: str
    scope: str
    until: int | None = None

    def applies(self, action: str, target: str, hour: int) -> bool:
        """Whether it says anything of an action on a target, now."""
        if self.until is not None and hour >= self.until:
            return False
        return self.action in (action, "ecr:*") and self._covers(target)

    def _covers(self, target: str) -> bool:
        if self.scope == EVERYTHING:
            return True
        if target == NOWHERE:
            return False
        return self.scope in (EVERY_REPOSITORY, target)


@dataclass
class Image:
    """An image by its content."""

    tags: set[str] = field(default_factory=set)
    archived: bool = False


@dataclass
class Repository:
    """A repository: images by content, and its own policy's one statement."""

    images: dict[int, Image] = field(default_factory=dict)
    policy: Statement | None = None

    def holder(self, tag: str) -> Image | None:
        """The image that carries a tag."""
        return next((image for image in self.images.values() if tag in image.tags), None)


@dataclass
class Model:
    """The account. `statements`: the user's, by the name of the inline policy that holds each."""

    statements: dict[str, Statement] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    key_active: bool = True
    region_enabled: bool = True
    hour: int = 0

    @property
    def open(self) -> bool:
        """The feed's key is accepted in the feed's region."""
        return self.key_active and self.region_enabled

    def may(self, action: str, target: str) -> bool:
        """Whether AWS allows the user's call."""
        effects = {each.effect for each in self._speaking(action, target)}
        return "Deny" not in effects and "Allow" in effects

    def _speaking(self, action: str, target: str) -> Iterable[Statement]:
        own = self.repositories.get(target)
        policies = [*self.statements.values(), *([own.policy] if own and own.policy else [])]
        return [each for each in policies if each.applies(action, target, self.hour)]

    def tells(self, name: str) -> bool:
        """Whether the user can learn if there is a repository of this name."""
        return self.may(DESCRIBE, name) or self.may(DESCRIBE, LISTING)
