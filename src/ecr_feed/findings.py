"""Findings: the outcome of each check for each feed or package. Every report is a view of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Final


class OutcomeWord(StrEnum):
    """The five outcomes, in the words of every report."""

    MET = "met"
    NOT_MET = "not met"
    NOT_ASSESSED = "not assessed"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"


class Severity(IntEnum):
    """How severe a rule is; ordered: `Severity.HIGH > Severity.LOW`."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The name in reports and for `--gate`."""
        return self.name.lower()


class Verdict(StrEnum):
    """The result of the whole run; the exit status says the same."""

    READY = "READY"
    NOT_READY = "NOT READY"
    NOT_PROVEN = "NOT PROVEN"
    PART = "PART"


WORDS: Final = tuple(word.value for word in OutcomeWord)


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check for one subject: a feed, or a package of it.

    `feed` is the name as written in the feeds file; `package` is None for a rule about the feed;
    `evidence` holds JSON values only; `test` is pytest's node ID.
    """

    check: str
    severity: str
    gating: bool
    feed: str
    package: str | None
    outcome: str
    message: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    fix: str | None = None
    test: str = ""

    @property
    def fails_the_run(self) -> bool:
        """It gates and is not met, or gates and could not be judged."""
        return self.gating and self.outcome in (OutcomeWord.NOT_MET, OutcomeWord.NOT_ASSESSED)


def subject(finding: Finding) -> tuple[str, str, str]:
    """What identifies a finding from run to run: check, feed, package ("" for the feed's own)."""
    return (finding.check, finding.feed, finding.package or "")


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """What a waiver did in this run. `state`: "in force", "expired" or "unused"."""

    check: str
    feed: str
    package: str
    reason: str
    owner: str
    expires: date
    state: str
    covers: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run against an earlier one; keys are `subject(finding)`; `gone` has no finding."""

    source: str
    finished: str
    sha256: str
    marks: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    gone: tuple[tuple[str, str, str], ...] = ()
    new_only: bool = False


def verdict(
    findings: tuple[Finding, ...],
    *,
    unassessed_feeds: int = 0,
    complete: bool = True,
    whole: bool = True,
) -> Verdict:
    """READY, NOT READY (something gating is not met) or NOT PROVEN (something was not judged).

    PART instead of READY where the run was not asked to judge everything (`whole` is False).
    `unassessed_feeds` counts feeds of which nothing was judged; `complete` is False for a run that
    was cut short.
    """
    gating = {finding.outcome for finding in findings if finding.fails_the_run}
    if OutcomeWord.NOT_MET in gating:
        return Verdict.NOT_READY
    if gating or unassessed_feeds or not complete or not findings:
        return Verdict.NOT_PROVEN
    return Verdict.READY if whole else Verdict.PART
