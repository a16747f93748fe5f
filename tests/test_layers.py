"""The walls of the house: who may import what. Read from the source: lazy imports count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src" / "ecr_feed"
AWS = {"boto3", "botocore", "moto"}
PURE = ("naming", "token", "iam", "login_line", "version")
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}


def modules() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SRC)))
def test_only_the_rooms_at_the_edge_know_aws_and_pytest(path: Path) -> None:
    if room(path) not in ("aws", "embedded"):
        assert not tops(path) & AWS
    if path.relative_to(SRC).as_posix() not in ("check.py", "report/plugin.py"):
        assert not tops(path) & {"pytest", "_pytest"}
    assert not tops(path) & {"checks", "fixtures", "tests"}


@pytest.mark.parametrize(
    "path",
    [path for path in modules() if room(path) in PURE],
    ids=lambda path: str(path.relative_to(SRC)),
)
def test_pure_rooms_neither_read_the_clock_nor_reach_out(path: Path) -> None:
    assert not tops(path) & {"time", "socket", "requests", "urllib3", "subprocess", "os"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in CLOCKS


def test_reports_do_not_read_aws_again() -> None:
    for path in modules():
        if room(path) == "report":
            assert not {name for name in imported(path) if name.startswith("ecr_feed.aws")}, path
