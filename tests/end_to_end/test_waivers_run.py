"""Waivers and a baseline through a whole run: what fails it, what every report says."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.support.run import Ran, project_with, run_checks

CHECKS = """
import os

from ecr_feed.check import HIGH, MEDIUM, check
from ecr_feed.outcomes import expect, not_assessed


def rule(number, severity=HIGH):
    return check(
        id=f"REPO-{{number}}", severity=severity, title=f"rule {{number}}", why="w", fix="f",
        reads=(), refs=("https://example.com/",),
    )


@rule(1)
def test_packages(feed, package):
    expect({package}, f"{{package}} does not hold")


@rule(2)
def test_feed(feed):
    expect({feed}, "the feed's own rule")


@rule(3)
def test_unknown(feed):
    {unknown}


@rule(4, MEDIUM)
def test_hygiene(feed):
    expect(True, "hygiene")
"""
BAD = CHECKS.format(package="package != 'team/app'", feed="False", unknown="not_assessed('denied')")
FAILING = CHECKS.format(package="False", feed="False", unknown="expect(True, '')")
CHANGED = CHECKS.format(
    package="package == 'team/app'", feed="False", unknown="not_assessed('denied')"
)

ACCOUNT = """
[[user]]
name = "octopus-feed"
keys = [{ label = "feed" }]

[[feed]]
name = "Production ECR"
region = "eu-west-1"
packages = ["team/app", "team/worker"]
credentials = { key = "feed" }
"""


def waiver(check: str, expires: str, package: str | None = None, feed: str = "*") -> str:
    return (
        f'[[waiver]]\ncheck = "{check}"\nfeed = "{feed}"\n'
        + (f'package = "{package}"\n' if package else "")
        + f'reason = "moves in May"\nowner = "platform <team>"\nexpires = {expires}\n'
    )


def run(tmp_path: Path, checks: str, *options: str, waivers: str = "") -> Ran:
    project = tmp_path / "project"
    if project.exists():
        (project / "checks" / "test_rules.py").write_text(checks, encoding="utf-8")
    else:
        project_with(tmp_path, checks={"rules": checks}, accounts={"mine": ACCOUNT})
    if waivers:
        (tmp_path / "waivers.toml").write_text(waivers, encoding="utf-8")
        options = (*options, "--waivers", str(tmp_path / "waivers.toml"))
    return run_checks(tmp_path, "--demo", "mine", *options, root=project)


def page(ran: Ran) -> str:
    return (ran.report / "report.html").read_text(encoding="utf-8")


def test_a_waiver_in_force_lets_the_run_pass_and_is_told(tmp_path: Path) -> None:
    waivers = (
        waiver("REPO-1", "2999-01-01", package="team/*", feed="Production ECR")
        + waiver("REPO-2", "2999-01-01")
        + waiver("REPO-4", "2999-01-01")
        + waiver("REPO-1", "2999-01-01", feed="Nobody's")
    )
    ran = run(tmp_path, FAILING, "-rA", waivers=waivers)
    assert ran.status == 0, ran.text
    assert ran.results["verdict"] == "READY"
    assert ran.checks("waived") == {"REPO-1", "REPO-2"}
    assert ran.checks("not met") == set()
    finding = ran.finding("REPO-1", "team/app")
    assert finding["gating"] is True
    assert finding["evidence"]["waiver"] == {
        "reason": "moves in May",
        "owner": "platform <team>",
        "expires": "2999-01-01",
    }
    states = [(each["check"], each["state"], each["covers"]) for each in ran.results["waivers"]]
    assert states == [
        ("REPO-1", "in force", 2),
        ("REPO-2", "in force", 1),
        ("REPO-4", "unused", 0),
        ("REPO-1", "unused", 0),
    ]
    assert "Waivers: 2 in force, 2 unused." in ran.out
    assert "2 passed, 3 xfailed" in ran.out
    assert "READY: 0 not met, 0 not assessed, 3 waived" in ran.out
    assert "platform &lt;team&gt;" in page(ran)
    suite = ElementTree.parse(ran.report / "junit.xml").getroot()
    skipped = [case.get("type") for case in suite.iter("skipped")]
    assert skipped == ["pytest.xfail"] * 3
    assert [each["file"] for each in ran.results["run"]["inputs"]] == [
        str(tmp_path / "waivers.toml")
    ]


def test_an_expired_one_and_one_of_what_nobody_could_judge_waive_nothing(tmp_path: Path) -> None:
    waivers = (
        waiver("REPO-1", "2020-02-29", package="team/app")
        + waiver("REPO-2", "2999-01-01")
        + waiver("REPO-3", "2999-01-01")
        + waiver("REPO-4", "2020-02-29")
    )
    ran = run(tmp_path, BAD, waivers=waivers)
    assert ran.status == 1, ran.text
    assert ran.results["verdict"] == "NOT READY"
    expired = ran.finding("REPO-1", "team/app")
    assert expired["outcome"] == "not met"
    assert "expired on 2020-02-29: it counts again" in expired["message"]
    assert ran.finding("REPO-2")["outcome"] == "waived"
    assert ran.finding("REPO-3")["outcome"] == "not assessed"
    states = {each["check"]: (each["state"], each["note"]) for each in ran.results["waivers"]}
    assert states["REPO-1"][0] == states["REPO-4"][0] == "expired"
    assert states["REPO-3"][0] == "unused"
    assert "which no waiver covers" in states["REPO-3"][1]
    assert "expired on 2020-02-29" in page(ran)
    assert "Waivers: 1 in force, 2 expired, 1 unused." in ran.out


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run in which one package, the feed and an unknown stand against it."""
    ran = run(tmp_path_factory.mktemp("earlier"), BAD)
    assert ran.status == 1, ran.text
    return ran.report / "results.json"


def test_a_baseline_marks_new_known_and_fixed(tmp_path: Path, earlier: Path) -> None:
    ran = run(tmp_path, CHANGED, "--baseline", str(earlier), "--new-only")
    assert ran.status == 1, ran.text
    marks = {(each["check"], each["package"]): each["baseline"] for each in ran.results["findings"]}
    assert marks == {
        ("REPO-1", "team/app"): "fixed",
        ("REPO-1", "team/worker"): "new",
        ("REPO-2", None): "known",
        ("REPO-3", None): "known",
        ("REPO-4", None): None,
    }
    told = ran.results["baseline"]
    assert (told["new"], told["known"], told["fixed"]) == (1, 2, 1)
    assert told["new_only"] is True
    assert ran.finding("REPO-1", "team/worker")["gating"] is True
    assert ran.finding("REPO-2")["gating"] is False
    assert ran.finding("REPO-2")["outcome"] == "not met"
    assert "1 new, 2 known, 1 fixed" in ran.out


def test_new_only_passes_for_what_was_known_and_says_so(tmp_path: Path, earlier: Path) -> None:
    ran = run(tmp_path, BAD, "--baseline", str(earlier), "--new-only", "-n", "2")
    assert ran.status == 0, ran.text
    assert ran.results["verdict"] == "READY"
    assert ran.checks("not met") == {"REPO-1", "REPO-2"}
    assert ran.checks("not assessed") == {"REPO-3"}
    assert "known ones do not fail this run (--new-only)" in ran.out
    assert "--new-only" in page(ran)
    assert ran.results["run"]["options"]["--new-only"] == "yes"
    without = run(tmp_path, BAD, "--baseline", str(earlier))
    assert without.status == 1, without.text
    assert without.results["baseline"]["known"] == 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("--waivers", None, "no such file"),
        ("--waivers", waiver("REPO-99", "2999-01-01"), "REPO-99"),
        ("--waivers", waiver("REPO-1", "2999-01-01").replace("owner", "onwer"), "onwer"),
        ("--baseline", None, "no such file"),
        ("--baseline", "not json", "not JSON"),
        ("--baseline", json.dumps({"schema_version": "1.0", "mode": "aws"}), "same kind"),
        ("--new-only", None, "--baseline"),
    ],
)
def test_a_wrong_file_is_a_usage_error(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    path = tmp_path / "given"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    given = (name,) if name == "--new-only" else (name, str(path))
    ran = run_checks(tmp_path, *given)
    assert ran.status == 4, ran.text
    assert said in ran.err
    assert "Traceback" not in ran.text
    assert not ran.report.exists() or not list(ran.report.iterdir())
