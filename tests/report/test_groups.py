"""Findings by what settles them; permissions by witness; tokens and keys on a line of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_feed.findings import Finding, OutcomeWord
from ecr_feed.report.figures import ROWS, WIDTH, matrices, of_key, of_token
from ecr_feed.report.groups import grouped, is_command, request_ids
from ecr_feed.report.record import KeyTimes, TokenTimes
from tests.report import helpers

NOW = helpers.NOW


def test_one_fix_for_forty_packages_is_one_item_with_forty_names() -> None:
    names = [f"team/app-{at:02}" for at in range(40)]
    (group,) = grouped(helpers.build(tuple(helpers.missing(name) for name in names)))
    assert list(group.packages) == names
    assert group.message == "Package ID 'PACKAGE' has no repository in eu-west-1."
    assert group.fix == "aws ecr create-repository --repository-name PACKAGE --region eu-west-1"
    assert group.found == "team/missing-app (nearest)"
    assert group.details == ()


def test_what_differs_is_told_for_each() -> None:
    near = [helpers.missing("a/one"), helpers.missing("b/two")]
    evidence = {"expected": "that name", "found": "b/twoo"}
    near[1] = replace(near[1], evidence=evidence)
    (group,) = grouped(helpers.build(tuple(near)))
    assert [(package, text) for _, package, text in group.details] == [
        ("a/one", "found team/missing-app (nearest)"),
        ("b/two", "found b/twoo"),
    ]
    assert group.message == "Package ID 'PACKAGE' has no repository in eu-west-1."


def test_one_package_in_two_feeds_keeps_its_name() -> None:
    both = (helpers.missing("team/app"), helpers.missing("team/app", "Team ECR"))
    (group,) = grouped(helpers.build(both))
    assert group.feeds == ("Production ECR", "Team ECR")
    assert "--repository-name team/app " in group.fix


def test_different_outcomes_checks_and_fixes_are_different_items() -> None:
    found = (
        helpers.missing("a/b"),
        replace(helpers.missing("a/b"), outcome=OutcomeWord.NOT_ASSESSED, test="2"),
        helpers.missing("c/d", gating=False),
        helpers.finding("REPO-3", OutcomeWord.NOT_MET, fix="other"),
    )
    groups = grouped(helpers.build(found))
    assert len(groups) == 4
    assert [group.lead.fails_the_run for group in groups] == [True, True, True, False]


def test_one_cause_that_keeps_many_rules_from_being_judged_is_one_item() -> None:
    found = [
        helpers.finding(
            check, OutcomeWord.NOT_ASSESSED, package, message="key unknown", fix="See A-1."
        )
        for check, package in (("IDENT-2", None), ("PERM-2", "a/b"), ("PERM-2", "c/d"))
    ]
    found += [
        helpers.finding(
            "REPO-3", OutcomeWord.NOT_ASSESSED, "a/b", message="said otherwise", fix="See A-1."
        ),
        helpers.finding(
            "TOKEN-1", OutcomeWord.NOT_ASSESSED, message="key unknown", fix="Run again."
        ),
    ]
    first, second = grouped(helpers.build(tuple(found)))
    assert first.checks == ("IDENT-2", "PERM-2", "REPO-3")
    assert first.packages == ("a/b", "c/d")
    assert [said for _, _, said in first.details][-1] == "said otherwise"
    assert second.checks == ("TOKEN-1",)


@pytest.mark.parametrize(
    ("fix", "typed"),
    [
        ("aws ecr create-repository --repository-name team/app --region eu-west-1", True),
        ("docker login --username AWS --password-stdin 1.dkr.ecr.eu-west-1.amazonaws.com", True),
        ("export AWS_PROFILE=octopus", True),
        ("Grant ecr:ListImages on the repository.", False),
        ("aws is not where this is fixed.", False),
        ("", False),
    ],
)
def test_a_command_is_told_from_a_sentence(fix: str, typed: bool) -> None:
    assert is_command(fix) is typed


def test_names_of_two_letters_are_not_taken_out_of_words() -> None:
    found = tuple(
        helpers.finding(outcome=OutcomeWord.NOT_MET, package=name, message="an app")
        for name in ("an", "ap")
    )
    (group,) = grouped(helpers.build(found))
    assert group.message == "an app"


def test_request_ids_come_from_either_key() -> None:
    finding = helpers.finding(evidence={"request_id": "a", "request_ids": ["b", 3, ""]})
    assert request_ids(finding) == ("a", "b")


def test_the_matrix_has_a_row_a_package_and_a_cell_an_action() -> None:
    production, team = matrices(helpers.build(helpers.few()))
    assert production.actions == ("ecr:ListImages",)
    (row,) = production.rows
    (cell,) = row.cells
    assert row.package == "team/app"
    assert cell is not None
    assert cell.disagree
    assert [(a.witness, a.answer) for a in cell.answers] == [
        ("probe", "denied"),
        ("simulation", "allowed"),
        ("evaluation", "undetermined"),
    ]
    (other,) = team.rows
    assert other.plain
    assert [answer.shape for answer in other.cells[0].answers] == ["✓", "–", "–"]  # type: ignore[union-attr] # there


def test_a_large_matrix_shows_what_needs_a_look() -> None:
    def probed(at: int, answer: str) -> Finding:
        evidence = {
            "action": "ecr:ListImages",
            "witnesses": [{"witness": "probe", "answer": answer}],
        }
        return helpers.finding("PERM-4", package=f"a/{at}", evidence=evidence)

    findings = [probed(at, "allowed") for at in range(900)]
    findings += [probed(at, "denied") for at in range(900, 1200)]
    (matrix,) = matrices(helpers.build(tuple(findings)))
    assert (len(matrix.rows), matrix.allowed, matrix.more) == (ROWS, 900, 100)


def test_strange_evidence_is_no_matrix() -> None:
    for witnesses in ("x", [1], [{"witness": "probe"}], [{"witness": "me", "action": "a"}]):
        finding = helpers.finding(evidence={"witnesses": witnesses})
        assert matrices(helpers.build((finding,))) == ()


def test_a_token_that_lives_reaches_beyond_the_runs_end() -> None:
    line = of_token(TokenTimes(NOW - timedelta(hours=3), NOW + timedelta(hours=9)), NOW)
    assert (line.start, line.used, line.end) == (0, 250, WIDTH)
    assert not line.over
    assert [(moment.name, moment.away) for moment in line.moments] == [
        ("fetched", "3 h before"),
        ("end of this run", ""),
        ("expires", "in 9 h"),
    ]


def test_a_token_that_ended_is_used_up() -> None:
    token = TokenTimes(
        NOW - timedelta(hours=13), NOW - timedelta(hours=1), NOW + timedelta(hours=2)
    )
    line = of_token(token, NOW)
    assert line.over
    assert line.used == line.end == 800
    assert [moment.name for moment in line.moments][-1] == "needed until"


def test_times_that_make_no_sense_still_draw() -> None:
    same = of_token(TokenTimes(NOW, NOW), NOW)
    turned = of_token(TokenTimes(NOW, NOW - timedelta(days=4000)), NOW)
    future = of_key(KeyTimes("AKIA", NOW + timedelta(days=1)), NOW)
    for line in (same, turned, future):
        assert 0 <= line.start <= line.used <= line.end <= WIDTH
        assert all(0 <= moment.at <= WIDTH for moment in line.moments)


def test_a_key_ends_where_it_has_to_be_replaced() -> None:
    key = KeyTimes("AKIA", NOW - timedelta(days=80), "Active", None, NOW + timedelta(days=10))
    line = of_key(key, NOW)
    assert line.label == "Access key AKIA, Active"
    assert (line.used, line.end) == (889, WIDTH)
