"""Changes the page that pytest-html writes; the one module that knows its markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import MutableMapping
from typing import Any, Final

from markupsafe import Markup, escape

from ecr_feed.findings import OutcomeWord
from ecr_feed.report.groups import SHAPES
from ecr_feed.text.safe import clean_line
from ecr_feed.text.words import many

BEGIN: Final = "<!-- ecr-feed: begin -->"
END: Final = "<!-- ecr-feed: end -->"
LANGUAGE: Final = "en"
_FILTERS: Final = re.compile(
    r'<input checked="true" class="filter" name="filter_checkbox" type="checkbox"'
    r' data-test-result="(\w+)"'
)
_TITLE: Final = re.compile(r'<title id="head-title">[^<]*</title>')
_HEADING: Final = re.compile(
    r'<h1 id="title">[^<]*</h1>\s*<p>Report generated on .*?</p>', re.DOTALL
)
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE: Final = re.compile(r'<style type="text/css">(.*?)</style>', re.DOTALL)
_ONCLICK: Final = ' onclick="location.reload()"'
_NOTE: Final = (
    "<p>The same findings of the same run, in pytest-html's own table.</p>"
    "<noscript><p>This last table needs a script; everything above does not.</p></noscript>"
)


class UnknownPage(Exception):  # noqa: N818 - the name describes the page
    """pytest-html wrote a page that this version does not know; the text names the place."""


def rebuild(page: str, *, title: str, styles: str, note: str = "") -> str:
    """pytest-html's page with our fragment first, and fit to be read, filed and embedded.

    `note` stands above pytest-html's own table, for instance that it was cut. Raises `UnknownPage`.
    """
    page, fragment = _lift(page)
    page = _once(page, "<html>", f'<html lang="{LANGUAGE}">')
    page = _once_matched(page, _TITLE, f'<title id="head-title">{escape(title)}</title>')
    page = _once(page, "<body>", f"<body>\n<main>\n{fragment}\n")
    page = _once_matched(page, _HEADING, _heading(note))
    page = _once(page, "<h2>Environment</h2>", "<h3>Environment</h3>")
    page = _once(page, "<h2>Summary</h2>", "<h3>Summary</h3>")
    page = _once(page, _ONCLICK, "")
    page = _once(page, '<img src="" />', '<img src="" alt="" />')
    page = _label_filters(page)
    page = _once(
        page,
        '<table id="results-table">',
        '<div class="scroll" role="region" tabindex="0" aria-label="Table of pytest-html">'
        '<table id="results-table">',
    )
    page = _once(page, "<footer>", "</div>\n</section>\n</main>\n<footer>")
    page = _once(page, "</head>", f'<style type="text/css">{styles}</style>\n</head>')
    return _once(page, '<meta charset="utf-8"/>', _meta(page))


def _lift(page: str) -> tuple[str, str]:
    """The page without our fragment, and the fragment: its content must not match an anchor."""
    before, begin, rest = page.partition(BEGIN)
    fragment, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise UnknownPage(_unknown(BEGIN))
    return before + after, fragment


def _heading(note: str) -> str:
    extra = f'<p class="notice">{escape(note)}</p>' if note else ""
    return (
        '<section class="pytest-view" aria-labelledby="title">\n'
        f'<h2 id="title">pytest view</h2>\n{_NOTE}{extra}'
    )


def _label_filters(page: str) -> str:
    page, number = _FILTERS.subn(r'\g<0> aria-label="Show \1"', page)
    if number == 0:
        raise UnknownPage(_unknown("the filters' check boxes"))
    return page


def _meta(page: str) -> str:
    """Charset, width, and a policy under which only pytest-html's script and the styles work."""
    scripts = _SCRIPT.findall(page)
    styles = _STYLE.findall(page)
    if len(scripts) != 1 or len(styles) != 2:
        raise UnknownPage(_unknown("one script and one style sheet"))
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"script-src {_hash(scripts[0])}",
            f"style-src {' '.join(_hash(style) for style in styles)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        '<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{Markup(escape(policy))}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        '<meta name="color-scheme" content="light dark"/>\n'
        '<meta name="referrer" content="no-referrer"/>'
    )


def _hash(content: str) -> str:
    # A browser hashes what it parsed, in which each line ends with a line feed alone.
    digest = hashlib.sha256(content.replace("\r\n", "\n").encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _once(page: str, place: str, instead: str) -> str:
    if page.count(place) != 1:
        raise UnknownPage(_unknown(place))
    return page.replace(place, instead)


def _once_matched(page: str, place: re.Pattern[str], instead: str) -> str:
    if len(place.findall(page)) != 1:
        raise UnknownPage(_unknown(place.pattern))
    return place.sub(lambda _: instead, page)


def _unknown(place: str) -> str:
    return (
        f"pytest-html wrote a page in which {place!r} does not occur exactly once. Install a"
        " version of pytest-html that this project was tested with (see pyproject.toml)."
    )


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
        """For `pytest_html_results_table_header`: a column for our outcome, after pytest's."""
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
        shown = str(escape(clean_line(nodeid)))
        if when not in ("call", "collect"):
            shown += f"::{escape(when)}"
        cells[1] = f'<td class="col-testId">{shown}</td>'
        shape = SHAPES.get(word, "")
        cells.insert(1, f'<td class="col-outcome">{shape} {escape(word)}</td>')

    def restore(self, outcomes: MutableMapping[str, Any]) -> None:
        """For `pytest_html_results_summary`: count rows that were left out, with our outcomes."""
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
            f"{many(left_out, 'row')} left out to keep this table usable (more than {ROW_LIMIT:,}"
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
