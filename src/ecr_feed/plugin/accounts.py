"""Opens the accounts of a run: AWS itself, or the embedded account in its place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.aws.transport.client import utcnow
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Feed
from ecr_feed.embedded.seeding.account_file import AccountFile
from ecr_feed.facts.aws import ReadError, Secret
from ecr_feed.feed.learnt import learnt, learnt_so_far, stated
from ecr_feed.feed.view import FeedView
from ecr_feed.oci import Network
from ecr_feed.once import Once
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.fixes import needed_policy
from ecr_feed.permissions.plan_says import PlanSays
from ecr_feed.permissions.planned_rights import PlannedRights
from ecr_feed.plugin.own_files import MARK_SIZE
from ecr_feed.plugin.selection import Selection
from ecr_feed.reach import ClockOffset, Connector, SystemConnector
from ecr_feed.report.services import POLICY_FIX


class Accounts:
    """Every feed's account, opened on first use and read once.

    Making it opens nothing: neither AWS's libraries nor the embedded account are loaded before the
    first fact is asked for. `on_secret` is told of each secret that is read. `close` closes all
    that was opened.
    """

    def __init__(
        self, chosen: Selection, log: CallLog, on_secret: Callable[[Secret], None]
    ) -> None:
        self._chosen = chosen
        self._log = log
        self._on_secret = on_secret
        self._closing = ExitStack()
        self._destination = Once(self._open_destination)
        self._sessions = Once(self._open_sessions)
        self._views: dict[str, FeedView] = {}
        self._audits: dict[tuple[str, str, str | None], DocumentReader] = {}

    def _open_destination(self) -> Destination:
        return _destination(self._chosen, self._closing)

    def _open_sessions(self) -> Sessions:
        sessions = Sessions(
            auditor=self._chosen.suite.auditor,
            backend=self._destination.get().backend,
            # Documents of a plan are read back from where they were put: no call of a feed.
            log=self._log if self._chosen.plan is None else CallLog(),
            on_secret=self._on_secret,
        )
        self._closing.callback(sessions.close)
        return sessions

    def close(self) -> None:
        """Close what was opened, the last first. No fact can be read afterwards."""
        self._closing.close()

    def view(self, feed: Feed) -> FeedView:
        """All that checks are given of the feed; read once."""
        if feed.slug not in self._views:
            self._views[feed.slug] = self._open(feed)
        return self._views[feed.slug]

    def _open(self, feed: Feed) -> FeedView:
        sessions, destination = self._sessions.get(), self._destination.get()
        account = Account(feed, sessions)
        return FeedView(
            self._rights(feed, account),
            destination.network,
            destination.way,
            at_aws=partial(self._is_at_aws, account),
            deep=self._chosen.deep and self._chosen.mode != "plan",  # nothing is there to pull
            look_elsewhere=self._chosen.look_elsewhere or self._chosen.plan is not None,
        )

    def _rights(self, feed: Feed, account: Account) -> Rights:
        audit = partial(self._audit, feed)
        if (plan := self._chosen.plan) is not None:
            return PlannedRights(account, audit, utcnow, plan=plan, plan_says=self._plan_says)
        has_auditor = self._sessions.get().auditor is not None
        return Rights(account, audit if has_auditor else None, utcnow)

    def _audit(self, feed: Feed, account: str) -> DocumentReader:
        """One reader for each account and region, shared by the feeds in it."""
        auditor = self._sessions.get().auditor
        if auditor is None:
            raise LookupError("no auditor is configured")
        at = self._chosen.account
        region = at.region if at is not None and at.plan is not None else feed.region
        key = (region, account, feed.endpoint_url)
        if key not in self._audits:
            self._audits[key] = DocumentReader(
                self._sessions.get(),
                auditor,
                region,
                account=account,
                endpoint_url=feed.endpoint_url,
            )
        return self._audits[key]

    def clock_offset(self) -> ClockOffset | None:
        """From the Date headers of AWS's answers so far, which have whole seconds."""
        offset = self._log.clock_offset()
        return None if offset is None else ClockOffset(offset, timedelta(seconds=1))

    def _is_at_aws(self, account: Account) -> bool:
        """Whether this feed's calls go to AWS, not to an endpoint that was named."""
        if self._chosen.account is not None:
            return True
        feed = account.feed
        if feed.endpoint_url or self._chosen.endpoint_url or feed.registry_endpoint:
            return False
        try:
            return account.is_at_aws()
        except ReadError:
            return not any(name.startswith("AWS_ENDPOINT_URL") for name in os.environ)

    @property
    def _plan_says(self) -> PlanSays:
        """What a plan leaves open about its feed, and what it assumes and names besides."""
        account = self._chosen.account
        if account is None:
            return PlanSays()
        return PlanSays(account.left_open, (*account.assumed, *account.remarks))

    def _every(self) -> list[Rights]:
        """The rights of each feed that was opened."""
        return [view.rights for view in self._views.values()]

    def facts(self, *, interrupted: bool) -> dict[str, dict[str, Any]]:
        """What the reports show of each opened feed's account, by slug, as builtin types.

        It reads what no check of this run has read, unless the run was interrupted.
        """
        ask = POLICY_FIX in self._chosen.formats
        if (plan := self._chosen.plan) is not None:
            way = self._chosen.attach
            return {r.account.feed.slug: stated(r, plan, way, ask=ask) for r in self._every()}
        told: dict[str, dict[str, Any]] = {}
        for rights in self._every():
            others = [each["policy_fix"] for each in told.values() if each["policy_fix"]]
            told[rights.account.feed.slug] = (
                learnt_so_far(rights)
                if interrupted
                else learnt(rights, policy_fix=ask, others=others)
            )
        return told

    @property
    def _planned(self) -> str | None:
        """How a plan's policies are attached, "" where that is the plan's own; None: no plan."""
        return self._chosen.attach if self._chosen.mode == "plan" else None

    def smallest_policies(self) -> dict[str, dict[str, Any] | None]:
        """For `--write-policy`, by slug: `needed_policy` of each opened feed. It may read."""
        made: dict[str, dict[str, Any] | None] = {}
        for rights in self._every():
            others = [policy for policy in made.values() if policy]
            made[rights.account.feed.slug] = needed_policy(
                rights, planned=self._planned, others=others, spare=MARK_SIZE
            )
        return made


ACCOUNTS: Final = pytest.StashKey[Accounts]()


def accounts_of(config: pytest.Config) -> Accounts:
    """The accounts of the run. Raises UsageError in a run that does not touch checks/."""
    held = config.stash.get(ACCOUNTS, None)
    if held is None:
        raise pytest.UsageError("facts of feeds are for checks/ only")
    return held


@dataclass(frozen=True, slots=True)
class Destination:
    """Where calls, pulls and connections go; `network` and `way` do nothing until called."""

    backend: Backend
    network: Callable[[], Network]
    way: Callable[[], Connector]


def _destination(chosen: Selection, closing: ExitStack) -> Destination:
    if chosen.account is not None:
        return _embedded(chosen.account, closing)
    backend = Backend(kind="aws", endpoint_url=chosen.endpoint_url)
    network = Once(lambda: closing.enter_context(contextlib.closing(Network())))
    return Destination(backend, network.get, _outside)


def _outside() -> Connector:
    """This machine's network. AWS's hosts may need another CA bundle than registries."""
    bundle = os.environ.get("AWS_CA_BUNDLE")
    return SystemConnector(ca=bundle) if bundle else SystemConnector()


def _embedded(account: AccountFile, closing: ExitStack) -> Destination:
    from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
    from ecr_feed.embedded.registry import EmbeddedRegistry
    from ecr_feed.embedded.seeding.seed import OWNER, core_for, fill

    core = core_for(account)
    seeded = fill(core, account)
    keys = dict(seeded.keys)
    if account.plan is not None:
        keys = {OWNER: keys[OWNER]}  # a plan has no credentials to call with
    backend = Backend(kind="embedded", answer=boto3_answer(core), keys=keys)
    server = Once(lambda: closing.enter_context(EmbeddedRegistry(core)))
    return Destination(backend, lambda: server.get().network(), lambda: server.get().way())
