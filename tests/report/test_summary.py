"""The terminal: five lines at most for each fix, ten at the end, the verdict last."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from ecr_feed.findings import Comparison, Finding, OutcomeWord, WaiverUse, subject
from ecr_feed.report import html, results, services, summary
from ecr_feed.report.groups import grouped
from ecr_feed.report.record import Assumed, Part
from tests.report import helpers

NOTHING_ELSE = "0 not assessed, 0 waived, 0 not applicable, 0 met"
FEW = helpers.build(helpers.few())


def text(lines: object) -> list[str]:
    return [line for line, _ in lines]  # type: ignore[attr-defined] # lines of (text, markup)


def test_what_is_open_is_told_worst_first_in_five_lines_each() -> None:
    lines = text(summary.findings(FEW))
    heads = [line for line in lines if not line.startswith(" ")]
    assert [head.split()[:4] for head in heads] == [
        ["✗", "not", "met", "critical"],
        ["?", "not", "assessed", "critical"],
    ]
    for group in grouped(FEW):
        assert len(list(summary.block(group))) <= 5
    assert any("create-repository --repository-name PACKAGE" in line for line in lines)


def test_one_finding_names_its_package_in_full() -> None:
    run = helpers.build((helpers.missing("team/missing"),))
    fix = "aws ecr create-repository --repository-name team/missing --region eu-west-1"
    assert text(summary.findings(run)) == [
        "✗ not met       critical  REPO-1    Production ECR  team/missing",
        "    Package ID 'team/missing' has no repository in eu-west-1.",
        "    expected a repository of that exact name; found team/missing-app (nearest)",
        f"    fix  {fix}",
        "    request id 7c0e6f2a-0001",
    ]


@pytest.mark.parametrize(
    ("findings", "last"),
    [
        (
            helpers.few(),
            "NOT READY: 2 not met, 1 not assessed, 1 waived, 1 not applicable, 4 met",
        ),
        (helpers.clean(), "READY: 0 not met, 0 not assessed, 0 waived, 0 not applicable, 2 met"),
        ((), "NOT PROVEN: 0 not met, 0 not assessed, 0 waived, 0 not applicable, 0 met"),
        (
            (helpers.finding("REPO-3", OutcomeWord.NOT_MET, gating=False),),
            f"READY: 1 not met, {NOTHING_ELSE} (1 of them does not gate)",
        ),
    ],
)
def test_the_verdict_is_the_last_line(findings: tuple[Finding, ...], last: str) -> None:
    lines = text(summary.verdict(helpers.build(findings), Path("reports")))
    assert lines[-1] == last
    assert len(lines) <= 10
    demo = text(summary.verdict(helpers.build(findings, mode="demo"), None))
    assert demo[-1] == f"[DEMO] {last}"
    assert not any("report.html" in line for line in demo)


def test_ten_lines_hold_the_busiest_run() -> None:
    feeds = tuple(replace(helpers.FEED, name=f"Feed {at}", slug=f"feed-{at}") for at in range(40))
    marks = {subject(finding): "new" for finding in helpers.few()}
    run = helpers.build(
        helpers.few(),
        feeds=feeds,
        complete=False,
        incomplete="the run was interrupted",
        part=Part(run=2, of=5, feeds_not_judged=()),
        waivers=(
            WaiverUse("A-1", "F", "", "r", "o", date(2026, 1, 1), "expired", 0),
            WaiverUse("A-2", "F", "", "r", "o", date(2027, 1, 1), "unused", 0),
        ),
        comparison=Comparison("old.json", "x", "0" * 64, marks, (("A", "b", ""),), new_only=True),
    )
    lines = text(summary.verdict(run, Path("reports")))
    assert len(lines) == 10
    told = "\n".join(lines)
    for part in (
        "and 38 more feeds",
        "the run was interrupted",
        "--new-only",
        "1 expired, 1 unused",
        "Next: ",
        "reports/report.html",
    ):
        assert part in told


def test_a_thousand_kinds_of_findings_do_not_flood_the_terminal() -> None:
    findings = tuple(
        helpers.finding(f"REPO-{at}", OutcomeWord.NOT_MET, message=f"m{at}") for at in range(1000)
    )
    lines = text(summary.findings(helpers.build(findings)))
    assert len(lines) <= summary.GROUPS * 5 + 1
    assert lines[-1] == f"... and {1000 - summary.GROUPS} more findings: see the report."


def test_nothing_hostile_reaches_the_terminal() -> None:
    run = helpers.hostile_run()
    lines = [*summary.findings(run), *summary.verdict(run, Path("reports"))]
    for line, _ in lines:
        assert line.isprintable()
        assert len(line) <= summary.WIDTH + 40
        assert "##" not in line
        assert not line.lstrip().startswith("::")


def test_colours_are_names_that_pytest_knows() -> None:
    lines = [*summary.findings(FEW), *summary.verdict(FEW, None)]
    assert {name for _, markup in lines for name in markup} <= {"red", "yellow", "green", "bold"}
    assert summary.verdict_line(FEW)[1] == {"red": True, "bold": True}
    assert summary.verdict_line(helpers.build(helpers.clean()))[1] == {"green": True, "bold": True}


VPCE = Assumed("aws:SourceVpce", ("vpce-0123",), "")
UNUSED = Assumed("aws:SourceIp", ("198.51.100.7", "198.51.100.8"), "No policy looks at it.")


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ([()], ""),
        ([(VPCE,)], " with 1 assumed value"),
        ([(replace(UNUSED, remark=""),)], " with 2 assumed values"),
        ([(VPCE, UNUSED)], " with 3 assumed values (2 unused)"),
        ([(replace(VPCE, remark="No."),)], " with 1 assumed value (1 unused)"),
        # A value that two feeds state counts once; one of them is enough for it to be used.
        ([(VPCE,), (replace(VPCE, key="AWS:SourceVpce"),)], " with 1 assumed value"),
        ([(VPCE,), (replace(VPCE, remark="No."),)], " with 1 assumed value"),
        ([(VPCE,), (replace(VPCE, values=("vpce-9",)),)], " with 2 assumed values"),
    ],
)
def test_assumed_values_stand_behind_the_verdict(
    stated: list[tuple[Assumed, ...]], said: str
) -> None:
    run = helpers.build(helpers.clean())
    feeds = tuple(replace(helpers.FEED, assumed=each) for each in stated)
    run = replace(run, feeds=feeds)
    lines = text(summary.verdict(run, Path("reports")))
    assert lines[-1].startswith(f"READY{said}: 0 not met")
    assert len(lines) <= 10
    assert any(line.startswith("Assumed, as stated: aws:S") for line in lines) is bool(said)
    assert any("(No policy looks at it)" in line for line in lines) is any(
        UNUSED in each for each in stated
    )


def test_assumed_values_are_in_every_view() -> None:
    run = helpers.build(helpers.clean())
    run = replace(run, feeds=(replace(helpers.FEED, assumed=(VPCE, UNUSED)),))
    page = html.fragment(run, "0" * 64)
    assert "with 3 assumed values (2 unused)" in page
    assert "aws:SourceVpce = vpce-0123</dd>" in page
    assert "(No policy looks at it)" in page
    document = results.results(run)
    jsonschema.Draft202012Validator(results.schema()).validate(document)
    assert document["assumed"] == [
        {"feed": run.feeds[0].name, "key": each.key, "values": list(each.values), "remark": said}
        for each, said in ((VPCE, None), (UNUSED, UNUSED.remark))
    ]
    assert "with 3 assumed values" in services.step_summary(run)
