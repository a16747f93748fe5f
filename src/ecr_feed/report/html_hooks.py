"""What pytest-html's hooks do, as plain functions over its lists of cells.

pytest-html writes rows by script, unescaped, and draws them all on each click. So the test ID is
escaped, our own word stands beside pytest's, and of a large run only the rows that need a look are
kept; the counts stay whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import MutableMapping
from html import escape
from typing import Any, Final

from ecr_feed.findings import OutcomeWord
from ecr_feed.report.groups import SHAPES
from ecr_feed.report.text import clean_line

ROW_LIMIT: Final = 1_000
# The word that pytest-html must find in a row, and what it means here.
LABELS: Final = {
    "passed": "met",
    "failed": "not met",
    "error": "not assessed",
    "xfailed": "waived, or does not gate",
    "skipped": "not applicable",
}


class Rows:
    """The rows of one run's pytest view. `collected` may grow until the first row is drawn."""

    def __init__(self, collected: int = 0) -> None:
        self.collected = collected
        self.kept = 0
        self.dropped: Counter[str] = Counter()

    def header(self, cells: list[str]) -> None:
        """For `pytest_html_results_table_header`: a column for our word, after pytest's."""
        cells.insert(1, '<th class="sortable" data-column-type="outcome">Outcome</th>')

    def row(self, cells: list[str], *, nodeid: str, when: str, outcome: str, word: str) -> None:
        """For `pytest_html_results_table_row`; empties `cells` for a row that is left out.

        `outcome` is pytest's own ("passed", ...; "error" for a failed setup), `word` ours.
        """
        if not cells:
            return
        counts = when in ("call", "collect") or outcome != "passed"
        limited = self.collected > ROW_LIMIT
        if limited and (outcome == "passed" or self.kept >= ROW_LIMIT):
            self.dropped[outcome] += counts
            del cells[:]
            return
        self.kept += counts
        shown = escape(clean_line(nodeid), quote=True)
        if when not in ("call", "collect"):
            shown += f"::{escape(when)}"
        cells[1] = f'<td class="col-testId">{shown}</td>'
        shape = SHAPES.get(word, "")
        cells.insert(1, f'<td class="col-outcome">{shape} {escape(word)}</td>')

    def restore(self, outcomes: MutableMapping[str, Any]) -> None:
        """For `pytest_html_results_summary`: count the rows that were left out, in our words."""
        for outcome, number in self.dropped.items():
            outcomes[outcome]["value"] += number
        for outcome, label in LABELS.items():
            outcomes[outcome]["label"] = label

    @property
    def note(self) -> str:
        """What to say above the table; empty where no row was left out."""
        left_out = self.dropped.total()
        if not left_out:
            return ""
        return (
            f"{left_out:,} rows are left out to keep this table usable (more than {ROW_LIMIT:,}"
            f" checks ran): those that are met, and those after the first {ROW_LIMIT:,} others."
            " The counts include them, and All checks above lists them."
        )


def counted_as(when: str, outcome: str, *, expected: bool) -> str:
    """The key under which pytest-html counts a report; `expected` is whether it has `wasxfail`."""
    if outcome == "failed" and when in ("setup", "teardown", "collect"):
        return "error"
    if expected:
        return "xfailed" if outcome == "skipped" else "xpassed"
    return outcome


def word_of(counted: str) -> str:
    """The word for a row of which we know only pytest-html's key."""
    words = {
        "passed": OutcomeWord.MET,
        "failed": OutcomeWord.NOT_MET,
        "error": OutcomeWord.NOT_ASSESSED,
        "xfailed": OutcomeWord.WAIVED,
        "skipped": OutcomeWord.NOT_APPLICABLE,
    }
    return words.get(counted, OutcomeWord.NOT_ASSESSED).value
