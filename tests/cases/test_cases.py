"""Each row of the table of cases is run as a person runs it, and held against what it states."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.cases.case import Case, Findings, read_cases, targets
from tests.support.run import ROOT, Ran, project_with, run_checks

CASES = read_cases()


def run(case: Case, folder: Path) -> Ran:
    """The run that a row asks for, started in a folder that has its files."""
    start = folder / "start"
    start.mkdir()
    for name, text in case.files.items():
        path = start / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    root = project_with(folder, accounts={"case": case.account}) if case.account else ROOT
    target = [str(root / each) for each in targets(case)]
    rooted = ("-c", str(root / "pyproject.toml"), "--rootdir", str(root))
    return run_checks(folder, *rooted, *case.options, root=root, cwd=start, target=target)


@pytest.fixture(scope="module")
def runs() -> dict[object, Ran]:
    """Runs that several rows share."""
    return {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(tmp_path: Path, case: Case, runs: dict[object, Ran]) -> None:
    if case.run not in runs:
        runs[case.run] = run(case, tmp_path)
    ran = runs[case.run]
    assert "Traceback" not in ran.text, ran.text
    findings = Findings(ran.results.get("findings", []))
    said = {name: findings.named(name)["outcome"] for name in case.outcomes}
    assert said == case.outcomes, ran.text
    for name, texts in case.names.items():
        missing = [text for text in texts if text not in findings.text(name)]
        assert not missing, (name, findings.named(name))
    for name, texts in case.never.items():
        there = [text for text in texts if text in findings.text(name)]
        assert not there, (name, findings.named(name))
    assert [text for text in case.terminal if text not in ran.text] == [], ran.text
    assert [text for text in case.terminal_never if text in ran.text] == [], ran.text
    if case.verdict is not None:
        assert ran.results["verdict"] == case.verdict, ran.text
    if case.status is not None:
        assert ran.status == case.status, ran.text


def test_each_row_states_something_and_has_its_own_name() -> None:
    assert [case.id for case in CASES if not case.states_something] == []
    assert [name for name, count in Counter(case.id for case in CASES).items() if count > 1] == []
