from __future__ import annotations

import pytest

from ecr_feed.facts.aws import MASK, Failure, ReadError, Secret, Trouble
from ecr_feed.findings import Finding, Verdict, verdict
from ecr_feed.once import Once
from ecr_feed.read_advice import fix_for


def finding(outcome: str, *, gating: bool = True) -> Finding:
    return Finding("REPO-1", "high", gating, "feed", None, outcome, "said")


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([("met", True)], Verdict.READY),
        ([("met", True), ("not met", True)], Verdict.NOT_READY),
        ([("met", True), ("not assessed", True)], Verdict.NOT_PROVEN),
        ([("not met", True), ("not assessed", True)], Verdict.NOT_READY),
        ([("met", True), ("not met", False), ("not assessed", False)], Verdict.READY),
        ([("met", True), ("waived", True), ("not applicable", True)], Verdict.READY),
        ([], Verdict.NOT_PROVEN),
    ],
)
def test_the_verdict_follows_what_gates(
    findings: list[tuple[str, bool]], expected: Verdict
) -> None:
    assert verdict(tuple(finding(word, gating=gating) for word, gating in findings)) is expected


def test_a_run_cut_short_or_a_feed_without_a_judgement_is_not_proven() -> None:
    met = (finding("met"),)
    assert verdict(met, complete=False) is Verdict.NOT_PROVEN
    assert verdict(met, unassessed_feeds=1) is Verdict.NOT_PROVEN


def test_a_secret_shows_itself_to_nobody_but_who_asks() -> None:
    secret = Secret("wJalrXUtnFEMI/K7MDENG")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{[secret]}"):
        assert "wJalr" not in shown
        assert MASK in shown
    assert secret.reveal() == "wJalrXUtnFEMI/K7MDENG"
    with pytest.raises(TypeError):
        secret.__reduce__()


def test_a_cell_reads_once_and_keeps_the_error_too() -> None:
    calls = []

    def read() -> int:
        calls.append(1)
        raise ReadError(Failure(Trouble.DENIED, "ecr", "ListImages", "eu-west-1"))

    cell = Once(read)
    for _ in range(3):
        with pytest.raises(ReadError):
            cell.get()
    assert len(calls) == 1


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_a_remedy(trouble: Trouble) -> None:
    said = fix_for(Failure(trouble, "iam", "GetUser", "eu-west-1", host="iam.amazonaws.com"))
    assert said.endswith(".")
    assert "{" not in said


def test_a_denial_of_the_feed_leads_to_its_own_rule() -> None:
    assert "PERM" in fix_for(Failure(Trouble.DENIED, "ecr", "ListImages", "eu-west-1"))
    assert "audit" in fix_for(Failure(Trouble.DENIED, "iam", "GetUser", "eu-west-1"))
