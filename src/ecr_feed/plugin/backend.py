"""Opens the accounts of a run: AWS itself, or the embedded account in its place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.documents import DocumentReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.aws.transport.client import utcnow
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Feed
from ecr_feed.embedded.seeding.accounts import AccountFile
from ecr_feed.facts.aws import ReadError, Secret
from ecr_feed.facts.iam import AccessKey
from ecr_feed.feed.reachability import Reachability
from ecr_feed.feed.registry import FeedRegistry
from ecr_feed.oci import Network
from ecr_feed.once import Once
from ecr_feed.permissions.answers import Rights
from ecr_feed.plugin.policy_files import smallest_documents
from ecr_feed.plugin.selection import Selection
from ecr_feed.reach import ClockOffset, SystemWay, Way


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
        self._opened: dict[str, Account] = {}
        self._rights: dict[str, Rights] = {}
        self._registries: dict[str, FeedRegistry] = {}
        self._reachabilities: dict[str, Reachability] = {}
        self._audits: dict[tuple[str, str, str | None], DocumentReader] = {}
        self.look_elsewhere = chosen.look_elsewhere

    def _open_destination(self) -> Destination:
        return _destination(self._chosen, self._closing)

    def _open_sessions(self) -> Sessions:
        sessions = Sessions(
            auditor=self._chosen.suite.auditor,
            backend=self._destination.get().backend,
            log=self._log,
            on_secret=self._on_secret,
        )
        self._closing.callback(sessions.close)
        return sessions

    def close(self) -> None:
        """Close what was opened, the last first. No fact can be read afterwards."""
        self._closing.close()

    def of(self, feed: Feed) -> Account:
        """The feed's account, read with the feed's own credentials."""
        if feed.slug not in self._opened:
            self._opened[feed.slug] = Account(feed, self._sessions.get())
        return self._opened[feed.slug]

    def rights(self, feed: Feed) -> Rights:
        """What the feed may do, from calls, simulation and evaluation; read once."""
        if feed.slug not in self._rights:
            audit = None if self._sessions.get().auditor is None else partial(self._audit, feed)
            self._rights[feed.slug] = Rights(
                self.of(feed), audit, utcnow, unknown=self._unknown_policies
            )
        return self._rights[feed.slug]

    def _audit(self, feed: Feed, account: str) -> DocumentReader:
        """One reader for each account and region, shared by the feeds in it."""
        auditor = self._sessions.get().auditor
        if auditor is None:
            raise LookupError("no auditor is configured")
        key = (feed.region, account, feed.endpoint_url)
        if key not in self._audits:
            self._audits[key] = DocumentReader(
                self._sessions.get(),
                auditor,
                feed.region,
                account=account,
                endpoint_url=feed.endpoint_url,
            )
        return self._audits[key]

    def registry(self, feed: Feed) -> FeedRegistry:
        """The feed's registry over its HTTP API; logged in to once."""
        if feed.slug not in self._registries:
            self._registries[feed.slug] = FeedRegistry(
                self.rights(feed),
                self._destination.get().network,
                at_aws=self.at_aws(feed),
                deep=self._chosen.deep,
            )
        return self._registries[feed.slug]

    def reachability(self, feed: Feed) -> Reachability:
        """The hosts that the feed's workers need; probed once."""
        if feed.slug not in self._reachabilities:
            self._reachabilities[feed.slug] = Reachability(
                self.rights(feed), self._destination.get().way, at_aws=self.at_aws(feed)
            )
        return self._reachabilities[feed.slug]

    def clock_offset(self) -> ClockOffset | None:
        """From the Date headers of AWS's answers so far, which have whole seconds."""
        offset = self._log.clock_offset()
        return None if offset is None else ClockOffset(offset, timedelta(seconds=1))

    def at_aws(self, feed: Feed) -> bool:
        """Whether this feed's calls go to AWS, not to an endpoint that was named."""
        if self._chosen.account is not None:
            return True
        if feed.endpoint_url or self._chosen.endpoint_url or feed.registry_endpoint:
            return False
        try:
            return self.of(feed).is_at_aws()
        except ReadError:
            return not any(name.startswith("AWS_ENDPOINT_URL") for name in os.environ)

    @property
    def _unknown_policies(self) -> tuple[str, ...]:
        """The policies that a plan does not determine yet."""
        account = self._chosen.account
        return account.unknown_policies if account is not None else ()

    def every(self) -> Iterator[Rights]:
        """The rights of each feed that was opened."""
        for account in list(self._opened.values()):
            yield self.rights(account.feed)

    def facts(self) -> dict[str, dict[str, object]]:
        """What was learnt of each feed, by slug, as builtin types, for the reports. No reads."""
        return {rights.account.feed.slug: _learnt(rights) for rights in self.every()}

    def smallest_policies(self) -> dict[str, list[dict[str, Any]]]:
        """For `--write-policy`, by slug: the documents of each opened feed. It may read."""
        return {rights.account.feed.slug: smallest_documents(rights) for rights in self.every()}


def _learnt(rights: Rights) -> dict[str, object]:
    """What was read of an account so far, in the builtin types that workers can send."""
    access, token = rights.account.known()
    identity = access.identity if access else None
    return {
        "account": identity.account if identity else "",
        "identity_arn": identity.arn if identity else "",
        "identity_source": identity.source if identity else "",
        "token": [token.fetched_at.isoformat(), token.expires_at.isoformat()] if token else [],
        "keys": [_key(key) for key in rights.known_keys],
        "policy_fix": rights.policy_fix,
        "auditor_arn": rights.known_auditor,
    }


def _key(key: AccessKey) -> dict[str, str | None]:
    made, used = key.created_at, key.last_used_at
    return {
        "key_id": key.id,
        "status": key.status,
        "created_at": made.isoformat() if made else None,
        "last_used_at": used.isoformat() if used else None,
    }


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
    way: Callable[[], Way]


def _destination(chosen: Selection, closing: ExitStack) -> Destination:
    if chosen.account is not None:
        return _embedded(chosen.account, closing)
    backend = Backend(kind="aws", endpoint_url=chosen.endpoint_url)
    network = Once(lambda: closing.enter_context(contextlib.closing(Network())))
    return Destination(backend, network.get, _outside)


def _outside() -> Way:
    """This machine's network. AWS's hosts may need another CA bundle than registries."""
    bundle = os.environ.get("AWS_CA_BUNDLE")
    return SystemWay(ca=bundle) if bundle else SystemWay()


def _embedded(account: AccountFile, closing: ExitStack) -> Destination:
    from ecr_feed.embedded.protocol.doors import boto3_answer
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
    return Destination(backend, lambda: server.get().network(), lambda: server.get().way())
