"""A feed of an embedded account, opened in this process as a run opens it: no pytest run, no mock.

Account files are written with the words of `tests.field.helpers`.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.botosession import Settings
from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Feed, KeyCredentials, Package
from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from ecr_feed.embedded.registry import EmbeddedRegistry
from ecr_feed.embedded.seeding.account_file import from_tables
from ecr_feed.embedded.seeding.seed import OWNER, core_for, fill
from ecr_feed.feed.view import FeedView
from ecr_feed.once import Once
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.plan_says import PlanSays

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
APP: Final = "shop/cart"


def arn(name: str = APP) -> str:
    """A repository's ARN."""
    return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"


def package(name: str | Package) -> Package:
    """A package of a feed; a string is its ID."""
    return Package(id=name) if isinstance(name, str) else name


@dataclass
class Opened:
    """A feed's view, the account behind it and the record of calls."""

    view: FeedView
    core: EmbeddedAws
    log: CallLog
    again: Callable[[], Rights]
    """The rights as a run that starts now finds them."""

    @property
    def rights(self) -> Rights:
        """What the feed may do."""
        return self.view.rights

    def drain(self) -> Counter[str]:
        """The calls made since the last time, by operation."""
        return Counter(call.operation for call in self.log.drain())


@contextmanager
def opened(
    *parts: str,
    packages: tuple[str | Package, ...] = (APP,),
    auditor: str | None = OWNER,
    at_aws: bool = True,
    plan_says: PlanSays | None = None,
    look_elsewhere: bool = False,
    **feed: Any,
) -> Iterator[Opened]:
    """A feed with the key `feed` (or other `credentials`) on an account made of TOML parts.

    `auditor` is the label of the auditor's key, by default the account's owner; None: no auditor.
    """
    file = from_tables(tomllib.loads("\n".join(parts)), "test")
    core = core_for(file)
    seeded = fill(core, file)
    log = CallLog()
    with ExitStack() as closing:
        backend = Backend("embedded", boto3_answer(core), seeded.keys)
        server = Once(lambda: closing.enter_context(EmbeddedRegistry(core)))
        given = {"region": file.region, "credentials": KeyCredentials(key="feed"), **feed}
        judged = Feed(name="Feed", packages=tuple(map(package, packages)), **given)

        def rights() -> Rights:
            sessions = Sessions(backend=backend, log=log, settings=Settings(threads=2))
            closing.callback(sessions.close)

            def audit(number: str) -> DocumentReader:
                key = KeyCredentials(key=auditor or "")
                return DocumentReader(sessions, key, judged.region, account=number)

            asks: Callable[[str], DocumentReader] | None = None if auditor is None else audit
            return Rights(Account(judged, sessions), asks, sessions.now, plan_says=plan_says)

        view = FeedView(
            rights(),
            lambda: closing.enter_context(contextlib.closing(server.get().network())),
            lambda: server.get().way(),
            at_aws=lambda: at_aws,
            look_elsewhere=look_elsewhere,
        )
        yield Opened(view, core, log, rights)
