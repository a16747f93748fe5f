"""The page as Chromium shows it: without scripts, to axe-core, dark, on paper, on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report import helpers
from tests.report.browser import AXE, BROWSER, DRIVER, Page, browser, need
from tests.report.pages import page
from tests.support.run import run_checks

VIEWS: dict[str, dict[str, object]] = {
    "light": {},
    "dark": {"scheme": "dark"},
    "print": {"medium": "print", "width": 800},
    "phone": {"width": 320},
}
CHROMIUM = "apt-get install chromium chromium-driver"
AXE_CORE = "npm install --no-save axe-core@4 (or name axe.min.js in AXE_CORE)"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for the whole file."""
    need(BROWSER, CHROMIUM)
    need(DRIVER, CHROMIUM)
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Nothing open; a few findings; ten thousand; hostile ones."""
    folder = tmp_path_factory.mktemp("pages")
    return {
        "none": page(folder / "none", "clean"),
        "few": page(folder / "few", "few"),
        "many": page(folder / "many", "many", "10_000", items=1_200),
        "hostile": page(folder / "hostile", "hostile", mode="demo"),
        # A real run, with every family and all three witnesses.
        "demo": run_checks(folder / "demo").report / "report.html",
    }


def show(tab: Page, to: Path, view: str) -> None:
    """Open a page in one of the views."""
    tab.scripts(on=True)
    tab.look(**VIEWS[view])  # type: ignore[arg-type] # a table of keyword arguments
    tab.open(to)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["none", "few", "hostile", "demo"])
def test_axe_finds_nothing(tab: Page, pages: dict[str, Path], name: str, view: str) -> None:
    need(AXE, AXE_CORE)
    show(tab, pages[name], view)
    assert tab.violations() == []


def test_axe_finds_nothing_in_ten_thousand_findings(tab: Page, pages: dict[str, Path]) -> None:
    need(AXE, AXE_CORE)
    if not os.environ.get("CI"):
        pytest.skip("axe-core takes long for it: CI=true runs it")
    show(tab, pages["many"], "light")
    # Contrast is judged on the other pages, in the same styles; here it alone takes a minute.
    assert tab.violations(without=("color-contrast",)) == []


@pytest.mark.parametrize(
    ("name", "view"),
    [
        *((name, view) for name in ("few", "demo") for view in VIEWS),
        *((name, "phone") for name in ("none", "hostile", "many")),
        ("hostile", "light"),
    ],
)
def test_only_tables_move_sideways(tab: Page, pages: dict[str, Path], name: str, view: str) -> None:
    show(tab, pages[name], view)
    width, window = tab.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window


@pytest.mark.parametrize("name", ["none", "few", "many"])
def test_without_scripts_every_finding_is_there(
    tab: Page, pages: dict[str, Path], name: str
) -> None:
    makers = {"none": helpers.clean, "few": helpers.few, "many": lambda: helpers.many(10_000)}
    run = helpers.build(makers[name]())  # type: ignore[no-untyped-call] # one of them is a lambda
    tab.look()
    tab.scripts(on=False)
    tab.open(pages[name])
    assert tab.run("return document.querySelectorAll('#results-table tbody').length") == 0
    rows = tab.run(
        "return [...document.querySelectorAll('.all tbody tr')].map("
        "row => [row.cells[1].textContent, row.cells[3].textContent,"
        " row.cells[0].textContent.slice(2), row.cells[4].textContent])"
    )
    assert len(rows) == len(run.findings)
    told = {(check, package, outcome) for check, package, outcome, _ in rows}
    assert told == {(f.check, f.package or "the feed", f.outcome) for f in run.findings}
    shown = "\n".join(row[3] for row in rows)
    assert all(finding.message in shown for finding in run.findings)
    assert all((finding.fix or "") in shown for finding in run.findings)


def test_the_first_screen_answers(tab: Page, pages: dict[str, Path]) -> None:
    show(tab, pages["few"], "light")
    seen = tab.run(
        "return [...document.querySelectorAll('.verdict, header dl, .fix')].map("
        "part => part.getBoundingClientRect().top < innerHeight)"
    )
    assert seen[:3] == [True, True, True]


def test_nothing_hostile_runs_and_nothing_is_requested(tab: Page, pages: dict[str, Path]) -> None:
    show(tab, pages["hostile"], "light")
    assert tab.run("return document.querySelectorAll('main script, main iframe').length") == 0
    assert tab.run("return performance.getEntriesByType('resource').length") == 0
    tab.run(
        "const image = document.createElement('div');"
        'image.innerHTML = \'<img src="x:" onerror="window.ran = 1">\';'
        "document.querySelector('main').append(image)"
    )
    tab.wait("setTimeout(arguments[arguments.length - 1], 50)")
    assert tab.run("return window.ran === undefined")


def test_pytests_own_table_still_works_under_the_policy(tab: Page, pages: dict[str, Path]) -> None:
    show(tab, pages["few"], "light")
    rows = "return document.querySelectorAll('#results-table tbody.results-table-row').length"
    before = tab.run(rows)
    tab.run("document.querySelector('[data-test-result=passed]').click()")
    assert (before, tab.run(rows)) == (8, 5)
    assert tab.run("return document.querySelector('.col-outcome').textContent") == "? not assessed"


def test_a_large_table_is_cut_and_says_so(tab: Page, pages: dict[str, Path]) -> None:
    show(tab, pages["many"], "light")
    assert tab.run("return document.querySelectorAll('#results-table tbody').length") == 5
    shown = tab.run("return document.querySelector('.pytest-view').innerText")
    assert "1,200 rows left out" in shown
    assert "1200 met" in shown


def test_raw_evidence_is_open_on_paper(tab: Page, pages: dict[str, Path]) -> None:
    show(tab, pages["few"], "print")
    heights = tab.run(
        "return [...document.querySelectorAll('details pre')].map("
        "part => part.getBoundingClientRect().height)"
    )
    assert heights
    assert all(height > 0 for height in heights)
    assert tab.run("return getComputedStyle(document.querySelector('.pytest-view')).display") == (
        "none"
    )


def test_a_link_leads_to_its_finding(tab: Page, pages: dict[str, Path]) -> None:
    show(tab, pages["few"], "light")
    assert tab.run(
        "return [...document.querySelectorAll('a[href^=\"#\"]')].every("
        "link => document.getElementById(link.hash.slice(1)) !== null)"
    )
    tab.run("document.querySelector('.fix h3 a').click()")
    assert "team/missing" in tab.run("return document.querySelector(':target').textContent")


def test_every_scroller_and_link_is_reached_by_keyboard_and_shows_it(
    tab: Page, pages: dict[str, Path]
) -> None:
    show(tab, pages["few"], "phone")
    unreachable = tab.run(
        "return [...document.querySelectorAll('.scroll')].filter("
        "part => part.scrollWidth > part.clientWidth && part.tabIndex !== 0).length"
    )
    assert unreachable == 0
    for _ in range(3):
        for kind in ("keyDown", "keyUp"):
            tab.cdp(
                "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
            )
    outline = tab.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
