"""Opens the accounts of a run: AWS itself, or the embedded account in its place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.aws.transport.client import utcnow
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Feed
from ecr_feed.embedded.seeding.account_file import AccountFile
from ecr_feed.facts.aws import ReadError
from ecr_feed.feed.learnt import learnt, learnt_so_far
from ecr_feed.feed.view import FeedView
from ecr_feed.oci import Network
from ecr_feed.once import Once
from ecr_feed.permissions.answers import Rights
from ecr_feed.plugin.policy_files import write_feed_policies
from ecr_feed.plugin.reporter import reporter_of
from ecr_feed.plugin.run import Selection, selection
from ecr_feed.reach import ClockOffset, Connector, SystemConnector
from ecr_feed.report.services import POLICY_FIX


class Accounts:
    """Every feed's account, opened on first use and read once."""

    def __init__(self, chosen: Selection, sessions: Sessions, place: Place) -> None:
        self._chosen = chosen
        self._sessions = sessions
        self._place = place
        self._views: dict[str, FeedView] = {}
        self._audits: dict[tuple[str, str, str | None], DocumentReader] = {}
        self._learnt: dict[str, dict[str, object]] | None = None

    def view(self, feed: Feed) -> FeedView:
        """All that checks are given of the feed; read once."""
        if feed.slug not in self._views:
            self._views[feed.slug] = self._open(feed)
        return self._views[feed.slug]

    def _open(self, feed: Feed) -> FeedView:
        audit = None if self._sessions.auditor is None else partial(self._audit, feed)
        account = Account(feed, self._sessions)
        return FeedView(
            Rights(account, audit, utcnow, unknown=self._unknown_policies),
            self._place.network,
            self._place.way,
            at_aws=partial(self._is_at_aws, account),
            deep=self._chosen.deep,
            look_elsewhere=self._chosen.look_elsewhere,
        )

    def _audit(self, feed: Feed, account: str) -> DocumentReader:
        """One auditor's view per account and region, shared by the feeds that are in it."""
        auditor = self._sessions.auditor
        if auditor is None:
            raise LookupError("no auditor is configured")
        key = (feed.region, account, feed.endpoint_url)
        if key not in self._audits:
            self._audits[key] = DocumentReader(
                self._sessions,
                auditor,
                feed.region,
                account=account,
                endpoint_url=feed.endpoint_url,
            )
        return self._audits[key]

    def clock_offset(self) -> ClockOffset | None:
        """From the dates of AWS's answers so far; they are cut to the second."""
        offset = self._sessions.log.clock_offset()
        return None if offset is None else ClockOffset(offset, timedelta(seconds=1))

    def _is_at_aws(self, account: Account) -> bool:
        """No option, feeds file or variable sends this feed's calls to a test endpoint."""
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
    def _unknown_policies(self) -> tuple[str, ...]:
        """The policies that a plan does not determine yet."""
        account = self._chosen.account
        return account.unknown_policies if account is not None else ()

    def every(self) -> list[Rights]:
        """The rights of each feed that was opened."""
        return [view.rights for view in self._views.values()]

    def finish(self) -> None:
        """At the end of a run that was not interrupted: what is read for files and reports."""
        chosen = self._chosen
        if chosen.write_policy is not None:
            write_feed_policies(chosen.write_policy, chosen.suite, self.every())
        ask = POLICY_FIX in chosen.formats
        self._learnt = {
            rights.account.feed.slug: learnt(rights, policy_fix=ask) for rights in self.every()
        }

    def facts(self) -> dict[str, dict[str, object]]:
        """What the reports show of each feed's account, as builtin types."""
        if self._learnt is not None:
            return self._learnt
        return {rights.account.feed.slug: learnt_so_far(rights) for rights in self.every()}


@contextmanager
def accounts_of(config: pytest.Config) -> Iterator[Accounts]:
    """The run's accounts; everything opened for them is closed at the end."""
    chosen = selection(config)
    if chosen is None:
        raise pytest.UsageError("facts of feeds are for checks/ only")
    reporter = reporter_of(config)
    log = CallLog(on_call=reporter.saw_call)
    with ExitStack() as closing:
        place = _place(chosen, closing)
        backend = place.backend
        sessions = Sessions(
            auditor=chosen.suite.auditor,
            backend=backend,
            log=log,
            on_secret=reporter.learn_secret,
        )
        closing.callback(sessions.close)
        opened = Accounts(chosen, sessions, place)
        reporter.drain_calls, reporter.feed_facts = log.drain, opened.facts
        yield opened


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls, pulls and connections go; `network` and `way` do nothing until called."""

    backend: Backend
    network: Callable[[], Network]
    way: Callable[[], Connector]


def _place(chosen: Selection, closing: ExitStack) -> Place:
    if chosen.account is not None:
        return _embedded(chosen.account, closing)
    backend = Backend(kind="aws", endpoint_url=chosen.endpoint_url)
    network = Once(lambda: closing.enter_context(contextlib.closing(Network())))
    return Place(backend, network.get, _outside)


def _outside() -> Connector:
    """This machine's own network; AWS's own hosts may need another bundle than registries."""
    bundle = os.environ.get("AWS_CA_BUNDLE")
    return SystemConnector(ca=bundle) if bundle else SystemConnector()


def _embedded(account: AccountFile, closing: ExitStack) -> Place:
    from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
    from ecr_feed.embedded.registry import EmbeddedRegistry
    from ecr_feed.embedded.seeding.seed import core_for, fill

    core = core_for(account)
    seeded = fill(core, account)
    backend = Backend(
        kind="embedded",
        answer=boto3_answer(core),
        keys=seeded.keys,
    )
    server = Once(lambda: closing.enter_context(EmbeddedRegistry(core)))
    return Place(backend, lambda: server.get().network(), lambda: server.get().way())
