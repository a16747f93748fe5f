"""Waivers and a baseline together: what they change in a finding."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ecr_feed.findings import OutcomeWord
from ecr_feed.report.results import results, to_bytes
from ecr_feed.triage import Triage, baseline
from ecr_feed.triage.waivers import Waiver, Waivers
from tests.report import helpers

TODAY = date(2026, 11, 25)


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
