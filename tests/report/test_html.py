"""The static fragment and the finished page, without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ecr_feed.findings import Comparison, OutcomeWord, subject
from ecr_feed.report import html
from ecr_feed.report.pytest_html import (
    BEGIN,
    END,
    ROW_LIMIT,
    Rows,
    UnknownPage,
    counted_as,
    rebuild,
    word_of,
)
from ecr_feed.report.record import Part, Run
from tests.report import helpers
from tests.report.pages import page

SHA = "ab" * 32
VOID = {"meta", "br", "img", "input", "link", "rect", "source"}


class Reader(HTMLParser):
    """Tags, attributes, ids and the text that a person sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def plain(text: str) -> str:
    return " ".join(text.split())


def body(run: Run) -> str:
    return html.fragment(run, SHA)


@pytest.mark.parametrize("maker", [helpers.few, helpers.clean, tuple])
@pytest.mark.parametrize("mode", ["aws", "demo", "plan"])
def test_the_fragment_is_well_formed_and_complete(maker: Any, mode: str) -> None:
    run = helpers.build(maker(), mode=mode)
    reader = read(body(run))
    shown = plain(" ".join(reader.text))
    assert run.verdict in shown
    assert SHA in shown
    assert ("DEMO" in shown) is (mode == "demo")
    assert ("PLAN" in shown) is (mode == "plan")
    for finding in run.findings:
        assert plain(finding.message) in shown
        assert finding.outcome in shown
        assert (finding.fix or "") in shown
    repeated = [name for name, number in Counter(reader.ids).items() if number > 1]
    assert repeated == []
    links = {value for _, name, value in reader.attributes if name == "href" and value}
    assert {link[1:] for link in links if link.startswith("#")} <= set(reader.ids)


def test_sections_come_in_the_documented_order() -> None:
    heads = re.findall(r'<h2 id="([^"]+)">', body(helpers.build(helpers.few())))
    assert heads == [
        "fix-first",
        "feeds",
        "permissions",
        "waived",
        "not-applicable",
        "not-assessed",
        "all-checks",
        "calls",
        "catalogue",
        "evidence",
    ]


def test_nothing_of_a_hostile_account_becomes_markup() -> None:
    reader = read(body(helpers.hostile_run()))
    assert not {"script", "img", "style", "iframe"} & set(reader.tags)
    names = {name for _, name, _ in reader.attributes}
    assert not {name for name in names if name.startswith("on")} | ({"style"} & names)
    shown = "".join(reader.text)
    assert "<script>alert(1)</script>" in shown
    assert "\\u202eevil" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", shown)


def test_notices_say_what_a_reader_must_know() -> None:
    finding = helpers.missing("a/b")
    comparison = Comparison(
        "old.json", "2026-11-24T00:00:00Z", SHA, {subject(finding): "known"}, (), new_only=True
    )
    run = helpers.build(
        (replace(finding, gating=False), helpers.finding()),
        comparison=comparison,
        complete=False,
        incomplete="the run was interrupted",
        part=Part(run=2, of=9, feeds_not_judged=("Legacy ECR",)),
    )
    shown = plain(" ".join(read(body(run)).text))
    for part in (
        "incomplete: the run was interrupted",
        "Part of a run: 2 of 9 checks; feeds not judged: Legacy ECR.",
        "known findings do not fail this run",
        "1 does not gate",
        "Compared with old.json of 2026-11-24T00:00:00Z: 0 new, 1 known, 0 fixed",
    ):
        assert part in shown


def test_ten_thousand_findings_stay_small_and_whole() -> None:
    run = helpers.build(helpers.many(10_000))
    text = body(run)
    assert len(text.encode()) < 5_000_000
    assert text.count("<tr") > 10_000


def test_beyond_ten_thousand_met_ones_are_told_together() -> None:
    run = helpers.build(helpers.many(10_400))
    text = body(run)
    assert text.count("<tr") < 1_000
    assert "More than 10,000 findings" in text
    assert sum(map(int, re.findall(r">(\d+) of this check<", text))) == 10_100
    assert text.count('<td class="not-met">') == 300


FRAME = """<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8"/>
    <title id="head-title">t</title>
  </head>
  <body>%s%s</body>
</html>"""


def test_a_page_of_an_unknown_pytest_html_is_refused() -> None:
    for text in ("", FRAME % ("", ""), FRAME % (BEGIN, END), FRAME % (BEGIN + END, BEGIN + END)):
        with pytest.raises(UnknownPage, match="pytest-html"):
            rebuild(text, title="t", styles="")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page that pytest-html wrote, finished."""
    return page(tmp_path_factory.mktemp("page"), "few", items=2).read_text(encoding="utf-8")


def test_the_finished_page_is_well_formed_with_one_main(real: str) -> None:
    reader = read(real)
    assert reader.tags["main"] == reader.tags["h1"] == reader.tags["title"] == 1
    assert ("html", "lang", "en") in reader.attributes
    assert BEGIN not in real
    assert "Report generated on" not in real
    assert '<title id="head-title">ECR feed audit: NOT READY</title>' in real
    assert real.index('class="verdict') < real.index('id="results-table"')


def test_no_handler_no_style_attribute_and_no_request_is_left(real: str) -> None:
    reader = read(real)
    for tag, name, value in reader.attributes:
        assert not name.startswith("on")
        assert name != "style"
        if name in ("src", "href", "action", "data"):
            assert tag == "a" or not value
    assert "url(" not in real
    assert "@import" not in real


def test_every_box_has_a_label(real: str) -> None:
    boxes = re.findall(r"<input [^>]*>", real)
    assert len(boxes) == 8
    assert all("aria-label=" in box for box in boxes)


def test_the_policy_allows_what_is_there_and_nothing_else(real: str) -> None:
    match = re.search(r'Content-Security-Policy" content="([^"]+)"', real)
    assert match
    policy = match[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    parts = re.findall(r"<script>(.*?)</script>|<style[^>]*>(.*?)</style>", real, re.DOTALL)
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(''.join(part).encode()).digest()).decode()}'"
        for part in parts
    }
    assert len(hashes) == 3
    assert set(re.findall(r"'sha256-[^']+'", policy)) == hashes


def test_test_ids_are_escaped_in_pytest_htmls_data(real: str) -> None:
    match = re.search(r'data-jsonblob="([^"]*)"', real)
    assert match
    assert "&amp;lt;img src=x onerror=alert(1)&amp;gt;" in match[1]
    assert "<img src=x" not in real


def row(rows: Rows, outcome: str, number: int = 0, when: str = "call") -> list[str]:
    cells = [f'<td class="col-result">{outcome}</td>', "<td>id</td>", "<td>0 ms</td>", "<td></td>"]
    rows.row(cells, nodeid=f"t[<{number}>]", when=when, outcome=outcome, word="met")
    return cells


def test_a_row_keeps_pytests_word_and_gains_ours() -> None:
    cells = row(Rows(3), "passed")
    assert cells[0] == '<td class="col-result">passed</td>'
    assert cells[1] == '<td class="col-outcome">✓ met</td>'
    assert cells[2] == '<td class="col-testId">t[&lt;0&gt;]</td>'
    header = ["<th>Result</th>", "<th>Test</th>"]
    Rows().header(header)
    assert "Outcome" in header[1]


def test_a_large_table_loses_met_rows_and_keeps_the_counts() -> None:
    rows = Rows(ROW_LIMIT + 500)
    kept = [row(rows, "passed" if at % 3 else "failed", at) for at in range(ROW_LIMIT + 500)]
    assert sum(bool(cells) for cells in kept) == 500
    assert rows.dropped == {"passed": 1000}
    outcomes = {name: {"label": "", "value": 0} for name in ("passed", "failed", "error")}
    outcomes |= {name: {"label": "", "value": 0} for name in ("xfailed", "skipped")}
    outcomes["failed"]["value"] = 500
    rows.restore(outcomes)
    assert outcomes["passed"] == {"label": "met", "value": 1000}
    assert outcomes["failed"] == {"label": "not met", "value": 500}
    assert "1,000 rows left out" in rows.note


def test_a_table_of_failures_alone_is_cut_too() -> None:
    rows = Rows(ROW_LIMIT * 2)
    kept = [row(rows, "failed", at) for at in range(ROW_LIMIT * 2)]
    assert sum(bool(cells) for cells in kept) == ROW_LIMIT
    assert rows.dropped == {"failed": ROW_LIMIT}


def test_passed_phases_around_a_test_are_not_counted() -> None:
    rows = Rows(ROW_LIMIT + 1)
    row(rows, "passed", when="setup")
    row(rows, "passed", when="teardown")
    row(rows, "error", when="setup")
    assert rows.dropped.total() == 0
    assert rows.kept == 1
    assert rows.note == ""


@pytest.mark.parametrize(
    ("when", "outcome", "expected", "counted"),
    [
        ("call", "passed", False, "passed"),
        ("call", "failed", False, "failed"),
        ("setup", "failed", False, "error"),
        ("collect", "failed", False, "error"),
        ("setup", "skipped", False, "skipped"),
        ("call", "skipped", True, "xfailed"),
        ("call", "passed", True, "xpassed"),
    ],
)
def test_reports_are_counted_as_pytest_html_does(
    when: str, outcome: str, expected: bool, counted: str
) -> None:
    assert counted_as(when, outcome, expected=expected) == counted


def test_every_key_has_a_word() -> None:
    words = {word_of(key) for key in ("passed", "failed", "error", "xfailed", "skipped", "rerun")}
    assert words == {word.value for word in OutcomeWord}


def test_the_style_sheet_asks_for_nothing() -> None:
    sheet = html.styles()
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert Path(html.__file__).with_name("templates").is_dir()
