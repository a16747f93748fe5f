from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.facts.aws import Secret
from ecr_feed.findings import OutcomeWord
from ecr_feed.login_line import (
    LoginLine,
    LoginParts,
    LoginText,
    judge_email,
    judge_form,
    judge_login_registry,
    judge_reset,
    of,
)

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
DOCUMENTED = (
    "docker login -u AWS -p AQECAHid...j/nByScM -e none "
    "https://96802670493.dkr.ecr.ap-southeast-1.amazonaws.com"
)


def login(host: str, *, user: str = "AWS", password: str = "hunter2") -> LoginLine:
    return LoginLine.parse(f"docker login -u '{user}' -p '{password}' '{host}'")


def test_the_documented_example_has_an_account_that_cannot_be() -> None:
    line = LoginLine.parse(DOCUMENTED)
    form = judge_form(line)

    assert form.message.endswith(": account ID 96802670493 has 11 digits, AWS's have 12.")
    assert "96802670493" in str(form.found)
    assert judge_login_registry(line, region="ap-southeast-1", account=None).holds
    # Told once, by the form; but an ID that is none is nobody's, so it is not the feed's either.
    other = judge_login_registry(line, region="ap-southeast-1", account=ACCOUNT)
    assert other.outcome is OutcomeWord.NOT_ASSESSED
    assert "DOCKER-1" in other.message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (login(HOST, user="aws"), "user is 'aws', not 'AWS'"),
        (login(HOST, user="x" * 300), "a text of 300 characters"),
        (LoginLine.parse(f"docker login -p hunter2 {HOST}"), "names no user"),
        (LoginLine.parse(f"docker login -u AWS {HOST}"), "has no password"),
        (LoginLine.parse(f"docker login -u AWS -p '' {HOST}"), "has no password"),
        (login(f"1{HOST}"), "has 13 digits"),
        (login(HOST.removeprefix(f"{ACCOUNT}.")), "account ID is missing"),
        (login("https://<aws_account_id>.dkr.ecr.<region>.amazonaws.com"), "<aws_account_id>"),
        (login("${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"), "placeholder ${ACCOUNT}"),
        (login("#{Account}.dkr.ecr.eu-west-1.amazonaws.com"), "placeholder #{Account}"),
        (login("%ACCOUNT%.dkr.ecr.eu-west-1.amazonaws.com"), "placeholder %ACCOUNT%"),
    ],
)
def test_a_line_that_is_not_well_formed(line: LoginLine, words: str) -> None:
    judged = judge_form(line)

    assert not judged.holds
    assert words in judged.message
    assert "hunter2" not in repr((line, judged))


@pytest.mark.parametrize(
    ("host", "region", "account", "words"),
    [
        (HOST, "us-west-2", None, "region is eu-west-1, the feed's is us-west-2"),
        (HOST, "eu-west-1", "210987654321", f"account is {ACCOUNT}, the feed's is 210987654321"),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com", "cn-north-1", None, "amazonaws.com.cn"),
        (f"{ACCOUNT}.dkr-ecr.eu-west-1.amazonaws.com", "eu-west-1", None, "mixes two forms"),
        (f"{HOST}:5000", "eu-west-1", None, "port 5000"),
        (f"http://{HOST}", "eu-west-1", None, "scheme is http"),
        ("docker.io", "eu-west-1", None, "not an ECR registry"),
        ("https://public.ecr.aws", "us-east-1", None, "public gallery"),
        ("api.ecr.eu-west-1.amazonaws.com", "eu-west-1", None, "ECR's API"),
    ],
)
def test_a_login_for_another_registry(
    host: str, region: str, account: str | None, words: str
) -> None:
    judged = judge_login_registry(login(host), region=region, account=account)

    assert not judged.holds
    assert words in judged.message
    assert judged.expected
    assert str(judged.expected) in (judged.fix or "")
    assert region in (judged.fix or "")
    assert judge_form(login(host)).holds  # one cause, one finding


@pytest.mark.parametrize(
    "host",
    [
        *(HOST, f"https://{HOST}", f"https://{HOST}/", f"{HOST}:443", HOST.upper()),
        *(f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws", HOST.replace(".ecr.", ".ecr-fips.")),
    ],
)
def test_a_login_for_the_feeds_registry(host: str) -> None:
    assert judge_login_registry(login(host), region="eu-west-1", account=ACCOUNT).holds
    assert judge_login_registry(login(host), region="eu-west-1", account=None).holds


def test_a_password_is_one_of_the_region_it_is_fetched_in() -> None:
    line = LoginLine.parse(
        "aws ecr get-login-password --region us-east-1 | "
        f"docker login --username AWS --password-stdin {HOST}"
    )

    judged = judge_login_registry(line, region="eu-west-1", account=None)

    told = ": its password is fetched in us-east-1, the feed's region is eu-west-1."
    assert judged.message.endswith(told)


@pytest.mark.parametrize("host", [None, "${HOST}", "<account>.dkr.ecr.eu-west-1.amazonaws.com"])
def test_a_host_that_the_form_condemns_is_not_judged_again(host: str | None) -> None:
    line = login(host) if host else LoginLine.parse("docker login -u AWS -p x")
    judged = judge_login_registry(line, region="eu-west-1", account=None)

    assert judged.outcome is OutcomeWord.NOT_ASSESSED
    assert "DOCKER-1" in judged.message


@pytest.mark.parametrize(
    ("hours", "ok"),
    [(None, False), (0.5, True), (8, True), (11, True), (11.01, False), (12, False), (24, False)],
)
def test_interval_and_margin_stay_below_twelve_hours(hours: float | None, ok: bool) -> None:
    assert judge_reset(hours).holds == ok
    assert judge_reset(hours, "aws ecr get-login-password").holds == ok


@given(st.floats(0, 100, exclude_min=True))
def test_eleven_hours_are_the_most(hours: float) -> None:
    assert judge_reset(hours).holds == (hours <= 11)


@pytest.mark.parametrize(
    ("command", "ok"),
    [
        (None, True),
        ("aws ecr get-login-password --region eu-west-1", True),
        ("Get-ECRLoginCommand", True),
        ("aws ecr get-login", False),
        ("aws ecr get-login --no-include-email --region eu-west-1", False),
        ("$(aws --profile x ecr get-login)", False),
        ("aws.exe --region eu-west-1 ecr  get-login | iex", False),
    ],
)
def test_the_reset_command_exists_in_version_two(command: str | None, ok: bool) -> None:
    assert judge_reset(8, command).holds == ok
    assert ok or "get-login-password" in (judge_reset(8, command).fix or "")


def test_the_interval_is_told_before_the_command() -> None:
    assert "12 h" in judge_reset(12, "aws ecr get-login").message


def test_the_email_option_is_a_judgement_of_its_own() -> None:
    line = LoginLine.parse(f"docker login -u AWS -p x -e none https://{HOST}")

    assert judge_form(line).holds
    assert judge_form(line).evidence["email_flag"] is True
    assert "17.06" in judge_email(line).message
    assert (judge_email(line).fix or "").endswith(f"--password-stdin {HOST}")
    assert judge_email(login(HOST)).holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$(aws ecr get-login --region eu-west-1)",
        "aws ecr get-login-password --region eu-west-1",
        '{"auths": {}}',
        f"docker login -u AWS -p x {HOST}\ndocker login -u AWS -p x {HOST.replace('west', 'east')}",
        f"docker login -u AWS -p x {HOST} other.example.com",
    ],
)
def test_rules_about_the_login_wait_for_one_that_can_be_read(text: str) -> None:
    line = LoginLine.parse(text)

    assert judge_form(line).outcome is OutcomeWord.NOT_MET
    for judged in (
        judge_email(line),
        judge_login_registry(line, region="eu-west-1", account=ACCOUNT),
    ):
        assert judged.outcome is OutcomeWord.NOT_ASSESSED
        assert "DOCKER-1" in judged.message


def test_an_option_that_is_seen_is_judged_in_a_broken_line_too() -> None:
    line = LoginLine.parse(f"docker login -u AWS -e none -p {HOST}")

    assert line.problems
    assert judge_email(line).outcome is OutcomeWord.NOT_MET


def test_three_fields_are_not_a_line() -> None:
    fields = of(LoginParts("AWS", Secret("x"), HOST))

    assert judge_email(fields).outcome is OutcomeWord.NOT_APPLICABLE


def test_a_password_of_another_region_is_found_beside_the_host() -> None:
    line = LoginLine.parse(
        "aws ecr get-login-password --region us-east-1 | "
        f"docker login -u AWS --password-stdin {HOST}"
    )
    judged = judge_login_registry(line, region="eu-west-1", account=ACCOUNT)

    assert judged.outcome is OutcomeWord.NOT_MET
    assert judged.expected != judged.found
    assert "us-east-1" in str(judged.found)


def test_what_a_password_says_of_itself_is_evidence_alone() -> None:
    inner = {"payload": "hunter2", "datakey": "x", "version": "2", "expiration": 1_000_000_000}
    password = base64.b64encode(json.dumps(inner).encode()).decode()

    judged = judge_form(login(HOST, password=password))

    assert judged.holds
    assert str(judged.evidence["password_hint"]).startswith("expires 2001-09-09T01:46:40Z ")
    assert password not in repr(judged)
    json.dumps(judged.evidence)


def test_a_line_and_three_fields_are_judged_alike() -> None:
    line = of(LoginText(f"docker login -u AWS -p hunter2 https://{HOST}".encode()))
    fields = of(LoginParts("AWS", Secret("hunter2"), f"https://{HOST}"))

    for each in (line, fields):
        assert judge_form(each).holds
        assert judge_login_registry(each, region="eu-west-1", account=ACCOUNT).holds
        assert (each.user, each.password) == ("AWS", Secret("hunter2"))
    assert not judge_form(of(LoginParts("AWS", Secret(""), HOST))).holds
