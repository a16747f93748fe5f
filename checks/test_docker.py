"""A legacy Docker feed's `docker login` line is right, and is replaced before it expires."""

from __future__ import annotations

from datetime import datetime

from ecr_feed.check import CRITICAL, HIGH, MEDIUM, check
from ecr_feed.config import DockerFeed
from ecr_feed.login_line import (
    LoginLine,
    judge_email,
    judge_form,
    judge_login_registry,
    judge_reset,
    schedule,
)
from ecr_feed.outcomes import expect_judgement, note

_LOGIN = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"
_OCTOPUS = "https://octopus.com/docs/packaging-applications/package-repositories/docker-registries"


@check(
    id="DOCKER-1",
    severity=CRITICAL,
    title="The login line is well formed",
    why="The feed's user name, password and registry are copied from it.",
    fix="aws ecr get-login-password --region {docker_feed.region!q}",
    reads=(),
    refs=(_LOGIN, _OCTOPUS),
)
def test_login_line_is_well_formed(docker_feed: DockerFeed, login: LoginLine) -> None:
    expect_judgement(judge_form(login))


@check(
    id="DOCKER-2",
    severity=CRITICAL,
    title="The login is for the feed's region and account",
    why="A login for another host leaves Docker without credentials for this one.",
    fix="aws ecr get-login-password --region {docker_feed.region!q}",
    reads=(),
    refs=(_LOGIN, _OCTOPUS),
)
def test_login_is_for_the_feeds_registry(docker_feed: DockerFeed, login: LoginLine) -> None:
    expect_judgement(
        judge_login_registry(login, region=docker_feed.region, account=docker_feed.account)
    )


@check(
    id="DOCKER-3",
    severity=HIGH,
    title="The credentials are replaced before they expire",
    why="The password expires 12 hours after it was fetched; until it is replaced, pulls fail.",
    fix="Replace the credentials at least every 11 hours, or use Octopus's own ECR feed type.",
    reads=(),
    refs=(_LOGIN, _OCTOPUS),
)
def test_credentials_are_reset_in_time(
    docker_feed: DockerFeed, login_written: datetime | None, now: datetime
) -> None:
    if login_written is not None:
        note(**schedule(login_written, docker_feed.reset_hours, now))
    expect_judgement(judge_reset(docker_feed.reset_hours, docker_feed.reset_command))


@check(
    id="DOCKER-4",
    severity=MEDIUM,
    title="Current Docker accepts the login line",
    why="Docker removed the option -e in 17.06; `aws ecr get-login` still prints it.",
    fix="aws ecr get-login-password --region {docker_feed.region!q}",
    reads=(),
    refs=(_LOGIN, "https://docs.docker.com/reference/cli/docker/login/"),
)
def test_login_line_runs_today(docker_feed: DockerFeed, login: LoginLine) -> None:
    expect_judgement(judge_email(login))
