"""The figures of the page: timelines of tokens and keys, and the permission matrix.

The matrix has a row for each package and a column for each action, with up to three answers in
each cell. It is read from the findings' evidence: `witnesses` is a list of `{"action", "witness",
"answer", "because"}` with the answer `allowed`, `denied` or `undetermined`; where the action is
left out, the evidence's own `action` holds for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ecr_feed.findings import Finding
from ecr_feed.report.record import FeedFacts, KeyTimes, Run, TokenTimes
from ecr_feed.text.times import duration, to_second

WIDTH = 1000  # units of the picture's own grid; the page stretches it


@dataclass(frozen=True, slots=True)
class Moment:
    """A mark: `at` in units from the left, its name, the time and how far from the run's end."""

    at: int
    name: str
    time: str
    away: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A bar from `start` to `end` (units), the part of it that is over, and the marks in order."""

    label: str
    start: int
    end: int
    used: int
    moments: tuple[Moment, ...]
    over: bool = False


def of_token(token: TokenTimes, now: datetime) -> Timeline:
    """An authorization token's life, as seen at the run's end."""
    marks = [("fetched", token.fetched_at), ("expires", token.expires_at)]
    if token.needed_until is not None:
        marks.append(("needed until", token.needed_until))
    return _line("Authorization token", marks, (token.fetched_at, token.expires_at), now)


def of_key(key: KeyTimes, now: datetime) -> Timeline:
    """An access key's life so far; the bar ends where it has to be replaced, or now."""
    marks = [("created", key.created_at)]
    if key.last_used_at is not None:
        marks.append(("last used", key.last_used_at))
    if key.rotate_by is not None:
        marks.append(("replace by", key.rotate_by))
    status = f", {key.status}" if key.status else ""
    end = key.rotate_by if key.rotate_by is not None else now
    return _line(f"Access key {key.key_id}{status}", marks, (key.created_at, end), now)


def _line(
    label: str,
    marks: Sequence[tuple[str, datetime]],
    bar: tuple[datetime, datetime],
    now: datetime,
) -> Timeline:
    times = [moment for _, moment in marks] + [now]
    first, last = min(times), max(times)
    length = max((last - first).total_seconds(), 1.0)

    def place(moment: datetime) -> int:
        return round((moment - first).total_seconds() / length * WIDTH)

    moments = [
        Moment(place(moment), name, to_second(moment), _away(moment, now))
        for name, moment in sorted(marks, key=lambda mark: mark[1])
    ]
    moments.append(Moment(place(now), "end of this run", to_second(now), "", now=True))
    start, end = sorted((place(bar[0]), place(bar[1])))
    used = min(max(place(now), start), end)
    ordered = tuple(sorted(moments, key=lambda moment: (moment.at, moment.now)))
    return Timeline(label, start, end, used, ordered, over=bar[1] < now)


def _away(moment: datetime, now: datetime) -> str:
    away = moment - now
    return f"in {duration(away)}" if moment >= now else f"{duration(-away)} before"


WITNESSES: Final = ("probe", "simulation", "evaluation")
SHAPES: Final = {"allowed": "✓", "denied": "✗", "undetermined": "?"}
ROWS: Final = 200  # of packages in which something is not simply allowed; the others are counted


@dataclass(frozen=True, slots=True)
class CellAnswer:
    """One answer: probe, simulation or evaluation. `answer` is empty where it was not asked."""

    witness: str
    answer: str
    because: str = ""

    @property
    def shape(self) -> str:
        """✓, ✗, ? or – for one that was not asked."""
        return SHAPES.get(self.answer, "–")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: all three answers in their order; `disagree` where they differ."""

    answers: tuple[CellAnswer, ...]

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
    cells: tuple[Cell | None, ...]

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
    said: dict[str | None, dict[str, dict[str, CellAnswer]]] = {}
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


def _cell(answers: dict[str, CellAnswer] | None) -> Cell | None:
    if not answers:
        return None
    return Cell(tuple(answers.get(name, CellAnswer(name, "")) for name in WITNESSES))


def _answers(finding: Finding) -> Iterator[tuple[str, CellAnswer]]:
    witnesses = finding.evidence.get("witnesses")
    usual = finding.evidence.get("action")
    for item in witnesses if isinstance(witnesses, list) else []:
        if not isinstance(item, Mapping):
            continue
        action = str(item.get("action") or usual or "")
        witness = str(item.get("witness") or "")
        if action and witness in WITNESSES:
            said, because = str(item.get("answer", "")), str(item.get("because", ""))
            yield action, CellAnswer(witness, said, because)
