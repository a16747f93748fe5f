"""The calls that a run records are those of docs/aws-calls.md, exactly."""

from __future__ import annotations

from pathlib import Path

from tests.support.moto_server import moto_server, owner, push
from tests.support.planned_calls import planned_calls
from tests.support.run import run_checks

KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "x" * 40,
}


def test_forty_packages_in_one_region(tmp_path: Path) -> None:
    names = [f"team/service-{number:02}" for number in range(40)]
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(
        f'[[feed]]\nname = "Forty"\nregion = "eu-west-1"\npackages = {names}\n'
        'credentials = { env_prefix = "OCTOPUS_" }\n',
        encoding="utf-8",
    )
    with moto_server(tmp_path) as endpoint:
        client = owner(endpoint, "ecr", "eu-west-1")
        for name in names:
            client.create_repository(repositoryName=name)
            push(client, name, "1.0.0")
        ran = run_checks(tmp_path, "--feeds", str(feeds), "--aws-endpoint-url", endpoint, env=KEYS)
    assert ran.checks("met") >= {"REPO-1", "PERM-1", "PERM-2", "PERM-3", "PERM-4"}
    assert ran.calls() == {
        "sts:GetCallerIdentity": 1,
        "ecr:GetAuthorizationToken": 1,
        "ecr:DescribeRepositories": 1,
        "ecr:DescribeImages": 40,
        "ecr:ListImages": 40,
    }
    assert sum(ran.calls().values()) == sum(planned_calls(40, 40, [1] * 40).values())


def test_a_part_of_the_rules_shows_the_same_of_the_account(tmp_path: Path) -> None:
    whole = run_checks(tmp_path / "whole", "--demo", "healthy")
    part = run_checks(tmp_path / "part", "--demo", "healthy", "-m", "repo")
    assert whole.results["auditor"] == part.results["auditor"] is not None
    for one, other in zip(whole.results["feeds"], part.results["feeds"], strict=True):
        assert (one["account"], one["identity"]) == (other["account"], other["identity"])
        assert bool(one["token"]) is bool(other["token"])
        assert [key["status"] for key in one["keys"]] == [key["status"] for key in other["keys"]]
    assert part.results["feeds"][0]["keys"]
    # Every call of the part is one that the whole run makes too, as often.
    assert part.calls().items() <= whole.calls().items()
