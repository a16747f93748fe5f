from __future__ import annotations

import pytest

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.outcomes import (
    Judgement,
    NotApplicable,
    NotAssessed,
    NotMet,
    collecting_evidence,
    expect_judgement,
)

FAILURE = Failure(Trouble.DENIED, "ecr", "ListImages", "eu-west-1", request_id="req-1")


def test_a_judgement_that_holds_ends_nothing() -> None:
    judged = Judgement.of(True, "no", expected="a", found="a", evidence={"more": 1})
    with collecting_evidence() as evidence:
        expect_judgement(judged)
    assert judged.holds
    assert evidence == {"more": 1, "expected": "a", "found": "a"}


def test_a_judgement_that_does_not_hold_is_not_met() -> None:
    judged = Judgement(OutcomeWord.NOT_MET, "no", "a", "b", "mend it", failure=FAILURE)
    with collecting_evidence() as evidence, pytest.raises(NotMet, match="no") as caught:
        expect_judgement(judged)
    assert caught.value.fix == "mend it"
    assert evidence == {"request_id": "req-1", "expected": "a", "found": "b"}


def test_what_was_not_assessed_keeps_its_evidence_and_fix() -> None:
    judged = Judgement(OutcomeWord.NOT_ASSESSED, "unknown", "a", fix="try", evidence={"x": 1})
    with collecting_evidence() as evidence, pytest.raises(NotAssessed, match="unknown") as caught:
        expect_judgement(judged)
    assert caught.value.fix == "try"
    assert evidence == {"x": 1}


def test_what_is_not_applicable_gives_the_reason() -> None:
    judged = Judgement.not_applicable("no meaning")
    assert not judged.holds
    with pytest.raises(NotApplicable, match="no meaning"):
        expect_judgement(judged)


def test_nothing_is_shown_for_an_empty_text() -> None:
    with collecting_evidence() as evidence:
        expect_judgement(Judgement.of(True, "no", expected="", found=[]))
    assert evidence == {}
