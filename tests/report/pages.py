"""Pages as pytest-html really writes them, around our fragment: pytest runs in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CONFTEST = """
import pytest
from ecr_feed.findings import OutcomeWord
from ecr_feed.report import html
from ecr_feed.report.pytest_html import Rows, counted_as, word_of
from ecr_feed.report.results import digest, results, to_bytes
from tests.report import helpers

RUN = helpers.build(getattr(helpers, "{maker}")({arguments}), mode="{mode}")
ROWS = Rows()
HELD = []

def pytest_generate_tests(metafunc):
    if "at" in metafunc.fixturenames:
        metafunc.parametrize("at", range({items}))

def pytest_collection_finish(session):
    ROWS.collected = len(session.items)

def pytest_metadata(metadata):
    metadata.clear()

def pytest_html_report_title(report):
    HELD.append(report)
    report.title = html.title(RUN.mode)

def pytest_html_results_table_header(cells):
    ROWS.header(cells)

def pytest_html_results_table_row(report, cells):
    outcome = counted_as(report.when, report.outcome, expected=hasattr(report, "wasxfail"))
    ROWS.row(cells, nodeid=report.nodeid, when=report.when, outcome=outcome, word=word_of(outcome))

def pytest_html_results_summary(prefix):
    ROWS.restore(HELD[0].outcomes)
    prefix.append(html.fragment(RUN, digest(to_bytes(results(RUN)))))

@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session):
    yield
    path = session.config.option.htmlpath
    text = html.finish(open(path, encoding="utf-8").read(), RUN, ROWS.note)
    open(path, "w", encoding="utf-8").write(text)
"""
_TESTS = """
import pytest

@pytest.fixture
def broken():
    raise RuntimeError("<script>alert(1)</script>")

def test_met(at):
    pass

@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "a|b"])
def test_not_met(name):
    pytest.fail("</script><script>alert(1)</script>", pytrace=False)

def test_not_assessed(broken):
    pass

def test_not_applicable():
    pytest.skip("no meaning")

def test_waived():
    pytest.xfail("waived")
"""
ROOT = Path(__file__).parents[2]


def page(folder: Path, maker: str, arguments: str = "", items: int = 3, mode: str = "aws") -> Path:
    """`folder`/report.html of the run that `helpers.<maker>(<arguments>)` makes."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {"{maker}": maker, "{arguments}": arguments, "{items}": str(items), "{mode}": mode}
    conftest = _CONFTEST
    for place, value in values.items():
        conftest = conftest.replace(place, value)
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    (folder / "test_it.py").write_text(_TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = folder / "report.html"
    run = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--tb=no",
                "--show-capture=no",
            ),
            *(f"--html={report}", "--self-contained-html", str(folder)),
        ],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    return report
