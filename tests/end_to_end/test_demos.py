"""Demo accounts as examples: small, named after what is wrong; what the documents show is true."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ecr_feed.embedded.seeding.account_file import load
from ecr_feed.plugin.catalogue import ACCOUNTS
from ecr_feed.plugin.selection import demos
from tests.support.run import ROOT, project_with, run_checks

_LONGEST = 50  # lines; whoever reads a breaking account should see the breakage at once


@pytest.mark.parametrize("name", [name for name in demos(ACCOUNTS) if name != "healthy"])
def test_an_account_is_small_and_says_what_is_wrong(name: str) -> None:
    account = load(ACCOUNTS / f"{name}.toml")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert re.fullmatch(r"[A-Z].*\.", account.says)
    assert len((ACCOUNTS / f"{name}.toml").read_text(encoding="utf-8").splitlines()) <= _LONGEST


def test_the_documented_account_trips_what_it_says(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "embedded.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(says = .*?)```", text, re.DOTALL)
    assert example is not None
    project = project_with(tmp_path, accounts={"documented": example[1]})
    ran = run_checks(tmp_path, "--demo", "documented", root=project)
    account = load(project / "fixtures" / "accounts" / "documented.toml")
    assert ran.checks("not met") == set(account.trips)


def test_a_forked_run_says_what_a_run_of_its_own_says(tmp_path: Path) -> None:
    demo = ("--demo", "denied-list-images", "--look-elsewhere")
    forked = run_checks(tmp_path / "forked", *demo)
    ran = run_checks(tmp_path / "fresh", *demo, fresh=True)
    for words in ("met", "not met", "not assessed", "not applicable"):
        assert forked.findings(words) == ran.findings(words)
    assert forked.status == ran.status
    assert _settled(forked.out) == _settled(ran.out)


def test_a_forked_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_checks(tmp_path, timeout=0.01)
    assert run_checks(tmp_path, "--co", "-q").status == 0  # and the next one runs


def _settled(text: str) -> list[str]:
    """What does not change from run to run: the printed findings but for ids of requests."""
    lines = [line for line in text.splitlines() if line.startswith(("✗", "    "))]
    return [re.sub(r"request id \S+", "request id", line) for line in lines]
