"""What the pages for people say of this checkout is true."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.support.run import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_OWN_PATH = re.compile(r"(?<![\w/.-])(?:checks|fixtures|tests|src|docs)/[\w./-]*\w")


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text("utf-8")):
        path = page.parent / target if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "docs/house.md"])
def test_every_path_exists(name: str) -> None:
    for path in _OWN_PATH.findall((ROOT / name).read_text("utf-8")):
        assert (ROOT / path).exists() or (ROOT / "src" / "ecr_feed" / path).exists(), path


def test_the_check_that_is_shown_is_a_real_one() -> None:
    (shown,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL
    )
    code = textwrap.dedent(f"   {shown.strip()}")
    assert any(code in path.read_text("utf-8") for path in (ROOT / "checks").glob("*.py"))
