"""Credentials that are refreshed in mid-run: to the same principal, or to another one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.transport.principals import principal_of
from ecr_feed.config import ProfileCredentials
from ecr_feed.facts.aws import Answer, Failure, Trouble
from tests.aws.fake import ACCOUNT, FakeAws, Reply, fault, identity, over_http, served
from tests.aws.helpers import embedded, failure_of, feed, home, over

APP = "team/app"
FIRST, SECOND = "AKIAEXAMPLEEXAMPLE01", "AKIASECONDSECONDSEC2"
USER = f"arn:aws:iam::{ACCOUNT}:user/octopus"
OTHER = f"arn:aws:iam::{ACCOUNT}:user/backup"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/octopus"


def _who(second: str, first: str = USER) -> FakeAws:
    """An AWS that says who the holder of each key is."""
    fake = FakeAws({APP: 1})
    arns = {FIRST: first, SECOND: second}
    fake.replies["GetCallerIdentity"] = lambda call: identity(arns[call.key])
    return fake


def _changed(fake: FakeAws) -> Account:
    """The account of a feed whose key becomes another one after its identity was read."""
    sessions = embedded(fake)
    judged = Account(feed(APP), sessions)
    judged.access()
    _change(judged)
    return judged


def _change(judged: Account) -> None:
    session = judged._sessions._session(judged.feed.credentials, "eu-west-1", None)
    session.get_credentials().access_key = SECOND


def _said(judged: Account) -> Failure:
    return failure_of(judged.inventory().repository, APP)


def test_what_another_principal_reads_is_not_taken() -> None:
    fake = _who(OTHER)
    judged = _changed(fake)
    said = f"the credentials changed during the run from {USER} to {OTHER}"
    assert (_said(judged).trouble, _said(judged).message) == (Trouble.OTHER, said)
    assert failure_of(judged.images, APP).message == said
    assert failure_of(judged.permission, "ecr:ListImages", APP).message == said
    assert fake.calls["GetCallerIdentity"] == 2


def test_a_denial_of_another_principal_says_nothing_of_the_feed() -> None:
    fake = _who(OTHER)
    fake.replies["ListImages"] = lambda _: fault("AccessDeniedException", "no")
    failure = failure_of(_changed(fake).permission, "ecr:ListImages", APP)
    assert failure.code == "CredentialsChanged"


@pytest.mark.parametrize(
    ("first", "second"), [(USER, USER), (f"{ROLE}/session-1", f"{ROLE}/session-2")]
)
def test_a_new_key_of_the_same_principal_changes_nothing(first: str, second: str) -> None:
    fake = _who(second, first)
    judged = _changed(fake)
    assert judged.inventory().repository(APP) is not None
    assert judged.permission("ecr:ListImages", APP).answer is Answer.ALLOWED
    assert fake.calls["GetCallerIdentity"] == 2


def test_a_new_key_whose_holder_is_unknown_is_not_taken() -> None:
    fake = _who(USER)
    judged = _changed(fake)
    fake.replies["GetCallerIdentity"] = lambda _: Reply(500, b"")
    assert _said(judged).operation == "GetCallerIdentity"


def test_a_new_key_where_the_first_holder_is_unknown_is_not_taken() -> None:
    fake = _who(USER)
    fake.replies["GetCallerIdentity"] = lambda _: Reply(500, b"")
    judged = Account(feed(APP), embedded(fake))
    judged.token()
    del fake.replies["GetCallerIdentity"]
    _change(judged)
    assert "changed during the run" in failure_of(judged.inventory().repository, APP).message


def test_two_answers_that_differ_about_one_key() -> None:
    fake = _who(USER)
    sessions = embedded(fake)
    assert Account(feed(APP), sessions).identity().arn == USER
    fake.replies["GetCallerIdentity"] = lambda _: identity(OTHER)
    failure = failure_of(Account(feed(APP, region="eu-west-2"), sessions).identity)
    assert failure.message == f"the credentials changed during the run from {USER} to {OTHER}"


# The session ends within botocore's window for a refresh: each call runs the process again.
_PROCESS = """
import json, pathlib, sys
from datetime import UTC, datetime, timedelta
print(json.dumps({
    "Version": 1,
    "AccessKeyId": sys.argv[3] if pathlib.Path(sys.argv[1]).exists() else sys.argv[2],
    "SecretAccessKey": "x",
    "SessionToken": "t",
    "Expiration": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
}))
"""


def test_a_process_that_gives_another_principals_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "credentials.py"
    script.write_text(_PROCESS)
    command = f"{sys.executable} {script} {tmp_path / 'changed'} {FIRST} {SECOND}"
    for name, value in home(tmp_path, f"[profile p]\ncredential_process = {command}\n").items():
        monkeypatch.setenv(name, value)
    fake = _who(OTHER)
    with served(over_http(fake)) as url:
        judged = Account(
            feed(APP, credentials=ProfileCredentials(profile="p")), over(url, read_timeout=5.0)
        )
        assert judged.inventory().repository(APP) is not None
        (tmp_path / "changed").touch()
        failure = failure_of(judged.images, APP)
    assert failure.message == f"the credentials changed during the run from {USER} to {OTHER}"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [(USER, USER), (f"{ROLE}/a", ROLE), (f"{ROLE}/a\nb", ROLE), ("", "")],
)
def test_the_principal_of_an_arn(arn: str, principal: str) -> None:
    assert principal_of(arn) == principal
