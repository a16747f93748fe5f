"""The accounts of a run: opened when they are asked for, closed at its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.facts.aws import Secret
from ecr_feed.plugin.accounts import Accounts, accounts_of
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
        "from ecr_feed.plugin.accounts import Accounts\n"
        "from ecr_feed.plugin.option_table import OPTIONS, command_line\n"
        "from ecr_feed.plugin.selection import select\n"
        "from ecr_feed.text.files import Files\n"
        "parsed = {each.dest: each.default for each in OPTIONS}\n"
        "given = command_line(parsed, root=Path.cwd(), here=Path.cwd())\n"
        "accounts = Accounts(select(given, {}, Files()), CallLog(), print)\n"
        "assert accounts.facts(interrupted=False) == accounts.smallest_policies() == {}\n"
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
    account = accounts.view(feed).account
    assert accounts.view(feed).account is account
    assert accounts.view(feed).rights is accounts.view(feed).rights
    assert not log.peek()
    account.identity()
    account.identity()
    account.token()
    calls = [call.operation for call in log.peek()]
    assert sorted(calls) == ["GetAuthorizationToken", "GetCallerIdentity"]
    assert secrets


def test_facts_of_an_interrupted_run_are_what_was_read(
    accounts: Accounts, selected: Select, log: CallLog
) -> None:
    (feed,) = selected("--demo", "missing-repository").suite.feeds
    account = accounts.view(feed).account
    before = accounts.facts(interrupted=True)[feed.slug]
    assert (before["account"], before["token"]) == ("", [])
    assert not log.peek()
    identity = account.identity()
    calls = len(log.peek())
    assert accounts.facts(interrupted=True)[feed.slug]["account"] == identity.account
    assert len(log.peek()) == calls


def test_facts_of_a_finished_run_are_complete_whatever_its_checks_read(
    accounts: Accounts, selected: Select
) -> None:
    (feed,) = selected("--demo", "missing-repository").suite.feeds
    accounts.view(feed)
    told = accounts.facts(interrupted=False)[feed.slug]
    assert (told["account"], told["identity_source"]) != ("", "")
    assert told["token"]


def test_a_run_without_checks_has_none(pytestconfig: pytest.Config) -> None:
    with pytest.raises(pytest.UsageError, match="for checks/ only"):
        accounts_of(pytestconfig)
