"""Judge every rule of an account in this process, with one of AWS's answers replaced.

Each answer of the embedded account is kept as it was sent, and sent again for the same request:
what costs time (the account's own work, new clients) is paid once, not for each fault.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any, Final

import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.botosession import Settings
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.check import CheckInfo, info_of
from ecr_feed.config import Feed, KeyCredentials, OidcCredentials
from ecr_feed.embedded.protocol.botocore_handler import botocore_response, wire_request
from ecr_feed.embedded.protocol.operation_calls import parse
from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import pulls
from ecr_feed.embedded.registry.app import RegistryApp
from ecr_feed.embedded.registry.embedded_registry import PULLS
from ecr_feed.embedded.seeding.account_file import from_tables
from ecr_feed.embedded.seeding.seed import core_for, fill
from ecr_feed.facts.aws import ReadError
from ecr_feed.feed.view import FeedView
from ecr_feed.oci import Network
from ecr_feed.outcomes import NotApplicable, NotAssessed, NotMet, collecting_evidence
from ecr_feed.permissions.answers import Rights
from ecr_feed.plugin.catalogue import CHECKS, _module
from ecr_feed.reach import ClockOffset
from fixtures import facts
from tests.faults.accounts import ACCOUNT, feeds_of
from tests.faults.readers import READERS
from tests.support.requests_adapter import WireAdapter

CRASH: Final = "crash"
_KEY: Final = re.compile(r"Credential=([^/,\s]+)/")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: of which operation (of the registry: `ping`, `tags`, ...), and by whom."""

    service: str
    operation: str
    caller: str  # "feed", "auditor" or "" (unsigned)

    @property
    def action(self) -> str:
        """The call in `service:Operation` form."""
        return f"{self.service}:{self.operation}"


class LostError(Exception):
    """A change raises it where the connection is to be lost."""


Change = Callable[[Sent, int, WireResponse], WireResponse]
"""What becomes of an answer; the number counts the calls like it, from 1."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding: an outcome word, or `CRASH`, and what was said."""

    outcome: str
    text: str


Finding = tuple[str, str, str | None]
"""(feed, check, package)."""

Part = tuple[str, str]
"""(feed, family of checks)."""


class Bench:
    """An account, its feeds, and the checks that are judged on it."""

    def __init__(self, account: str) -> None:
        file = from_tables(tomllib.loads(account), "faults")
        self.feeds = feeds_of(account)
        self._core = core_for(file)
        self._seeded = fill(self._core, file)
        self._auditor = self._seeded.keys["auditor"].access_key_id
        self.now = datetime.now(UTC)
        self._kept: dict[tuple[object, ...], WireResponse] = {}
        self._change: Change | None = None
        self._lock = Lock()
        self.sent: Counter[Sent] = Counter()
        self.answers: dict[Sent, list[WireResponse]] = {}
        self._registry = RegistryApp(self._core, PULLS, pulls.storage)
        self._sessions = self._open()
        self.healthy: Findings = {}
        self.resting: dict[Sent, set[Part]] = {}
        """Which families of rules, of which feeds, make each call when they are judged alone."""
        families = dict.fromkeys(info.family for _, info in checks())
        for part in [(feed.name, family) for feed in self.feeds for family in families]:
            self.healthy |= self.judge(only={part})
            for sent in self.sent:
                self.resting.setdefault(sent, set()).add(part)
        self.values = {action: self.read(action) for action in READERS}

    def _open(self) -> Sessions:
        backend = Backend("embedded", self._answer, self._seeded.keys)
        return Sessions(backend=backend, settings=Settings(threads=2), now=lambda: self.now)

    def _forget(self) -> None:
        """Forget every fact; sessions and their clients stay."""
        kept = self._sessions
        for key in list(kept._facts):
            if not (isinstance(key, tuple) and key[0] == "session"):
                del kept._facts[key]
        for session in kept._facts.values():
            session.get().principals.__init__()
        kept._hosts._hosts.clear()
        kept.log.drain()

    def judge(
        self, change: Change | None = None, *, only: AbstractSet[Part] = frozenset()
    ) -> Findings:
        """Every finding, with each answer that AWS sends changed; `only` these parts."""
        self._forget()
        self._change = change
        self.sent.clear()
        self._audit = self.auditor()
        views = {feed.name: self._view(feed) for feed in self.feeds}
        said: Findings = {}
        for function, info in checks():
            for feed in self.feeds:
                if only and (feed.name, info.family) not in only:
                    continue
                for package in [p.id for p in feed.packages] if info.per_package else [None]:
                    given = _Given(self, feed, package, views[feed.name])
                    said[feed.name, info.id, package] = given.judge(function, info)
        self._change = None
        return said

    def _view(self, feed: Feed) -> FeedView:
        account = Account(feed, self._sessions)

        audit = self._audit
        rights = Rights(account, lambda number: audit, lambda: self.now)
        network = partial(Network, adapter=WireAdapter(self._served), pause=lambda _: None)
        return FeedView(
            rights, network, _no_way, at_aws=lambda: True, deep=True, look_elsewhere=True
        )

    def auditor(self, account: str = ACCOUNT) -> DocumentReader:
        """The auditor's reader of the account."""
        return DocumentReader(
            self._sessions, KeyCredentials(key="auditor"), self.feeds[0].region, account=account
        )

    def read(self, action: str, change: Change | None = None) -> object:
        """What a reader returns, with each answer that AWS sends changed. Raises what it raises."""
        self._forget()
        self._change = change
        self.sent.clear()
        try:
            return READERS[action](self.auditor())
        finally:
            self._change = None

    def clock_offset(self) -> ClockOffset | None:
        """As `Accounts` has it; the recorded dates are those of `now`."""
        offset = self._sessions.log.clock_offset()
        return None if offset is None else ClockOffset(offset, offset * 0)

    def registry(self, request: WireRequest) -> WireResponse:
        """The registry's answer, changed."""
        sent = Sent("registry", _registry_operation(request), "feed")
        key = (sent, request.method, request.url, request.headers.get("authorization"))
        return self._changed(sent, key, lambda: self._registry(request))

    def _served(self, request: WireRequest) -> WireResponse:
        """The registry's answer, for `requests`."""
        try:
            return self.registry(request)
        except LostError as error:
            raise requests.ConnectionError(ConnectionResetError(str(error))) from None

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        wire = wire_request(request)
        call = parse(wire)
        found = _KEY.search(wire.headers.get("authorization", ""))
        caller = "" if not found else "auditor" if found[1] == self._auditor else "feed"
        sent = Sent(call.service, call.operation, caller)
        key = (sent, found and found[1], call.region, wire.body)
        try:
            said = self._changed(sent, key, lambda: self._core.handle(wire))
        except LostError as error:
            raise ConnectionClosedError(endpoint_url=request.url, error=error) from None
        return botocore_response(request, said)

    def _changed(
        self, sent: Sent, key: tuple[object, ...], ask: Callable[[], WireResponse]
    ) -> WireResponse:
        with self._lock:
            self.sent[sent] += 1
            number = self.sent[sent]
        said = self._kept.get(key)
        if said is None:
            said = self._kept[key] = ask()
            if self._change is None:
                self.answers.setdefault(sent, []).append(said)
        return said if self._change is None else self._change(sent, number, said)


Findings = dict[Finding, Judged]


@dataclass(frozen=True)
class _Given:
    """The facts of one check, as pytest's fixtures would give them."""

    bench: Bench
    feed: Feed
    package: str | None
    view: FeedView

    def judge(self, function: Callable[..., None], info: CheckInfo) -> Judged:
        reason = info.applies(self.feed) if info.applies else None
        if reason is not None:
            return Judged("not applicable", reason)
        known: dict[str, Any] = {
            "feed": self.feed,
            "package": self.package,
            "now": self.bench.now,
            "on_worker": False,
            "plan": None,
            "view": self.view,
            "accounts": self.bench,
        }
        with collecting_evidence():
            try:
                function(**{name: _value(name, known) for name in _parameters(function)})
            except NotMet as error:
                return Judged("not met", error.message)
            except NotApplicable as error:
                return Judged("not applicable", str(error))
            except (NotAssessed, ReadError) as error:
                return Judged("not assessed", str(error))
            except Exception as error:  # noqa: BLE001 - the cell reports it
                return Judged(CRASH, repr(error))
        return Judged("met", "")


def _value(name: str, known: dict[str, Any]) -> Any:
    if name not in known:
        function = inspect.unwrap(getattr(facts, name))
        known[name] = function(**{each: _value(each, known) for each in _parameters(function)})
    return known[name]


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


_CHECKS: list[tuple[Callable[..., None], CheckInfo]] = []


def checks() -> Iterator[tuple[Callable[..., None], CheckInfo]]:
    """Every check of a feed but those of reachability, which rest on no answer of AWS's."""
    if not _CHECKS:
        for path in sorted(CHECKS.glob("test_*.py")):
            for function in vars(_module(path)).values():
                info = info_of(function)
                if info and info.subject == "feed" and info.family != "REACH":
                    _CHECKS.append((function, info))
    yield from _CHECKS


def _is_web(key: object) -> bool:
    return isinstance(key, tuple) and any(isinstance(part, OidcCredentials) for part in key)


def _registry_operation(request: WireRequest) -> str:
    path = request.path
    for part in ("tags", "manifests", "blobs"):
        if path.startswith("/v2/") and f"/{part}/" in path:
            return f"{request.method} {part}"
    return "ping" if path == "/v2/" else "layer"


def _no_way() -> Any:
    raise LookupError("reachability is not part of the matrix")
