"""Every check has an account that breaks it; each account trips its own checks and no others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ecr_feed.plugin.catalogue import ACCOUNTS, catalogue
from ecr_feed.plugin.selection import HEALTHY, demos
from tests.support.run import Ran, run_checks

CHECKS = {info.id for info in catalogue()}
TRIPS: dict[str, set[str]] = {
    name: set(tomllib.loads((ACCOUNTS / f"{name}.toml").read_text(encoding="utf-8"))["trips"])
    for name in demos(ACCOUNTS)
}
BREAKING = sorted(set(TRIPS) - {HEALTHY})
MET_NOWHERE: dict[str, str] = {}
"""Checks that the healthy account cannot meet, each with the reason."""
_HEAD = re.compile(r"(?:✗ not met|\? not assessed) +(?:critical|high|medium|low) +([A-Z]+-\d+)")


def test_every_check_has_an_account_that_breaks_it() -> None:
    assert CHECKS - set().union(*TRIPS.values()) == set()


def test_every_trip_is_a_check() -> None:
    assert {name: trips - CHECKS for name, trips in TRIPS.items() if trips - CHECKS} == {}


def test_the_healthy_account_alone_trips_nothing() -> None:
    assert [name for name, trips in TRIPS.items() if not trips] == [HEALTHY]


def test_the_healthy_account_meets_every_check(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, "--demo", HEALTHY, "--look-elsewhere")
    assert ran.checks("met") == CHECKS - set(MET_NOWHERE)
    assert ran.checks("not met", "not assessed", "waived") == set()
    assert (ran.status, ran.results["verdict"]) == (0, "READY")
    assert _blocks(ran) == []
    _compares(ran)


@pytest.mark.parametrize("account", BREAKING)
def test_an_account_trips_its_own_checks_and_no_others(tmp_path: Path, account: str) -> None:
    ran = run_checks(tmp_path, "--demo", account, "--look-elsewhere")
    assert ran.checks("not met") == TRIPS[account]
    assert ran.status == int(any(finding["gating"] for finding in _open(ran)))
    assert ran.status == int(ran.results["verdict"] != "READY")
    _says_what_a_person_needs(ran)
    _compares(ran)


_FAILURE = re.compile(
    r"[a-z]+:[A-Z][A-Za-z]+ in |Exception|AccessDenied|InvalidClientTokenId|ExpiredToken|"
    r"SignatureDoesNotMatch|refuse[sd] the|not resolved|timed out|cannot be|does not|\bnot met\b"
)


def _compares(ran: Ran) -> None:
    """What was expected and what was found agree with the outcome."""
    for each in ran.results["findings"]:
        expected, found = each["evidence"].get("expected"), each["evidence"].get("found")
        if each["outcome"] == "met" and found is not None:
            assert not _FAILURE.search(str(found)), each
            assert expected is not None, each
        if each["outcome"] == "not met":
            assert found, each
            assert expected, each
            assert found != expected, each
            assert str(expected) not in str(found), each


def _says_what_a_person_needs(ran: Ran) -> None:
    """What is wrong and how to mend it, five lines at most each; of our own trouble nothing."""
    assert "Traceback" not in ran.text
    assert "The check itself failed" not in ran.text
    blocks = _blocks(ran)
    assert {check for check, _ in blocks} <= {finding["check"] for finding in _open(ran)}
    for check, lines in blocks:
        assert 2 <= len(lines) <= 5, lines
        if check in ran.checks("not met"):
            assert any(line.startswith("    fix  ") for line in lines), lines
    assert all(each["fix"] for each in _open(ran) if each["outcome"] == "not met")
    assert ran.out.splitlines()[-2].startswith(f"[DEMO] {ran.results['verdict']}: ")


def _open(ran: Ran) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = ran.results["findings"]
    return [each for each in findings if each["outcome"] in ("not met", "not assessed")]


def _blocks(ran: Ran) -> list[tuple[str, list[str]]]:
    """The printed blocks, each with the first check that it names."""
    blocks: list[tuple[str, list[str]]] = []
    inside = False
    for line in ran.out.splitlines():
        head = _HEAD.match(line)
        if head is not None:
            blocks.append((head[1], [line]))
        elif inside and line.startswith("    "):
            blocks[-1][1].append(line)
        inside = head is not None or (inside and line.startswith("    "))
    return blocks
