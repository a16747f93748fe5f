"""The accounts of a run: opened when they are asked for, closed at its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.facts.aws import Secret
from ecr_feed.plugin.backend import Accounts, accounts_of
from ecr_feed.plugin.selection import Selection

Select = Callable[..., Selection]


@pytest.fixture
def secrets() -> list[Secret]:
    return []


@pytest.fixture
def log() -> CallLog:
    return CallLog()


@pytest.fixture
def accounts(selected: Select, log: CallLog, secrets: list[Secret]) -> Iterator[Accounts]:
    opened = Accounts(selected("--demo", "missing-repository"), log, secrets.append)
    yield opened
    opened.close()


def test_making_them_opens_nothing() -> None:
    script = (
        "import os, sys; from pathlib import Path; sys.path[:0] = ['src']\n"
        "from ecr_feed.aws.transport.call_log import CallLog\n"
        "from ecr_feed.plugin.backend import Accounts\n"
        "from ecr_feed.plugin.option_table import OPTIONS, command_line\n"
        "from ecr_feed.plugin.selection import select\n"
        "parsed = {each.dest: each.default for each in OPTIONS}\n"
        "given = command_line(parsed, root=Path.cwd(), here=Path.cwd())\n"
        "accounts = Accounts(select(given, {}), CallLog(), print)\n"
        "assert accounts.facts() == accounts.smallest_policies() == {}\n"
        "accounts.close()\n"
        "print(sorted({'boto3', 'botocore', 'moto', 'cryptography'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_an_account_is_opened_once_and_its_calls_are_in_the_log(
    accounts: Accounts, selected: Select, log: CallLog, secrets: list[Secret]
) -> None:
    (feed,) = selected("--demo", "missing-repository").suite.feeds
    account = accounts.of(feed)
    assert accounts.of(feed) is account
    assert accounts.rights(feed) is accounts.rights(feed)
    assert not log.peek()
    account.identity()
    account.identity()
    account.token()
    calls = [call.operation for call in log.peek()]
    assert sorted(calls) == ["GetAuthorizationToken", "GetCallerIdentity"]
    assert secrets


def test_facts_are_what_was_read_and_read_nothing(
    accounts: Accounts, selected: Select, log: CallLog
) -> None:
    (feed,) = selected("--demo", "missing-repository").suite.feeds
    account = accounts.of(feed)
    before = accounts.facts()[feed.slug]
    assert (before["account"], before["token"]) == ("", [])
    identity = account.identity()
    calls = len(log.peek())
    assert accounts.facts()[feed.slug]["account"] == identity.account
    assert len(log.peek()) == calls


def test_a_run_without_checks_has_none(pytestconfig: pytest.Config) -> None:
    with pytest.raises(pytest.UsageError, match="for checks/ only"):
        accounts_of(pytestconfig)
