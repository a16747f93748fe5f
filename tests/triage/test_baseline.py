"""--baseline: new, known, fixed; and a file that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecr_feed.config import ConfigError
from ecr_feed.findings import Finding, OutcomeWord, verdict
from ecr_feed.report.results import SCHEMA_VERSION, results, to_bytes
from ecr_feed.triage import baseline
from tests.report import helpers

MET, NOT_MET = OutcomeWord.MET, OutcomeWord.NOT_MET
NOT_ASSESSED, WAIVED = OutcomeWord.NOT_ASSESSED, OutcomeWord.WAIVED
NOT_APPLICABLE = OutcomeWord.NOT_APPLICABLE


def saved(tmp_path: Path, *findings: Finding, mode: str = "aws") -> Path:
    path = tmp_path / "earlier.json"
    path.write_bytes(to_bytes(results(helpers.build(findings, mode=mode))))
    return path


@pytest.mark.parametrize(
    ("before", "now", "mark"),
    [
        (None, NOT_MET, "new"),
        (None, NOT_ASSESSED, "new"),
        (None, MET, None),
        (MET, NOT_MET, "new"),
        (MET, MET, None),
        (NOT_MET, NOT_MET, "known"),
        (NOT_MET, NOT_ASSESSED, "new"),
        (NOT_MET, MET, "fixed"),
        (NOT_MET, WAIVED, None),
        (NOT_MET, NOT_APPLICABLE, None),
        (NOT_ASSESSED, NOT_ASSESSED, "known"),
        (NOT_ASSESSED, NOT_MET, "new"),
        (NOT_ASSESSED, MET, "fixed"),
        (WAIVED, NOT_MET, "new"),
        (NOT_APPLICABLE, NOT_MET, "new"),
    ],
)
def test_marks(
    tmp_path: Path, before: OutcomeWord | None, now: OutcomeWord, mark: str | None
) -> None:
    earlier = [] if before is None else [helpers.finding(outcome=before)]
    loaded = baseline.load(saved(tmp_path, *earlier), mode="aws")
    assert loaded.mark(helpers.finding(outcome=now)) == mark


def test_a_finding_is_told_apart_by_check_feed_and_package(tmp_path: Path) -> None:
    loaded = baseline.load(saved(tmp_path, helpers.missing("team/app")))
    assert loaded.mark(helpers.missing("team/app")) == "known"
    assert loaded.mark(helpers.missing("team/app2")) == "new"
    assert loaded.mark(helpers.missing("team/app", "Team ECR")) == "new"
    assert loaded.mark(helpers.finding("REPO-3", NOT_MET)) == "new"
    assert loaded.mark(helpers.finding("REPO-1", NOT_MET, None)) == "new"


def test_new_only_fails_for_new_ones_alone(tmp_path: Path) -> None:
    loaded = baseline.load(saved(tmp_path, helpers.missing("team/app")))
    known = loaded.new_only(helpers.missing("team/app"))
    new = loaded.new_only(helpers.missing("team/new"))
    assert not known.fails_the_run
    assert known.outcome == NOT_MET
    assert new.fails_the_run
    assert verdict((known, helpers.finding())).value == "READY"
    assert verdict((known, new)).value == "NOT READY"


def test_the_comparison_goes_into_results_json(tmp_path: Path) -> None:
    earlier = saved(
        tmp_path, helpers.missing("a/b"), helpers.missing("c/d"), helpers.missing("gone")
    )
    loaded = baseline.load(earlier)
    now = (helpers.missing("a/b"), helpers.finding(package="c/d"), helpers.missing("e/f"))
    run = helpers.build(now, comparison=loaded.compare(now, new_only=True))
    document = results(run)
    marks = [row["baseline"] for row in document["findings"]]  # type: ignore[attr-defined] # JSON
    assert sorted(marks) == ["fixed", "known", "new"]
    summary = document["baseline"]
    assert isinstance(summary, dict)
    assert (summary["new"], summary["known"], summary["fixed"]) == (1, 1, 1)
    assert summary["new_only"] is True
    assert summary["no_longer_judged"] == [
        {"check": "REPO-1", "feed": "Production ECR", "package": "gone"}
    ]


VERSION_1 = """{
  "schema_version": "1.0",
  "mode": "aws",
  "verdict": "NOT READY",
  "run": {"finished": "2026-11-24T00:03:27Z"},
  "findings": [
    {"check": "REPO-1", "severity": "critical", "gating": true, "feed": "Production ECR",
     "package": "team/app", "outcome": "not met", "message": "m",
     "evidence": {"expected": "a", "found": "b"}, "fix": null, "test": "t"}
  ]
}"""
"""Written by version 1.0.0 (shortened): a finding has no `expected` and `found` of its own."""


@pytest.mark.parametrize("version", baseline.READABLE)
def test_every_readable_version_is_compared(tmp_path: Path, version: str) -> None:
    path = tmp_path / "earlier.json"
    path.write_text(VERSION_1.replace('"1.0"', f'"{version}.3"'), encoding="utf-8")
    loaded = baseline.load(path, mode="aws")
    assert loaded.finished == "2026-11-24T00:03:27Z"
    assert loaded.mark(helpers.missing("team/app")) == "known"
    assert loaded.mark(helpers.missing("team/new")) == "new"


def test_the_version_that_is_written_is_readable() -> None:
    assert SCHEMA_VERSION.partition(".")[0] in baseline.READABLE
    assert "1" in baseline.READABLE


def test_strange_names_are_the_same_in_the_file_and_in_the_run(tmp_path: Path) -> None:
    name = "a\nb\u202ec\x1b[31m"
    loaded = baseline.load(saved(tmp_path, helpers.missing(name)))
    assert loaded.mark(helpers.missing(name)) == "known"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "is empty"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "schema_version"),
        (b"{}", "schema_version"),
        (b'{"schema_version": 1}', "schema_version"),
        (b'{"schema_version": "9.0"}', "another version"),
        (b'{"schema_version": "1.0"}', "mode"),
        (b'{"schema_version": "1.0", "mode": "aws"}', "findings"),
        (b'{"schema_version": "1.0", "mode": "aws", "findings": [3]}', "findings[1]"),
        (b'{"schema_version": "1.0", "mode": "aws", "findings": [{}]}', "findings[1]"),
    ],
)
def test_a_file_that_is_no_results_json(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "earlier.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        baseline.load(path, mode="aws")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["outcome", "package"])
def test_a_row_with_a_strange_value(tmp_path: Path, key: str) -> None:
    path = saved(tmp_path, helpers.missing("a/b"))
    document = json.loads(path.read_bytes())
    document["findings"][0][key] = 3
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigError, match=key):
        baseline.load(path)


def test_a_demonstration_is_no_baseline_for_aws(tmp_path: Path) -> None:
    path = saved(tmp_path, mode="demo")
    assert baseline.load(path, mode="demo").open == {}
    with pytest.raises(ConfigError, match="same kind"):
        baseline.load(path, mode="aws")


def test_a_folder_and_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        baseline.load(tmp_path)
    with pytest.raises(ConfigError, match="no such file"):
        baseline.load(tmp_path / "none.json")
