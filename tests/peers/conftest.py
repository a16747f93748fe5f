"""The table's account, twice: in this process, and in a ministack of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.identity.callers import owner_key
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from tests.embedded.ministack import INSTALL, VARIABLE, running
from tests.peers.account import Caller, Peer
from tests.peers.every_row import ROWS
from tests.peers.rows import ACCOUNT


@pytest.fixture(scope="session")
def embedded() -> Peer:
    """The embedded account, through botocore's own event; its clients come from 127.0.0.1."""
    core = EmbeddedAws(clock=lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
    core.world.environment.source_ip = "127.0.0.1"

    def entry(session: object) -> None:
        emitter = session.get_component("event_emitter")  # type: ignore[attr-defined] # botocore has no types
        emitter.register_first("before-send", boto3_answer(core))

    owner = (owner_key(ACCOUNT), core.world.keys.owner_secret, None)
    return Peer("embedded", Caller(entry), owner).fill(ROWS)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """ministack, whose root is the account's number with any secret."""
    if VARIABLE not in os.environ:
        leave = pytest.fail if os.environ.get("CI") else pytest.skip  # CI has every real part
        leave(INSTALL)
    with running(tmp_path_factory.mktemp("ministack")) as url:
        caller = Caller(endpoint_url=url)
        yield Peer("ministack", caller, (ACCOUNT, "root", None)).fill(ROWS)
