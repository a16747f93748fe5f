"""What report/pytest_html.py and the reporter rely on in pytest-html's page, hooks and options.

A version of pytest-html in which any of this differs fails here first.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_html import hooks
from pytest_metadata import hooks as metadata_hooks

from ecr_feed.report import html, pytest_html
from tests.report import helpers

TESTS = """
import pytest

def test_passes(): pass
def test_fails(): assert False
def test_skips(): pytest.skip("why")
@pytest.mark.xfail
def test_xfails(): assert False
@pytest.fixture
def broken(): raise ValueError
def test_errors(broken): pass
"""
PLUGIN = """
import json, pathlib
HERE = pathlib.Path(__file__).parent
said = {"rows": []}

def pytest_metadata(metadata):
    metadata.clear()

def pytest_html_report_title(report):
    said["report"] = report
    report.title = "our title"

def pytest_html_results_summary(prefix):
    said["outcomes"] = {key: dict(value) for key, value in said.pop("report").outcomes.items()}
    prefix.append(pathlib.Path(HERE / "fragment.html").read_text("utf-8"))

def pytest_html_results_table_header(cells):
    said["header"] = list(cells)

def pytest_html_results_table_row(report, cells):
    said["rows"].append([report.when, report.outcome, hasattr(report, "wasxfail"), list(cells)])
    if report.nodeid.endswith("test_skips"):
        del cells[:]

def pytest_unconfigure():
    (HERE / "said.json").write_text(json.dumps(said), "utf-8")
"""
ONCE = (
    *("<html>", "<body>", "</head>", "<footer>", '<meta charset="utf-8"/>'),
    *("<h2>Environment</h2>", "<h2>Summary</h2>", '<table id="results-table">'),
    *(' onclick="location.reload()"', '<img src="" />'),
)
"""Anchors of the page that are replaced, each there exactly once."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that pytest-html wrote around our fragment, and what it gave to its hooks."""
    here = tmp_path_factory.mktemp("contract")
    (here / "test_it.py").write_text(TESTS, encoding="utf-8")
    (here / "conftest.py").write_text(PLUGIN, encoding="utf-8")
    fragment = html.fragment(helpers.build(helpers.few()), "0" * 64)
    (here / "fragment.html").write_text(fragment, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    subprocess.run(
        [*command, "--rootdir", str(here), "--html", "page.html", "--self-contained-html", "."],
        cwd=here,
        capture_output=True,
        check=False,
    )
    return here


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "page.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def around(page: str) -> str:
    """pytest-html's own part of the page."""
    before, _, rest = page.partition(pytest_html.BEGIN)
    return before + rest.partition(pytest_html.END)[2]


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("anchor", ONCE)
def test_each_anchor_is_there_once(around: str, anchor: str) -> None:
    assert around.count(anchor) == 1


def test_title_and_heading_are_where_they_are_replaced(around: str) -> None:
    assert len(re.findall(r'<title id="head-title">[^<]*</title>', around)) == 1
    heading = r'<h1 id="title">our title</h1>\s*<p>Report generated on .*?</p>'
    assert len(re.findall(heading, around, re.DOTALL)) == 1


def test_one_script_and_one_style_sheet_inside_the_page(around: str) -> None:
    assert len(re.findall(r"<script>.*?</script>", around, re.DOTALL)) == 1
    assert len(re.findall(r'<style type="text/css">.*?</style>', around, re.DOTALL)) == 1
    assert "<script " not in around
    assert "<link" not in around


def test_filters_can_be_labelled(around: str) -> None:
    filters = re.findall(
        r'<input checked="true" class="filter" name="filter_checkbox" type="checkbox"'
        r' data-test-result="(\w+)"',
        around,
    )
    assert {"failed", "passed", "skipped", "error", "xfailed"} <= set(filters)


def test_our_fragment_is_written_as_it_is(folder: Path, page: str) -> None:
    assert (folder / "fragment.html").read_text(encoding="utf-8") in page


def test_the_whole_is_rebuilt(page: str) -> None:
    made = pytest_html.rebuild(page, title="ECR feed audit", styles="body {}", note="cut")
    assert made.count("<main>") == made.count("</main>") == 1
    assert "Content-Security-Policy" in made


def test_outcomes_have_the_keys_that_are_relabelled(said: dict[str, Any]) -> None:
    assert set(pytest_html.LABELS) <= set(said["outcomes"])
    for outcome in pytest_html.LABELS:
        assert {"label", "value"} <= set(said["outcomes"][outcome])
        # A row that is left out is not counted: `Rows.restore` adds it.
        assert said["outcomes"][outcome]["value"] == (outcome != "skipped")


def test_reports_are_counted_as_we_count_them(said: dict[str, Any]) -> None:
    counted = [
        pytest_html.counted_as(when, outcome, expected=expected)
        for when, outcome, expected, _ in said["rows"]
        if when == "call" or outcome != "passed"
    ]
    assert sorted(counted) == ["error", "failed", "passed", "skipped", "xfailed"]


def test_the_second_cell_is_the_test_id(said: dict[str, Any]) -> None:
    assert 'data-column-type="result"' in said["header"][0]
    assert 'data-column-type="testId"' in said["header"][1]
    for *_, cells in said["rows"]:
        assert cells[0].startswith('<td class="col-result">')
        assert cells[1].startswith('<td class="col-testId">')


def test_a_row_without_cells_is_left_out(around: str) -> None:
    assert "test_fails" in around
    assert "test_skips" not in around


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        (hooks.pytest_html_report_title, {"report"}),
        (hooks.pytest_html_results_summary, {"prefix"}),
        (hooks.pytest_html_results_table_header, {"cells"}),
        (hooks.pytest_html_results_table_row, {"report", "cells"}),
        (metadata_hooks.pytest_metadata, {"metadata"}),
    ],
)
def test_the_hooks_that_we_implement_exist(hook: Any, arguments: set[str]) -> None:
    assert arguments <= set(inspect.signature(hook).parameters)


def test_the_options_that_we_set_exist(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.option.htmlpath is None
    assert pytestconfig.option.self_contained_html is False
