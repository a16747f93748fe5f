"""The hosts that a worker needs, as reached from this machine."""

from __future__ import annotations

from collections.abc import Callable

from ecr_feed.facts.aws import Failure, ReadError
from ecr_feed.feed.registry import TEST_ENDPOINT
from ecr_feed.once import Once
from ecr_feed.outcomes import not_applicable, not_assessed
from ecr_feed.permissions.answers import Rights
from ecr_feed.reach import Connector, HostReach, Prober, Purpose, hosts_for


class Reachability:
    """The hosts of one feed, each probed once, all at the same time."""

    def __init__(self, rights: Rights, way: Callable[[], Connector], *, at_aws: bool) -> None:
        self._rights = rights
        self._way = way
        self._at_aws = at_aws
        self._account = Once(self._read_account)
        self._reached = Once(self._probe)

    def of(self, purpose: Purpose) -> HostReach:
        """One host; ends the check with a test endpoint, or where the host is unknown."""
        if self._rights.account.unshown_region() is not None:
            not_assessed("It depends on REGION-1: the hosts of this region are unknown.")
        if not self._at_aws:
            not_applicable(TEST_ENDPOINT)
        reached = next(
            (each for each in self._reached.get() if each.where.purpose is purpose), None
        )
        if reached is None:
            account = self._account.get()
            why = f": {account.summary}" if isinstance(account, Failure) else ""
            not_assessed(f"The host of the {purpose.value} is unknown without an account ID{why}.")
        return reached

    def _probe(self) -> tuple[HostReach, ...]:
        feed, account = self._rights.account.feed, self._account.get()
        whose = feed.account or (account if isinstance(account, str) else None)
        hosts = hosts_for(feed.region, whose, iam=True)
        return Prober(self._way()).probe_all(hosts)

    def _read_account(self) -> str | Failure:
        """The account of the credentials, or why it is unknown."""
        try:
            return self._rights.account.identity().account
        except ReadError as error:
            return error.failure
