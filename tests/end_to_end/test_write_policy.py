"""`--write-policy` at the end of a run: alone, with workers, stopped early, interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.run import ONE_FEED, project_with, run_checks

CHECKS = """
from ecr_feed.check import HIGH, check
from ecr_feed.outcomes import expect

def rule(number):
    return check(
        id=f"REPO-{number}", severity=HIGH, title="t", why="w", fix="f", reads=(),
        refs=("https://example.com/",),
    )

@rule(1)
def test_opened(feed, account):
    expect(not account.access_key_id(), "stop here")  # opened, and nothing was called

@rule(2)
def test_never_reached_with_x(feed, account):
    @END@
"""


@pytest.fixture
def project(tmp_path: Path, end: str) -> Path:
    checks = {"one": CHECKS.replace("@END@", end)}
    return project_with(tmp_path, checks=checks, accounts={"one": ONE_FEED})


@pytest.mark.parametrize("end", ["expect(True, '')"])
@pytest.mark.parametrize("options", [[], ["-x"], ["-n", "2"]], ids=["alone", "x", "workers"])
def test_it_is_written_once_the_run_has_ended(
    tmp_path: Path, project: Path, options: list[str]
) -> None:
    place = tmp_path / "feed.json"
    ran = run_checks(
        tmp_path, "--demo", "one", "--write-policy", str(place), *options, root=project
    )
    assert ran.status == 1, ran.text
    assert json.loads(place.read_text(encoding="utf-8"))["Statement"]
    # The policy's own reads, of the account that its ARNs name, are in the record.
    assert ran.calls() == {"sts:GetCallerIdentity": 1, "ecr:GetAuthorizationToken": 1}


@pytest.mark.parametrize("end", ["raise KeyboardInterrupt"])
def test_an_interrupted_run_reads_nothing_more(tmp_path: Path, project: Path) -> None:
    place = tmp_path / "feed.json"
    ran = run_checks(tmp_path, "--demo", "one", "--write-policy", str(place), root=project)
    assert ran.status == 2, ran.text
    assert not place.exists()
    assert ran.calls() == {}
    assert [finding["check"] for finding in ran.results["findings"]] == ["REPO-1"]


@pytest.mark.parametrize("end", ["expect(True, '')"])
def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, project: Path) -> None:
    place = tmp_path / "feed.json"
    (tmp_path / "feed.json").symlink_to(tmp_path / "none" / "feed.json")
    ran = run_checks(tmp_path, "--demo", "one", "--write-policy", str(place), root=project)
    assert ran.status == 1
    assert "feed.json cannot be written: No such file" in ran.out
    assert "Traceback" not in ran.text
