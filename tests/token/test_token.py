from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.facts.aws import AuthorizationToken, Secret
from ecr_feed.naming import RegistryHost
from ecr_feed.token import (
    LIFETIME,
    TOLERANCE,
    PasswordHint,
    decode,
    duration,
    lifetime,
    password_hint,
    registry,
)

FETCHED = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
ENDPOINT = f"https://{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"


def b64(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def token(
    text: str = "", *, lives: timedelta = LIFETIME, endpoint: str = ENDPOINT
) -> AuthorizationToken:
    return AuthorizationToken(Secret(text), FETCHED + lives, endpoint, FETCHED)


def aws_password(**changes: object) -> str:
    """A password of the form that ECR hands out; invented."""
    inner = {"payload": "cGF5", "datakey": "a2V5", "version": "2", "type": "DATA_KEY"}
    return b64(json.dumps({**inner, "expiration": 1_795_600_000, **changes}))


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_user_and_password_part_at_the_first_colon(password: str) -> None:
    decoded = decode(token(b64(f"AWS:{password}")))

    assert (decoded.user, decoded.password, decoded.problem) == ("AWS", Secret(password), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (b64("AWS:hunter2")[:-1], "cut"),
        (b64("AWS:hunter2") + "\n", "line breaks"),
        (b64("AWS:hunter2")[:4] + " " + b64("AWS:hunter2")[4:], "blanks"),
        ("AWS:hunter2", "not base64"),
        (b64("AWS:hunter2").replace("=", "") + "!", "not base64"),
        ("====", "not base64"),
        ("QQ==QQ==", "not base64"),
        (base64.urlsafe_b64encode(b"AWS:\xfb\xff\xfe?>hunter2").decode(), "not base64"),
        (b64(b"AWS:\xff\xfe"), "UTF-8"),
        (b64("AWShunter2"), "no colon"),
        (b64(":hunter2"), "user name is ''"),
        (b64("aws:hunter2"), "user name is 'aws', not 'AWS'"),
        (b64("hunter2-hunter2-hunter2:x"), "a text of 23 characters"),
        (b64("AWS:"), "password is empty"),
    ],
)
def test_a_token_that_cannot_be_used_says_why_and_shows_nothing(text: str, words: str) -> None:
    decoded = decode(token(text))

    assert words in (decoded.problem or "")
    assert "hunter2" not in repr(decoded)


@given(st.text() | st.binary().map(b64))
def test_any_text_decodes_or_has_a_problem(text: str) -> None:
    decoded = decode(token(text))

    assert (decoded.problem is None) == (decoded.user == "AWS" and len(decoded.password) > 0)


@pytest.mark.parametrize(
    ("lives", "problem"),
    [
        (LIFETIME, None),
        (timedelta(hours=11, minutes=55), None),
        (timedelta(hours=11, minutes=54, seconds=59), "it is valid for 11 h 54 min"),
        (timedelta(hours=12, minutes=5), None),
        (timedelta(hours=12, minutes=5, seconds=1), "it is valid for 12 h 5 min"),
        (timedelta(hours=1), "it is valid for 1 h"),
        (timedelta(0), "expired 0 s ago"),
        (timedelta(seconds=-90), "expired 1 min 30 s ago"),
        (datetime(2015, 1, 1, tzinfo=UTC) - FETCHED, "expired 4346 days ago"),
    ],
)
def test_a_token_lives_twelve_hours_give_or_take_five_minutes(
    lives: timedelta, problem: str | None
) -> None:
    judged = lifetime(token(lives=lives), FETCHED)

    assert judged.problem == problem
    assert judged.granted == judged.left == lives
    assert judged.expired == (lives <= timedelta(0))


def test_yesterdays_token_says_how_long_it_is_dead() -> None:
    judged = lifetime(token(), FETCHED + LIFETIME + timedelta(hours=3, minutes=19))

    assert judged.problem == "expired 3 h 19 min ago"
    assert judged.left == -timedelta(hours=3, minutes=19)
    assert judged.granted == LIFETIME


def test_a_token_in_its_last_second_is_alive() -> None:
    assert not lifetime(token(), FETCHED + LIFETIME - timedelta(seconds=1)).expired
    assert lifetime(token(), FETCHED + LIFETIME).expired


@given(st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_only_a_life_within_the_tolerance_is_no_problem(lives: timedelta) -> None:
    assert (lifetime(token(lives=lives), FETCHED).problem is None) == (
        abs(lives - LIFETIME) <= TOLERANCE
    )


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(microseconds=-1), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(hours=3, minutes=19, seconds=7), "3 h 19 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, seconds=5), "2 h"),
        (timedelta(days=1, hours=1), "1 day 1 h"),
        (timedelta(days=400), "400 days"),
        (timedelta(minutes=-5), "minus 5 min"),
    ],
)
def test_durations_in_words(span: timedelta, words: str) -> None:
    assert duration(span) == words


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        (ENDPOINT, None),
        (ENDPOINT + "/", None),
        (f"https://{ACCOUNT}.dkr-ecr.eu-west-1.on.aws", None),
        ("https://210987654321.dkr.ecr.eu-west-1.amazonaws.com", f"not {ACCOUNT}"),
        (f"https://{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", "region is us-east-1, not eu-w"),
        ("https://210987654321.dkr.ecr.us-east-1.amazonaws.com", "and its region is"),
        (f"https://{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com", "amazonaws.com.cn"),
        ("https://localhost:5000", "not an ECR registry"),
        ("", "empty"),
    ],
)
def test_a_token_is_for_one_registry(endpoint: str, problem: str | None) -> None:
    verdict = registry(token(endpoint=endpoint), ACCOUNT, "eu-west-1")

    assert isinstance(verdict.host, RegistryHost)
    assert (verdict.problem is None) == (problem is None)
    assert (problem or "") in (verdict.problem or "")


def test_a_hint_reads_what_is_no_secret() -> None:
    hint = password_hint(Secret(aws_password()))

    assert hint == PasswordHint(datetime(2026, 11, 25, 9, 46, 40, tzinfo=UTC), "2", "DATA_KEY")
    assert password_hint(Secret(aws_password().rstrip("=") + "\n")) == hint


@pytest.mark.parametrize(
    "password",
    [
        *("", "AQECAHid", "hunter2", b64("hunter2"), b64("[]"), b64("{}"), b64('"payload"')),
        *(b64('{"expiration": 1}'), b64("[" * 5000), b64(b"\xff\xfe"), "é"),
    ],
)
def test_other_passwords_give_no_hint(password: str) -> None:
    assert password_hint(Secret(password)) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expiration": True}, None),
        ({"expiration": "soon"}, None),
        ({"expiration": 10**30}, None),
        ({"expiration": float("nan")}, None),
        ({"expiration": float("inf")}, None),
        ({"expiration": -1}, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_strange_expiration_is_no_moment(
    changes: dict[str, object], expected: datetime | None
) -> None:
    hint = password_hint(Secret(aws_password(**changes)))

    assert hint is not None
    assert hint.expires_at == expected


def test_a_hint_takes_out_nothing_that_could_be_secret() -> None:
    hint = password_hint(Secret(aws_password(version="hunter2", type=["hunter2"], other="hunter2")))

    assert hint == PasswordHint(datetime(2026, 11, 25, 9, 46, 40, tzinfo=UTC), "", "")


@given(st.text() | st.binary().map(b64))
def test_no_password_makes_a_hint_fail(password: str) -> None:
    assert password_hint(Secret(password)) is None or password
