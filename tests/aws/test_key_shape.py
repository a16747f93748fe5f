"""Mistakes in an access key that are seen before any call, and named without showing a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.aws.transport.key_shape import KeyField, mistakes_in
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import EnvCredentials, ProfileCredentials
from ecr_feed.facts.aws import Trouble
from tests.aws.helpers import failure_of, home

KEY_ID = "AKIA5EXAMPLE4EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE" * 20
RIGHT = (KEY_ID, SECRET, "")

WRONG: dict[str, tuple[tuple[str, str, str], tuple[str, ...]]] = {
    "quoted key ID": ((f'"{KEY_ID}"', SECRET, ""), ("KEY has quotes",)),
    "quoted secret": ((KEY_ID, f"'{SECRET}'", ""), ("SECRET has quotes",)),
    "typographic quotes": ((KEY_ID, f"\u201c{SECRET}\u201d", ""), ("SECRET has quotes",)),
    "one quote": ((KEY_ID, f'{SECRET}"', ""), ("SECRET has quotes",)),
    "quoted token": ((KEY_ID.replace("AKIA", "ASIA"), SECRET, f'"{TOKEN}"'), ("TOKEN has quotes",)),
    "both quoted": ((f'"{KEY_ID}"', f'"{SECRET}"', ""), ("KEY has", "SECRET has")),
    "blank before": ((f" {KEY_ID}", SECRET, ""), ("KEY begins with a blank",)),
    "line break after": ((KEY_ID, f"{SECRET}\n", ""), ("SECRET ends with a line break",)),
    "carriage return after": ((KEY_ID, f"{SECRET}\r", ""), ("a carriage return",)),
    "tab after": ((f"{KEY_ID}\t", SECRET, ""), ("KEY ends with a tab",)),
    "blank inside": ((KEY_ID, f"{SECRET[:20]} {SECRET[20:]}", ""), ("SECRET has a blank in it",)),
    "not a key's letter": ((KEY_ID, f"{SECRET[:-1]}\u00e9", ""), ("SECRET has a character",)),
    "exchanged": ((SECRET, KEY_ID, ""), ("KEY and SECRET are in each other's place",)),
    "secret as key ID": ((SECRET, SECRET, ""), ("KEY is not an access key ID",)),
    "a slash in the key ID": (("AKIA/EXAMPLE", SECRET, ""), ("KEY is not an access key ID",)),
    "key ID twice": ((KEY_ID, KEY_ID, ""), ("SECRET is an access key ID",)),
    "token as secret": ((KEY_ID, TOKEN, ""), ("SECRET is longer",)),
    "token as key ID": ((TOKEN, SECRET, ""), ("KEY is longer",)),
    "secret as token": ((KEY_ID, SECRET, SECRET), ("TOKEN is not a session token",)),
    "key ID as token": ((KEY_ID, SECRET, KEY_ID), ("TOKEN is an access key ID",)),
}


def said(texts: tuple[str, str, str]) -> str:
    key_id, secret, token = map(KeyField, ("KEY", "SECRET", "TOKEN"), texts)
    return mistakes_in(key_id, secret, token)


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_names_the_field_and_shows_nothing_of_it(name: str) -> None:
    texts, expected = WRONG[name]
    found = said(texts)
    assert [part for part in expected if part not in found] == []
    assert not any(text and text.strip("\"' \r\n\t") in found for text in texts)


@pytest.mark.parametrize(
    "texts",
    [
        RIGHT,
        (KEY_ID.replace("AKIA", "ASIA"), SECRET, TOKEN),
        ("test", "test", ""),  # what stand-ins for AWS take
        ("testing", "testing", "testing"),
        (KEY_ID, "secret-of-the-feed", ""),
        ("", "", ""),
    ],
)
def test_keys_that_may_be_right(texts: tuple[str, str, str]) -> None:
    assert said(texts) == ""


@given(st.tuples(*[st.text(max_size=200)] * 3))
def test_any_text_is_judged_without_being_shown(texts: tuple[str, str, str]) -> None:
    found = said(texts)
    assert not any(len(text) > 30 and text in found for text in texts)


def test_variables_are_judged_before_any_call() -> None:
    environ = {"F_AWS_ACCESS_KEY_ID": KEY_ID, "F_AWS_SECRET_ACCESS_KEY": f'"{SECRET}"'}
    sessions = Sessions(environ=environ)
    failure = failure_of(
        sessions.client, EnvCredentials(env_prefix="F_"), "sts", "eu-west-1", "http://127.0.0.1:9"
    )
    assert failure.trouble is Trouble.MALFORMED_KEY
    assert failure.message.startswith("F_AWS_SECRET_ACCESS_KEY has quotes around it")
    assert sessions.log.drain() == []


def test_a_profile_and_the_one_it_takes_its_key_from_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (
        "[profile octopus]\nrole_arn = arn:aws:iam::123456789012:role/feed\nsource_profile = base\n"
        f"[profile base]\naws_access_key_id = {SECRET}\naws_secret_access_key = {KEY_ID}\n"
    )
    for name, text in home(tmp_path, config).items():
        monkeypatch.setenv(name, text)
    sessions = Sessions()
    failure = failure_of(sessions.client, ProfileCredentials(profile="octopus"), "sts", "eu-west-1")
    assert failure.trouble is Trouble.MALFORMED_KEY
    assert "aws_access_key_id of profile base" in failure.message
    assert SECRET not in failure.message
