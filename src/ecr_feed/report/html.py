"""The static fragment: everything an auditor needs, complete without a script.

One autoescaped template set over plain view records; no markup is made anywhere else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from ecr_feed.findings import Finding, OutcomeWord, Verdict
from ecr_feed.report.figures import Timeline, matrices, of_key, of_token
from ecr_feed.report.groups import (
    OPEN,
    SHAPES,
    TEXT_LIMIT,
    expected_found,
    grouped,
    is_command,
    mark_of,
    open_findings,
    request_ids,
)
from ecr_feed.report.pytest_html import BEGIN, END, rebuild
from ecr_feed.report.record import (
    NOT_IN_A_PLAN,
    WORST_FIRST,
    FeedFacts,
    Run,
    check_order,
    count,
    family_of,
)
from ecr_feed.text.safe import cut
from ecr_feed.text.times import elapsed, to_second
from ecr_feed.text.words import few, many

WHOLE_LIMIT: Final = 10_000  # findings; beyond it, met ones are one line for each check and feed
GROUP_LIMIT: Final = 150  # items of "Fix first"; every finding is in "All checks" as well
NAME_LIMIT: Final = 400  # names in one item
_GROUNDS: Final = frozenset({"assumed", "downloaded", "remark"})  # shown of a met rule too
EVIDENCE_LIMIT: Final = 2_000  # characters of one finding's raw evidence
_VERDICTS: Final = {
    Verdict.READY.value: ("✓", "ready", "Every gating rule is met, waived or not applicable."),
    Verdict.NOT_READY.value: ("✗", "not-ready", "At least one gating rule is not met."),
    Verdict.NOT_PROVEN.value: (
        "?",
        "not-proven",
        "No gating rule is not met, but some could not be judged.",
    ),
    Verdict.PART.value: (
        "◐",
        "part",
        "Every gating rule that was run is met, waived or not applicable; the others were not run.",
    ),
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One row of `All checks`; `number` > 1 where met rows of a huge run are shown together."""

    anchor: str
    finding: Finding
    shape: str
    css: str
    message: str
    expected: str
    found: str
    fix: str
    evidence: str
    mark: str
    number: int = 1


@dataclass(frozen=True, slots=True)
class FamilyTable:
    """The rows of one family of one feed."""

    name: str
    lines: tuple[FindingRow, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one feed."""

    feed: str
    families: tuple[FamilyTable, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """A cell of feed x family: the worst outcome, how many have it, and of how many."""

    word: str
    shape: str
    css: str
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Card:
    """A feed's card."""

    feed: FeedFacts
    counts: tuple[tuple[str, str, str, int], ...]
    timelines: tuple[Timeline, ...]
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rules were not applicable or not assessed, and which: (check, feed, packages)."""

    message: str
    number: int
    checks: tuple[str, ...]
    feeds: tuple[str, ...]


def fragment(run: Run, results_sha256: str) -> str:
    """The page's content between `BEGIN` and `END`. `run` comes from `prepare`."""
    shape, css, sentence = _VERDICTS[run.verdict]
    groups = grouped(run)
    anchors = {id(finding): f"f{number}" for number, finding in enumerate(run.findings, 1)}
    body = (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            shape=shape,
            css=css,
            not_in_a_plan=NOT_IN_A_PLAN,
            sentence=sentence,
            counts=_counts(run.findings),
            quiet=sum(not f.gating for f in open_findings(run.findings)),
            groups=groups[:GROUP_LIMIT],
            more_groups=groups[GROUP_LIMIT:],
            name_limit=NAME_LIMIT,
            anchor=lambda finding: anchors[id(finding)],
            families=_families(run),
            table=tuple((feed, _tallies(run, feed.name)) for feed in run.feeds),
            cards=tuple(_card(feed, run) for feed in run.feeds),
            matrices=matrices(run),
            waived=[f for f in run.findings if f.outcome == OutcomeWord.WAIVED],
            not_applicable=_reasons(run, OutcomeWord.NOT_APPLICABLE.value),
            not_assessed=_reasons(run, OutcomeWord.NOT_ASSESSED.value),
            sections=tuple(_sections(run, anchors)),
            collapsed=len(run.findings) > WHOLE_LIMIT,
            failed_calls=[call for call in run.calls if call.code],
            attempts=sum(call.attempts for call in run.calls),
            results_sha256=results_sha256,
        )
    )
    return f"{BEGIN}\n{body}\n{END}"


def finish(page: str, run: Run, note: str = "") -> str:
    """The page that pytest-html wrote around `fragment`, fit to be filed; see `rebuild`."""
    head = f"{title(run.mode)}: {run.verdict}{run.on_assumptions}"
    return rebuild(page, title=head, styles=styles(), note=note)


def title(mode: str) -> str:
    """The page's title before there is a verdict."""
    return "ECR feed audit" if mode == "aws" else f"ECR feed audit [{mode.upper()}]"


def styles() -> str:
    """The page's style sheet, as shipped."""
    return files("ecr_feed.report").joinpath("templates", "report.css").read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ecr_feed.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "utc": to_second,
        "elapsed": elapsed,
        "css": _css,
        "few": few,
        "many": many,
    }
    environment.tests |= {"command": is_command}
    environment.globals |= {"shapes": SHAPES}
    return environment


def _css(word: str) -> str:
    return word.replace(" ", "-").lower()


def _counts(findings: Sequence[Finding]) -> tuple[tuple[str, str, str, int], ...]:
    """(word, shape, class, number) of all five words, worst first."""
    counted = count(tuple(findings))
    return tuple((word, SHAPES[word], _css(word), counted[word]) for word in WORST_FIRST)


def _families(run: Run) -> tuple[str, ...]:
    """In the catalogue's order; those that it does not know after them."""
    known = dict.fromkeys(rule.family for rule in run.rules)
    found = sorted({family_of(finding.check) for finding in run.findings})
    return tuple(known | dict.fromkeys(found))


def _tallies(run: Run, feed: str) -> dict[str, Tally]:
    words: dict[str, Counter[str]] = {}
    for finding in run.findings:
        if finding.feed == feed:
            words.setdefault(family_of(finding.check), Counter())[finding.outcome] += 1
    return {family: _tally(counted) for family, counted in words.items()}


def _tally(counted: Counter[str]) -> Tally:
    word = next(word for word in WORST_FIRST if counted[word])
    # A family with a met rule is not shown as not applicable.
    if word == OutcomeWord.NOT_APPLICABLE and counted[OutcomeWord.MET.value]:
        word = OutcomeWord.MET.value
    return Tally(word, SHAPES[word], _css(word), counted[word], counted.total())


def _card(feed: FeedFacts, run: Run) -> Card:
    mine = [finding for finding in run.findings if finding.feed == feed.name]
    lines = [] if feed.token is None else [of_token(feed.token, run.finished)]
    lines += [of_key(key, run.finished) for key in feed.keys]
    documents = [] if feed.policy_fix is None else feed.policy_fix["documents"]
    texts = tuple(json.dumps(each["document"], indent=2) for each in documents)
    return Card(feed, _counts(mine), tuple(lines), texts)


def _reasons(run: Run, word: str) -> tuple[Reason, ...]:
    gathered: dict[str, list[Finding]] = {}
    for finding in run.findings:
        if finding.outcome == word:
            text = finding.message
            if finding.package and len(finding.package) > 2:
                text = text.replace(finding.package, "PACKAGE")
            gathered.setdefault(text, []).append(finding)
    reasons = [
        Reason(
            cut(message if len(found) > 1 else found[0].message, TEXT_LIMIT),
            len(found),
            tuple(sorted({finding.check for finding in found}, key=check_order)),
            tuple(dict.fromkeys(finding.feed for finding in found)),
        )
        for message, found in gathered.items()
    ]
    return tuple(sorted(reasons, key=lambda reason: (-reason.number, reason.message)))


def _sections(run: Run, anchors: dict[int, str]) -> Iterator[Section]:
    names = [feed.name for feed in run.feeds]
    names += sorted({finding.feed for finding in run.findings} - set(names))
    by_feed: dict[str, list[Finding]] = {name: [] for name in names}
    for finding in run.findings:
        by_feed[finding.feed].append(finding)
    whole = len(run.findings) <= WHOLE_LIMIT
    order = _families(run)
    for name, found in by_feed.items():
        mine = {key: list(group) for key, group in groupby(found, lambda f: family_of(f.check))}
        families = tuple(
            FamilyTable(family, tuple(_lines(mine[family], run, anchors, whole)))
            for family in order
            if family in mine
        )
        if families:
            yield Section(name, families)


def _lines(
    findings: list[Finding], run: Run, anchors: dict[int, str], whole: bool
) -> Iterator[FindingRow]:
    met = Counter(f.check for f in findings if f.outcome == OutcomeWord.MET)
    told: set[str] = set()
    for finding in findings:
        if whole or finding.outcome != OutcomeWord.MET:
            yield _line(finding, run, anchors)
        elif finding.check not in told:
            told.add(finding.check)
            yield _line(finding, run, anchors, number=met[finding.check])


def _line(finding: Finding, run: Run, anchors: dict[int, str], number: int = 1) -> FindingRow:
    met = finding.outcome == OutcomeWord.MET
    expected, found = ("", "") if met else expected_found(finding)
    return FindingRow(
        anchor=anchors[id(finding)] if finding.outcome in OPEN else "",
        finding=finding,
        shape=SHAPES.get(finding.outcome, "?"),
        css=_css(finding.outcome),
        message=cut(finding.message, TEXT_LIMIT),
        expected=cut(expected, TEXT_LIMIT),
        found=cut(found, TEXT_LIMIT),
        fix=cut(finding.fix or "", TEXT_LIMIT) if finding.outcome in OPEN else "",
        evidence=_evidence(finding, _GROUNDS if met else frozenset(finding.evidence)),
        mark=mark_of(finding, run),
        number=number,
    )


def _evidence(finding: Finding, shown: frozenset[str]) -> str:
    """The raw evidence of these keys, without what the row shows already."""
    told = {"expected", "found", "witnesses"}
    rest = {key: finding.evidence[key] for key in finding.evidence if key in shown - told}
    if not rest or (set(rest) <= {"request_id", "request_ids"} and not request_ids(finding)):
        return ""
    return cut(json.dumps(rest, ensure_ascii=False, indent=1), EVIDENCE_LIMIT)
