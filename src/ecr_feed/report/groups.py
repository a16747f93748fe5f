"""Findings as a person works through them: one fix for forty packages is one item."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ecr_feed.findings import Finding, OutcomeWord, subject
from ecr_feed.report.record import Run, worst_first
from ecr_feed.text.safe import cut

OPEN: Final = (OutcomeWord.NOT_MET.value, OutcomeWord.NOT_ASSESSED.value)
SHAPES: Final = {
    OutcomeWord.MET.value: "✓",
    OutcomeWord.NOT_MET.value: "✗",
    OutcomeWord.NOT_ASSESSED.value: "?",
    OutcomeWord.WAIVED.value: "~",
    OutcomeWord.NOT_APPLICABLE.value: "–",
}
_COMMAND: Final = re.compile(
    r"(aws|docker|terraform|octopus|curl|kubectl|export) [^.]*(\s--?[a-z]|=)"
)
TEXT_LIMIT: Final = 4_000  # characters of one text in a page or a terminal; results.json has more


@dataclass(frozen=True, slots=True)
class FixGroup:
    """Findings that one fix settles; `lead` is the first of them.

    Findings that are not met are grouped by check, findings not assessed by cause.

    The texts contain `PACKAGE` and `FEED` where the members differ in nothing else. Otherwise
    `message` is the lead's and `details` has (feed, package, text) of each member.
    """

    lead: Finding
    members: tuple[Finding, ...]
    message: str
    expected: str
    found: str
    fix: str
    request_ids: tuple[str, ...]
    mark: str = ""  # "new" or "known" against a baseline
    details: tuple[tuple[str, str, str], ...] = ()

    @property
    def shape(self) -> str:
        """The outcome's shape."""
        return SHAPES.get(self.lead.outcome, "?")

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks concerned, each once."""
        return tuple(dict.fromkeys(member.check for member in self.members))

    @property
    def feeds(self) -> tuple[str, ...]:
        """The feeds concerned, each once."""
        return tuple(dict.fromkeys(member.feed for member in self.members))

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages concerned, each once."""
        return tuple(
            dict.fromkeys(member.package for member in self.members if member.package is not None)
        )


def grouped(run: Run) -> tuple[FixGroup, ...]:
    """What is not met or not assessed, grouped by fix; what fails the run comes first."""
    gathered: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted((f for f in run.findings if f.outcome in OPEN), key=worst_first):
        gathered.setdefault(_key(finding, run), []).append(finding)
    return tuple(_group(members, run) for members in gathered.values())


def open_findings(findings: Iterable[Finding]) -> list[Finding]:
    """What is not met or not assessed, worst first."""
    return sorted((f for f in findings if f.outcome in OPEN), key=worst_first)


def mark_of(finding: Finding, run: Run) -> str:
    """`new`, `known`, `fixed` or nothing."""
    return (run.comparison.marks.get(subject(finding)) or "") if run.comparison else ""


def expected_found(finding: Finding) -> tuple[str, str]:
    """What is shown together under a message; empty where the check had no such pair."""
    evidence = finding.evidence
    return _short(evidence.get("expected")), _short(evidence.get("found"))


def is_command(fix: str) -> bool:
    """Whether a fix is something to type, rather than a sentence."""
    return _COMMAND.match(fix) is not None


def request_ids(finding: Finding) -> tuple[str, ...]:
    """The request ids in the evidence, under the names that readers of AWS give them."""
    ids: list[str] = []
    for name in ("request_id", "request_ids"):
        value = finding.evidence.get(name)
        ids += [value] if isinstance(value, str) else []
        ids += [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return tuple(item for item in ids if item)


def _key(finding: Finding, run: Run) -> tuple[object, ...]:
    """What the members of a group share: check and fix (or message), or cause and fix."""
    fix, message = _general(finding.fix or "", finding), _general(finding.message, finding)
    same = (finding.outcome, finding.gating, mark_of(finding, run), fix)
    if finding.outcome == OutcomeWord.NOT_ASSESSED:
        # A host that does not answer is one problem, whatever was asked of it.
        return (*same, "" if fix else message)
    return (*same, finding.check, "" if fix else message)


def _general(text: str, finding: Finding) -> str:
    """The text with the subject's own names taken out, to see whether it is the same elsewhere.

    Names of one or two letters stay: they are parts of other words.
    """
    for name, place in ((finding.package, "PACKAGE"), (finding.feed, "FEED")):
        if name and len(name) > 2:
            text = text.replace(name, place)
    return text


def _group(members: list[Finding], run: Run) -> FixGroup:
    lead = members[0]
    texts, details = _shared(lead, members)
    ids = tuple(dict.fromkeys(item for member in members for item in request_ids(member)))
    message, expected, found, fix = (
        cut(_named(text, lead, members) if len(members) > 1 else text, TEXT_LIMIT)
        for text in (*texts, lead.fix or "")
    )
    mark = mark_of(lead, run)
    return FixGroup(lead, tuple(members), message, expected, found, fix, ids, mark, details)


def _shared(
    lead: Finding, members: list[Finding]
) -> tuple[tuple[str, str, str], tuple[tuple[str, str, str], ...]]:
    """What all members share (message, expected, found), and what each has of its own."""
    expected, found = expected_found(lead)
    said = {tuple(_general(text, item) for text in _texts(item)) for item in members}
    if len(said) == 1:
        return (lead.message, expected, found), ()
    same_message = len({message for message, *_ in said}) == 1
    details = tuple(
        (item.feed, item.package or "", _own(item, with_message=not same_message))
        for item in members
    )
    if same_message:
        same_expected = len({wanted for _, wanted, _ in said}) == 1
        return (lead.message, expected if same_expected else "", ""), details
    return (lead.message, "", ""), details


def _own(finding: Finding, *, with_message: bool) -> str:
    """The text of one member of a group that the others do not share."""
    expected, found = expected_found(finding)
    if with_message:
        text = f"{finding.message} Found: {found}" if found else finding.message
    else:
        text = f"found {found}" if found else f"expected {expected}" if expected else ""
    return cut(text, TEXT_LIMIT)


def _named(text: str, lead: Finding, members: list[Finding]) -> str:
    """A text for every member: a feed or package that all of them share keeps its name."""
    text = _general(text, lead)
    if len({member.feed for member in members}) == 1:
        text = text.replace("FEED", lead.feed)
    if lead.package and len({member.package for member in members}) == 1:
        text = text.replace("PACKAGE", lead.package)
    return text


def _texts(finding: Finding) -> tuple[str, str, str]:
    return (finding.message, *expected_found(finding))


def _short(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    return str(value)
