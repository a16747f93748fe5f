"""The happy path against an endpoint that is not ours: moto's server, in its own process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.facts.aws import Answer, Trouble
from tests.aws.helpers import env_feed, failure_of, home, over
from tests.support.moto_server import moto_server, owner, push
from tests.support.planned_calls import planned_calls

PACKAGES = [f"team/app{number}" for number in range(40)]


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in home(tmp_path, "").items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("home")) as url:
        here, there = owner(url, "ecr", "eu-west-1"), owner(url, "ecr", "us-west-2")
        there.create_repository(repositoryName="team/elsewhere")
        for name in PACKAGES:
            here.create_repository(repositoryName=name)
        push(here, PACKAGES[0], "1.0")
        yield url


def test_forty_packages_cost_what_the_formula_says(seeded: str) -> None:
    sessions = over(seeded, read_timeout=15.0)
    account = Account(env_feed(*PACKAGES), sessions)
    for package in PACKAGES:
        for action in ("ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"):
            assert account.permission(action, package).answer == Answer.ALLOWED
    tags = [tag for image in account.images(PACKAGES[0]) for tag in image.tags]
    assert tags == ["1.0"]
    assert account.images(PACKAGES[1]) == ()
    assert account.identity().account == "123456789012"
    assert account.token().expires_at.year == 2015
    counted: dict[str, int] = {}
    for call in sessions.log.drain():
        action = f"{call.service}:{call.operation}"
        counted[action] = counted.get(action, 0) + 1
        assert (call.status, call.attempts, call.region) == (200, 1, "eu-west-1")
    assert counted == dict(planned_calls(40, 40, 2))


def test_a_package_that_is_only_in_another_region(seeded: str) -> None:
    account = Account(env_feed("team/app0", "team/elsewhere"), over(seeded, read_timeout=15.0))
    assert account.inventory().repository("team/elsewhere") is None
    assert account.other_regions("team/elsewhere").regions == ("us-west-2",)
    assert failure_of(account.images, "team/elsewhere").trouble == Trouble.NOT_FOUND
