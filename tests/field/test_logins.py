"""Legacy feeds: login lines, reset intervals and old tokens (F04-F06, F10, F15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecr_feed.facts.aws import AuthorizationToken, Secret
from ecr_feed.token import judge_lifetime
from tests.field.helpers import Told, demo, once, table

A = "777788889999"
REGION = "eu-west-2"
PASSWORD = "eyJwYXlsb2FkIjoi" + "QUJD" * 40
HOST = f"{A}.dkr.ecr.{REGION}.amazonaws.com"
OURS = f"docker login -u AWS -p {PASSWORD} https://{HOST}"
PIPED = f"docker login --username AWS --password-stdin {HOST}"
MAKES = "aws ecr get-login-password"
CHINA = f"{A}.dkr.ecr.cn-northwest-1.amazonaws.com"

# name -> (line, checks that are not met, what is said)
LINES: dict[str, tuple[str, set[str], str]] = {
    "plain": (OURS, set(), ""),
    "quoted": (f"docker login -u 'AWS' -p \"{PASSWORD}\" 'https://{HOST}'\r\n", set(), ""),
    "piped": (f"{MAKES} --region {REGION} | {PIPED}\n", set(), ""),
    "dual stack": (f"docker login -u AWS -p {PASSWORD} {A}.dkr-ecr.{REGION}.on.aws", set(), ""),
    "printed": (f"docker login -u AWS -p {PASSWORD} -e none https://{HOST}", {"DOCKER-4"}, "17.06"),
    "mail": (f"docker login --email=none -u AWS -p {PASSWORD} {HOST}", {"DOCKER-4"}, "-e"),
    "region": (OURS.replace(REGION, "us-west-1"), {"DOCKER-2"}, "us-west-1"),
    "account": (OURS.replace(A, "111122223333"), {"DOCKER-2"}, "111122223333"),
    "fetched": (f"{MAKES} --region us-east-1 | {PIPED}", {"DOCKER-2"}, "us-east-1"),
    "variable": (f"AWS_REGION=us-east-1 {MAKES} | {PIPED}", {"DOCKER-2"}, "us-east-1"),
    "digits": (OURS.replace(A, "77778888999"), {"DOCKER-1"}, "11 digits"),
    "user": (OURS.replace("-u AWS", "-u octopus"), {"DOCKER-1"}, "octopus"),
    "command": (f"aws ecr get-login --region {REGION}", {"DOCKER-1"}, "get-login"),
    "hub": (f"docker login -u AWS -p {PASSWORD}", {"DOCKER-1"}, "no registry"),
    "cut": (f"docker login -u AWS -p {PASSWORD[:80]}\n{PASSWORD[80:]} {HOST}", {"DOCKER-1"}, ""),
    "gallery": (OURS.replace(HOST, "public.ecr.aws"), {"DOCKER-2"}, "public gallery"),
    "china": (OURS.replace(HOST, CHINA), {"DOCKER-2"}, f"{CHINA}.cn"),
    "china right": (OURS.replace(HOST, f"{CHINA}.cn"), set(), ""),
}
RESETS: dict[str, tuple[dict[str, object], bool, str]] = {
    "never": ({}, False, "11 h"),
    "full": ({"reset_hours": 12}, False, "11 h"),
    "late": ({"reset_hours": 11.5}, False, "11 h"),
    "daily": ({"reset_hours": 24}, False, "11 h"),
    "edge": ({"reset_hours": 11}, True, ""),
    "often": ({"reset_hours": 6, "reset_command": f"{MAKES} --region {REGION}"}, True, ""),
    "gone": ({"reset_hours": 6, "reset_command": "$(aws ecr get-login)"}, False, "password-stdin"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return once(tmp_path_factory, "logins", judge)


def judge(tmp_path: Path) -> Told:
    def docker(name: str, region: str, **more: object) -> str:
        login = {"file": f"{name}.txt"}
        return table("docker_feed", name=name, region=region, account=A, login=login, **more)

    return demo(
        tmp_path,
        *(
            docker(name, "cn-northwest-1" if "china" in name else REGION, reset_hours=8)
            for name in LINES
        ),
        *(docker(name, REGION, **more) for name, (more, _, _) in RESETS.items()),
        files={
            **{f"{name}.txt": line for name, (line, _, _) in LINES.items()},
            **{f"{name}.txt": OURS for name in RESETS},
        },
        families=("docker",),
    )


@pytest.mark.parametrize("name", LINES)
def test_a_login_line(told: Told, name: str) -> None:
    _, broken, says = LINES[name]
    assert told.not_met(name) == broken
    for check in broken:
        assert says in told.of(name, check).text


def test_both_regions_stand_side_by_side(told: Told) -> None:
    """F10: logged in, and no credentials for this host."""
    said = told.of("region", "DOCKER-2")
    assert "us-west-1" in said.found
    assert REGION in str(said.evidence["expected"])
    assert f"{MAKES} --region {REGION}" in said.fix


@pytest.mark.parametrize("name", RESETS)
def test_a_reset_interval(told: Told, name: str) -> None:
    """F05, F06: interval and margin stay below 12 hours; the command must still exist."""
    _, holds, says = RESETS[name]
    said = told.of(name, "DOCKER-3")
    assert said.outcome == ("met" if holds else "not met")
    assert says in said.text


def test_no_password_is_shown(told: Told) -> None:
    assert PASSWORD not in told.ran.text
    assert PASSWORD[80:] not in told.ran.text


@pytest.mark.parametrize(
    ("expires", "problem"),
    [
        (timedelta(hours=-3, minutes=-19), "expired 3 h 19 min ago"),
        (timedelta(0), "expired 0 s ago"),
        (timedelta(hours=1), "it is valid for 1 h"),
        (timedelta(hours=12), None),
    ],
)
def test_a_cached_token(expires: timedelta, problem: str | None) -> None:
    """F04: yesterday's token, whoever kept it."""
    now = datetime(2026, 11, 25, 8, 24, tzinfo=UTC)
    token = AuthorizationToken(Secret("x"), now + expires, f"https://{HOST}", now)
    judged = judge_lifetime(token)
    assert judged.holds is (problem is None)
    assert (problem or "") in judged.message
