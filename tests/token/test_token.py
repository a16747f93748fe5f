from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.facts.aws import AuthorizationToken, Secret
from ecr_feed.findings import OutcomeWord
from ecr_feed.text.times import duration
from ecr_feed.token import (
    LIFETIME,
    TOLERANCE,
    PasswordHint,
    decode,
    judge_content,
    judge_lifetime,
    judge_longest_deployment,
    judge_registry,
    judge_time_left,
    password_hint,
    was_expired,
)

FETCHED = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
ENDPOINT = f"https://{HOST}"


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
    judged = judge_content(token(text))
    assert (judged.holds, judged.found) == (False, decoded.problem)
    assert "hunter2" not in repr(judged)


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
    judged = judge_lifetime(token(lives=lives))

    assert judged.holds is (problem is None)
    assert problem is None or judged.message.endswith(f" 12 hours: {problem}.")
    assert was_expired(token(lives=lives)) is (lives <= timedelta(0))


@pytest.mark.parametrize(
    ("hours", "after", "holds"),
    [
        (4, timedelta(hours=8), True),
        (4, timedelta(hours=8, seconds=1), False),
        (0.5, timedelta(hours=11, minutes=30), True),
        (4, timedelta(hours=15, minutes=19), False),
    ],
)
def test_the_time_that_is_left(hours: float, after: timedelta, holds: bool) -> None:
    judged = judge_time_left(token(), hours, FETCHED + after)

    assert judged.holds is holds
    assert judged.message == f"The token has {duration(LIFETIME - after)} left."
    left = round((LIFETIME - after).total_seconds() / 3600, 2)
    assert judged.evidence == {"left_hours": left}


@pytest.mark.parametrize(("hours", "holds"), [(1, True), (12, True), (12.1, False)])
def test_a_deployment_ends_before_its_token(hours: float, holds: bool) -> None:
    judged = judge_longest_deployment(token(), hours)

    assert judged.holds is holds
    assert (judged.expected, judged.found) == ("at most 12 h", duration(timedelta(hours=hours)))


@given(st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_only_a_life_within_the_tolerance_is_no_problem(lives: timedelta) -> None:
    assert judge_lifetime(token(lives=lives)).holds == (abs(lives - LIFETIME) <= TOLERANCE)


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
    judged = judge_registry(token(endpoint=endpoint), ACCOUNT, "eu-west-1")

    assert judged.holds is (problem is None)
    assert (problem or "") in judged.message
    assert (judged.expected, judged.found) == (HOST, endpoint)


@pytest.mark.parametrize(
    ("endpoint", "outcome"),
    [
        (ENDPOINT, OutcomeWord.MET),
        ("https://210987654321.dkr.ecr.eu-west-1.amazonaws.com", OutcomeWord.NOT_ASSESSED),
        (f"https://{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", OutcomeWord.NOT_MET),
        ("https://localhost:5000", OutcomeWord.NOT_MET),
    ],
)
def test_sts_and_the_token_contradict_each_other(endpoint: str, outcome: OutcomeWord) -> None:
    judged = judge_registry(token(endpoint=endpoint), ACCOUNT, "eu-west-1", stated=False)

    assert judged.outcome is outcome
    assert judged.holds or "contradict" in judged.message or outcome is OutcomeWord.NOT_MET


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
