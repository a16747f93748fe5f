"""How a rule is judged and how a check reports it: `Judgement`, `expect`, and the other outcomes.

A rule helper returns a `Judgement`; a check hands it to `expect_judgement`, or calls `expect`
itself. Only `expect` makes a rule "not met". A fact that could not be read makes it "not assessed",
a rule without meaning for its subject is "not applicable". No pytest here: `plugin/outcomes.py`
translates the exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NoReturn

from ecr_feed.facts.aws import Failure
from ecr_feed.findings import OutcomeWord

_evidence: ContextVar[dict[str, object] | None] = ContextVar("evidence", default=None)


class NotMet(Exception):  # noqa: N818 - an outcome, not an error
    """The rule was judged and does not hold. Raised by `expect` alone."""

    def __init__(self, message: str, fix: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class NotAssessed(Exception):  # noqa: N818 - an outcome, not an error
    """The rule could not be judged; the message names what is missing, `fix` what would help."""

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """The rule has no meaning for this subject; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says of one subject: `outcome` is any of the five words but `WAIVED`.

    `message` is one sentence: what is wrong, or why the rule was not judged. `expected` and `found`
    are JSON values, shown side by side; None and "" are left out. `because` is the cause, in the
    words of the most precise answer that there was; "" where the message says it. `fix` is None
    where the check's own fix applies, or nothing needs fixing. `evidence` holds JSON values.
    `failure` is the failed call that the outcome rests on, if there is one.
    """

    outcome: OutcomeWord
    message: str
    expected: object = None
    found: object = None
    fix: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None
    because: str = ""

    @property
    def holds(self) -> bool:
        """The rule was judged and holds."""
        return self.outcome is OutcomeWord.MET

    @classmethod
    def of(
        cls,
        holds: bool,
        message: str,
        *,
        expected: object = None,
        found: object = None,
        because: str = "",
        fix: str | None = None,
        evidence: Mapping[str, object] | None = None,
    ) -> Judgement:
        """Met where `holds`, else not met; `message` then says what is wrong."""
        outcome = OutcomeWord.MET if holds else OutcomeWord.NOT_MET
        return cls(outcome, message, expected, found, fix, evidence or {}, because=because)

    @classmethod
    def not_assessed(
        cls, reason: str, *, evidence: Mapping[str, object] | None = None, fix: str | None = None
    ) -> Judgement:
        """The rule could not be judged; `reason` names what is missing, `fix` what would help."""
        return cls(OutcomeWord.NOT_ASSESSED, reason, fix=fix, evidence=evidence or {})

    @classmethod
    def not_applicable(cls, reason: str) -> Judgement:
        """The rule has no meaning for its subject."""
        return cls(OutcomeWord.NOT_APPLICABLE, reason)


@contextmanager
def collecting_evidence() -> Iterator[dict[str, object]]:
    """While inside, `note` and `expect` add to the dict that this yields."""
    evidence: dict[str, object] = {}
    token = _evidence.set(evidence)
    try:
        yield evidence
    finally:
        _evidence.reset(token)


def note(**evidence: object) -> None:
    """Keep facts with the finding, whatever its outcome; JSON values only."""
    kept = _evidence.get()
    if kept is not None:
        kept.update(evidence)


def expect(
    condition: bool,
    message: str,
    *,
    expected: object = None,
    found: object = None,
    evidence: Mapping[str, object] | None = None,
    fix: str | None = None,
) -> None:
    """The one judgement of a check: where `condition` is false the rule is not met.

    `message` says what is wrong, `expected` and `found` stand side by side under it; `evidence` is
    kept either way. `fix` overrides the metadata's.
    """
    if expected is not None:
        note(expected=expected)
    if found is not None:
        note(found=found)
    note(**(evidence or {}))
    if not condition:
        raise NotMet(message, fix)


def expect_judgement(judgement: Judgement) -> None:
    """End the check as the judgement says, and keep its evidence with the finding."""
    note(**judgement.evidence)
    if judgement.because:
        note(because=judgement.because)
    if judgement.failure is not None and judgement.failure.request_id:
        note(request_id=judgement.failure.request_id)
    match judgement.outcome:
        case OutcomeWord.NOT_APPLICABLE:
            raise NotApplicable(judgement.message)
        case OutcomeWord.NOT_ASSESSED:
            raise NotAssessed(judgement.message, judgement.fix)
        case _:
            expect(
                judgement.holds,
                judgement.message,
                expected=judgement.expected or None,
                found=judgement.found or None,
                fix=judgement.fix,
            )


def not_applicable(reason: str) -> NoReturn:
    """End the check: its rule has no meaning here."""
    raise NotApplicable(reason)


def not_assessed(reason: str) -> NoReturn:
    """End the check: it cannot be judged, and `reason` names what is missing."""
    raise NotAssessed(reason)
