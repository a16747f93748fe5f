from __future__ import annotations

import pytest

from ecr_feed.facts.aws import Identity, ReadError
from ecr_feed.feed.access_key import FeedUser, user_of
from tests.field.helpers import FOUR, allow, deny, repository, table, user
from tests.support.feeds import ACCOUNT, APP, Opened, opened

SHELF = repository(APP)
KEYS = [
    {"label": "feed", "age_days": 10, "used_days": 0.1},
    {"label": "old", "age_days": 300, "status": "inactive"},
]
TWO = table("user", name="octopus", keys=KEYS, policies={"own": [allow(FOUR)]})


def feed_user(at: Opened) -> FeedUser:
    return at.view.user(at.rights.principal())


def test_the_feeds_own_key_and_the_others() -> None:
    with opened(SHELF, TWO) as at:
        found = feed_user(at)
        own = found.own_key()
        assert found.name == "octopus"
        assert own is not None
        assert own.is_active
        assert [key.is_active for key in found.other_keys()] == [False]
        assert len(found.keys()) == 2
        assert at.drain()["ListAccessKeys"] == 1


def test_a_key_that_iam_does_not_list() -> None:
    with opened(SHELF, TWO) as at:
        found = FeedUser(at.rights, at.rights.principal(), "AKIAOFSOMEBODYELSE01")
        assert found.own_key() is None
        assert len(found.other_keys()) == 2


@pytest.mark.parametrize("console", [False, True])
def test_a_console_password(console: bool) -> None:
    more = "console_password = true\n" if console else ""
    with opened(SHELF, user("feed", allow(FOUR)) + more) as at:
        assert feed_user(at).has_console_password() is console


def test_keys_that_the_auditor_may_not_list() -> None:
    watcher = user("watcher", allow("iam:*"), deny("iam:ListAccessKeys"))
    with opened(SHELF, TWO, watcher, auditor="watcher") as at, pytest.raises(ReadError):
        feed_user(at).own_key()


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/octopus", "octopus"),
        (f"arn:aws-cn:iam::{ACCOUNT}:user/teams/a/octopus", "octopus"),
        (f"arn:aws:iam::{ACCOUNT}:root", None),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/octopus/session", None),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/octopus", None),
    ],
)
def test_the_user_that_sts_names(arn: str, name: str | None) -> None:
    found = user_of(Identity(arn, ACCOUNT, "AIDAEXAMPLE"))
    assert (found.name if found else None) == name
    assert found is None or (found.arn, found.account, found.kind) == (arn, ACCOUNT, "user")
