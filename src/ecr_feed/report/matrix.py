"""The permission matrix: package by action, with up to three answers in each cell.

It is read from the findings' evidence: `witnesses` is a list of `{"action", "witness", "answer",
"because"}` with the answer `allowed`, `denied` or `undetermined`; where the action is left out, the
evidence's own `action` holds for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ecr_feed.findings import Finding
from ecr_feed.report.run import FeedFacts, Run

WITNESSES: Final = ("probe", "simulation", "evaluation")
SHAPES: Final = {"allowed": "✓", "denied": "✗", "undetermined": "?"}
ROWS: Final = 200  # of packages in which something is not simply allowed; the others are counted


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: probe, simulation or evaluation. `answer` is empty where it was not asked."""

    witness: str
    answer: str
    because: str = ""

    @property
    def shape(self) -> str:
        """✓, ✗, ? or – for one that was not asked."""
        return SHAPES.get(self.answer, "–")


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell: all three answers in their order; `disagree` where they differ."""

    answers: tuple[Answer, ...]

    @property
    def disagree(self) -> bool:
        """One allows what another denies."""
        said = {answer.answer for answer in self.answers}
        return {"allowed", "denied"} <= said

    @property
    def plain(self) -> bool:
        """Every answer allows it."""
        said = {answer.answer for answer in self.answers} - {""}
        return said == {"allowed"}


@dataclass(frozen=True, slots=True)
class Row:
    """One package, or the feed itself where `package` is None."""

    package: str | None
    cells: tuple[Entry | None, ...]

    @property
    def plain(self) -> bool:
        """Every answer allows every action."""
        return all(cell is None or cell.plain for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Matrix:
    """One feed's. `allowed` packages, and `more` beyond the limit, have no row."""

    feed: str
    actions: tuple[str, ...]
    rows: tuple[Row, ...]
    allowed: int
    more: int


def matrices(run: Run) -> tuple[Matrix, ...]:
    """One for each feed with any answer, in the feeds' order."""
    by_feed: dict[str, list[Finding]] = {}
    for finding in run.findings:
        if finding.evidence.get("witnesses"):
            by_feed.setdefault(finding.feed, []).append(finding)
    return tuple(
        matrix
        for feed in run.feeds
        if (matrix := _matrix(feed, by_feed.get(feed.name, []))) is not None
    )


def _matrix(feed: FeedFacts, findings: list[Finding]) -> Matrix | None:
    said: dict[str | None, dict[str, dict[str, Answer]]] = {}
    actions: dict[str, None] = {}
    for finding in findings:
        for action, answer in _answers(finding):
            actions.setdefault(action)
            said.setdefault(finding.package, {}).setdefault(action, {})[answer.witness] = answer
    if not actions:
        return None
    order = tuple(sorted(actions))
    rows = [
        Row(package, tuple(_cell(cells.get(action)) for action in order))
        for package, cells in sorted(
            said.items(), key=lambda item: (item[0] or "", item[0] is None)
        )
    ]
    # A few packages are all shown; of many, only those not allowed everything.
    shown = rows if len(rows) <= 20 else [row for row in rows if not row.plain or not row.package]
    return Matrix(
        feed.name,
        order,
        tuple(shown[:ROWS]),
        allowed=len(rows) - len(shown),
        more=max(0, len(shown) - ROWS),
    )


def _cell(answers: dict[str, Answer] | None) -> Entry | None:
    if not answers:
        return None
    return Entry(tuple(answers.get(name, Answer(name, "")) for name in WITNESSES))


def _answers(finding: Finding) -> Iterator[tuple[str, Answer]]:
    witnesses = finding.evidence.get("witnesses")
    usual = finding.evidence.get("action")
    for item in witnesses if isinstance(witnesses, list) else []:
        if not isinstance(item, Mapping):
            continue
        action = str(item.get("action") or usual or "")
        witness = str(item.get("witness") or "")
        if action and witness in WITNESSES:
            yield action, Answer(witness, str(item.get("answer", "")), str(item.get("because", "")))
