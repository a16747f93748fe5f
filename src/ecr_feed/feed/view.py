"""One feed put together: its account and rights, and what is derived from both."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from ecr_feed.aws.account import Account
from ecr_feed.facts.iam import Principal
from ecr_feed.feed.access_key import FeedUser
from ecr_feed.feed.missing import Creation, MissingElsewhere
from ecr_feed.feed.reachability import Reachability
from ecr_feed.feed.registry import FeedRegistry
from ecr_feed.oci import Network
from ecr_feed.once import Once
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.pull_proof import Walked
from ecr_feed.reach import Connector


class FeedView:
    """All that checks are given of one feed. Each part is made when first asked for, then kept.

    `at_aws` tells whether the feed's calls go to AWS itself; it may make a call, and is asked once.
    `network` and `way` open what pulls and connections go through, when first needed. `deep` and
    `look_elsewhere` are the options of those names.
    """

    def __init__(
        self,
        rights: Rights,
        network: Callable[[], Network],
        way: Callable[[], Connector],
        *,
        at_aws: Callable[[], bool],
        deep: bool = False,
        look_elsewhere: bool = False,
    ) -> None:
        self.rights = rights
        self._network = network
        self._way = way
        self._at_aws = Once(at_aws)
        self._deep = deep
        self._look_elsewhere = look_elsewhere
        if deep or rights.account.feed.deep:
            rights.pulled = self._downloaded

    def _downloaded(self, package: str) -> Walked | None:
        return self.registry.downloaded(package)

    @property
    def account(self) -> Account:
        """The feed's account, read with the feed's own credentials."""
        return self.rights.account

    @cached_property
    def registry(self) -> FeedRegistry:
        """The feed's registry, as Docker sees it; logged in to once."""
        return FeedRegistry(self.rights, self._network, at_aws=self._at_aws.get(), deep=self._deep)

    @cached_property
    def reachability(self) -> Reachability:
        """The hosts that the feed's workers need; connected to once."""
        return Reachability(self.rights, self._way, at_aws=self._at_aws.get())

    @cached_property
    def creation(self) -> Creation:
        """What would create a missing repository."""
        return Creation(self.rights, self._at_aws.get)

    @cached_property
    def elsewhere(self) -> MissingElsewhere:
        """The account's other regions."""
        return MissingElsewhere(self.rights, self._look_elsewhere)

    def user(self, principal: Principal) -> FeedUser:
        """The IAM user behind the feed's access key."""
        return FeedUser(self.rights, principal, self.rights.access_key_id())
