"""What options do to findings, what services are told, what a person sees while it runs."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from ecr_feed.findings import OutcomeWord
from ecr_feed.plugin.live import INTERVAL, Progress
from ecr_feed.report import services
from ecr_feed.report.results import results, to_bytes
from ecr_feed.triage import Triage, baseline
from ecr_feed.triage.waivers import Waiver, Waivers
from tests.report import helpers

TODAY = date(2026, 11, 25)
ACTIONS = {"GITHUB_ACTIONS": "true"}
STEP = {"OctopusCalamariWorkingDirectory": "/work"}


def waivers() -> Waivers:
    day = TODAY + timedelta(days=1)
    return Waivers(
        (
            Waiver(
                check="REPO-1",
                feed="*",
                package="team/waived",
                reason="moving",
                owner="me",
                expires=day,
            ),
        )
    )


def test_without_options_nothing_changes() -> None:
    finding = helpers.missing("a/b")
    triage = Triage()
    assert triage(finding) is finding
    assert triage.uses((finding,)) == ()
    assert triage.comparison((finding,)) is None


def test_waivers_and_baseline_together(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    before = (helpers.missing("team/known"), helpers.missing("team/waived"))
    earlier.write_bytes(to_bytes(results(helpers.build(before))))
    triage = Triage(waivers(), baseline.load(earlier), new_only=True, today=TODAY)
    found = [helpers.missing(f"team/{name}") for name in ("known", "waived", "new")]
    known, waived, new = (triage(finding) for finding in found)
    assert (known.outcome, known.fails_the_run) == (OutcomeWord.NOT_MET, False)
    assert (waived.outcome, waived.fails_the_run) == (OutcomeWord.WAIVED, False)
    assert (new.outcome, new.fails_the_run) == (OutcomeWord.NOT_MET, True)
    comparison = triage.comparison((known, waived, new))
    assert comparison is not None
    assert comparison.new_only
    assert sorted(comparison.marks.values()) == ["known", "new"]
    (use,) = triage.uses((known, waived, new))
    assert (use.state, use.covers) == ("in force", 1)


def test_without_new_only_known_ones_still_fail(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_bytes(to_bytes(results(helpers.build((helpers.missing("a/b"),)))))
    triage = Triage(baseline=baseline.load(earlier), today=TODAY)
    assert triage(helpers.missing("a/b")).fails_the_run


@pytest.mark.parametrize(
    ("formats", "environ", "kinds"),
    [
        ([], ACTIONS | STEP, set()),
        (["github"], {}, set()),
        (["octopus"], {}, set()),
        (["github"], ACTIONS, {"::error"}),
        (["octopus"], STEP, {"##octopus"}),
        (["github", "octopus"], ACTIONS | STEP, {"::error", "##octopus"}),
        (["github"], STEP, set()),
    ],
)
def test_a_service_is_spoken_to_only_where_it_listens(
    formats: list[str], environ: dict[str, str], kinds: set[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    report.touch()
    lines = services.lines(helpers.build(helpers.few()), formats, environ, [report])
    assert {line[: 7 if line.startswith("::") else 9] for line in lines} == kinds


def test_the_steps_own_files_are_added_to(tmp_path: Path) -> None:
    summary, outputs = tmp_path / "summary.md", tmp_path / "output"
    summary.write_text("before\n", encoding="utf-8")
    environ = ACTIONS | {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    services.append(helpers.build(helpers.few()), ["github"], environ)
    assert summary.read_text(encoding="utf-8").startswith("before\n## ❌ ECR feed audit")
    assert "verdict=NOT READY\n" in outputs.read_text(encoding="utf-8")
    services.append(helpers.build(()), [], environ)
    services.append(helpers.build(()), ["github"], {})
    assert outputs.read_text(encoding="utf-8").count("verdict=") == 1


def test_progress_counts_every_call_and_shows_some() -> None:
    progress = Progress(started=99.0)
    assert progress.call("Production ECR", 99.0 + INTERVAL / 2) is None
    assert not progress.showing
    assert progress.call("Production ECR", 99.5) == "reading Production ECR: 2 calls, 0.5 s"
    assert progress.call("Production ECR", 99.5 + INTERVAL / 2) is None
    assert progress.showing
    for _ in range(97):
        progress.call("Production ECR", 99.6)
    assert progress.call("a\x1b[2J", 105.0) == "reading a\\x1b[2J: 101 calls, 17 a second, 6.0 s"
