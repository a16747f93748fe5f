"""Each word means one thing, to pytest, to results.json, to JUnit and under -n alike."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.support.run import ONE_FEED, Ran, project_with, run_checks

CHECKS = """
from ecr_feed.check import CRITICAL, HIGH, LOW, check
from ecr_feed.outcomes import expect, not_applicable, not_assessed, note
from ecr_feed.facts.aws import Failure, ReadError, Trouble
import pytest


def rule(number, severity=HIGH):
    return check(
        id=f"REPO-{number}", severity=severity, title=f"rule {number}", why="w",
        fix="do {feed.region}", reads=(), refs=("https://example.com/",),
    )


@rule(1)
def test_met(feed):
    expect(True, "never said", evidence={"kept": 1})


@rule(2)
def test_not_met(feed):
    expect(False, "it does not hold", expected="a", found="b")


@rule(3)
def test_not_assessed(feed):
    not_assessed("nobody knows")


@rule(4)
def test_unreadable(feed):
    raise ReadError(Failure(Trouble.THROTTLED, "ecr", "ListImages", "eu-west-1",
                            code="ThrottlingException", attempts=10))


@rule(5)
def test_not_applicable(feed):
    not_applicable("no meaning here")


@rule(6)
def test_bare_assert(feed):
    planted = "planted-secret-value"
    assert planted == "something else"


@rule(7)
def test_mistake(feed):
    planted = {"key": "planted-secret-value"}
    planted["missing"]


@rule(8, LOW)
def test_low_and_not_met(feed):
    expect(False, "a small thing")


@rule(9, LOW)
def test_low_and_not_assessed(feed):
    not_assessed("a small unknown")


@pytest.fixture
def broken():
    yield
    raise RuntimeError("planted-secret-value")


@rule(10)
def test_teardown_breaks(feed, broken):
    expect(True, "fine")


@rule(11)
def test_skipped_by_pytest(feed):
    pytest.skip("pytest's own skip")
"""
EXPECTED = {
    "REPO-1": "met",
    "REPO-2": "not met",
    "REPO-3": "not assessed",
    "REPO-4": "not assessed",
    "REPO-5": "not applicable",
    "REPO-6": "not assessed",
    "REPO-7": "not assessed",
    "REPO-8": "not met",
    "REPO-9": "not assessed",
    "REPO-10": "not assessed",
    "REPO-11": "not applicable",
}


@pytest.fixture(scope="module", params=[(), ("-n", "2"), ("-p", "no:xdist")], ids=repr)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    tmp_path = tmp_path_factory.mktemp("outcomes")
    project = project_with(tmp_path, checks={"words": CHECKS}, accounts={"one": ONE_FEED})
    return run_checks(
        tmp_path,
        "--demo",
        "one",
        *request.param,
        "-vvv",
        "--showlocals",
        "--tb=long",
        "-rA",
        root=project,
    )


def test_words(ran: Ran) -> None:
    assert ran.status == 1, ran.text
    found = {finding["check"]: finding["outcome"] for finding in ran.results["findings"]}
    assert found == EXPECTED


def test_junit_says_the_same(ran: Ran) -> None:
    suite = ElementTree.parse(ran.report / "junit.xml").getroot()
    words: dict[str | None, set[tuple[str, str | None]]] = {}
    for case in suite.iter("testcase"):
        properties = {p.get("name"): p.get("value") for p in case.iter("property")}
        kinds = {child.tag: child.get("type") for child in case if child.tag != "properties"}
        kinds.pop("system-out", None)
        words.setdefault(properties["check"], set()).update(kinds.items())
    assert words["REPO-1"] == set()
    assert {tag for tag, _ in words["REPO-2"]} == {"failure"}
    for check in ("REPO-3", "REPO-4", "REPO-6", "REPO-7", "REPO-10"):
        assert {tag for tag, _ in words[check]} == {"error"}
    assert words["REPO-5"] == {("skipped", "pytest.skip")}
    for check in ("REPO-8", "REPO-9"):
        assert words[check] == {("skipped", "pytest.xfail")}


def test_no_value_of_a_mistake_is_shown(ran: Ran) -> None:
    assert "planted-secret-value" not in ran.text
    for path in ran.report.iterdir():
        assert b"planted-secret-value" not in path.read_bytes(), path.name
    assert "Traceback" not in ran.text


def test_findings_carry_their_evidence_and_fix(ran: Ran) -> None:
    assert ran.finding("REPO-1")["evidence"] == {"kept": 1}
    assert ran.finding("REPO-2")["evidence"] == {"expected": "a", "found": "b"}
    assert ran.finding("REPO-2")["fix"] == "do eu-west-1"
    assert "run again later" in ran.finding("REPO-4")["fix"]
    assert "10 attempts" in ran.finding("REPO-4")["message"]
    assert ran.finding("REPO-6")["message"].startswith("The check itself failed: AssertionError")
    assert ran.finding("REPO-8")["gating"] is False


def test_the_terminal_agrees(ran: Ran) -> None:
    # The broken teardown is one passed and one error to pytest; our word for it is one.
    assert "1 failed, 2 passed, 2 skipped, 2 xfailed, 5 errors" in ran.out
    assert "NOT READY: " in ran.out.splitlines()[-2]


def test_a_lower_gate_fails_what_it_let_pass(tmp_path: Path) -> None:
    project = project_with(tmp_path, checks={"words": CHECKS}, accounts={"one": ONE_FEED})
    ran = run_checks(tmp_path, "--demo", "one", "--gate", "low", "-k", "low", root=project)
    assert ran.status == 1
    assert ran.finding("REPO-8")["gating"] is True
    ran = run_checks(
        tmp_path,
        "--demo",
        "one",
        "--gate",
        "critical",
        "-k",
        "test_not_met or test_met",
        root=project,
    )
    assert ran.status == 0, ran.text
    assert ran.finding("REPO-2")["outcome"] == "not met"
    assert ran.results["verdict"] == "PART"


def test_a_feed_of_which_nothing_was_judged_fails_the_run(tmp_path: Path) -> None:
    project = project_with(tmp_path, checks={"words": CHECKS}, accounts={"one": ONE_FEED})
    ran = run_checks(tmp_path, "--demo", "one", "-k", "not_applicable", root=project)
    assert ran.status == 1
    assert ran.results["verdict"] == "NOT PROVEN"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_crashed_worker_is_not_assessed(tmp_path: Path, workers: str) -> None:
    crash = CHECKS + "\n\n@rule(12)\ndef test_crash(feed):\n    import os\n    os._exit(3)\n"
    project = project_with(tmp_path, checks={"words": crash})
    # The healthy demo has two ECR feeds: both crash, and what they leave is done all the same.
    ran = run_checks(tmp_path, "-n", workers, "-k", "crash or test_met", root=project)
    assert ran.status == 1
    words = {(f["check"], f["feed"]): f["outcome"] for f in ran.results["findings"]}
    assert len(words) == 4
    assert {word for (check, _), word in words.items() if check == "REPO-12"} == {"not assessed"}
    assert {word for (check, _), word in words.items() if check == "REPO-1"} == {"met"}


def test_stopping_early_is_not_a_whole_run(tmp_path: Path) -> None:
    project = project_with(tmp_path, checks={"words": CHECKS}, accounts={"one": ONE_FEED})
    ran = run_checks(tmp_path, "--demo", "one", "-x", root=project)
    assert ran.status == 1
    assert ran.results["verdict"] == "NOT READY"
    assert ran.results["run"]["complete"] is False
