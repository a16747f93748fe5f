"""The walls of the house: who may import what. Read from the source: lazy imports count too.

`docs/house.md` shows the same floors as a picture, and a test here holds the two together.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "ecr_feed"
FLOORS = (
    *("findings", "facts", "text", "once", "outcomes", "check", "naming", "token", "login_line"),
    *("iam", "config", "oci", "reach", "aws", "permissions", "read_advice", "feed", "triage"),
    *("embedded", "planned", "report", "plugin", "__main__"),
)
"""From the ground up: a room knows only the rooms before it, and its own."""

AWS = {"boto3", "botocore", "moto"}
KNOWS_AWS = {"aws", "embedded"}
KNOWS_PYTEST = {"check", "plugin", "__main__"}
PURE = {
    *("findings", "facts", "outcomes", "naming", "token", "login_line", "iam", "read_advice"),
}
OUTSIDE = {"time", "socket", "ssl", "requests", "urllib3", "http", "subprocess", "os", "boto3"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
LONGEST = 350


def name_of(path: Path) -> str:
    parts = ("ecr_feed", *path.relative_to(SRC).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(SRC.rglob("*.py"))}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports; `from package import module` names the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in MODULES else node.module


ARROWS = {module: set(imported(path)) - {module} for module, path in MODULES.items()}


def tops(module: str) -> set[str]:
    return {name.split(".")[0] for name in ARROWS[module]}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"ecr_feed"}))
def test_a_room_knows_only_rooms_below_it(module: str) -> None:
    floor = FLOORS.index(room_of(module))
    known = {room_of(name) for name in ARROWS[module] if name.startswith("ecr_feed.")}
    assert {room for room in known if FLOORS.index(room) > floor} == set()


@pytest.mark.parametrize("module", MODULES)
def test_only_the_rooms_at_the_edge_know_aws_and_pytest(module: str) -> None:
    if room_of(module) not in KNOWS_AWS:
        assert not tops(module) & AWS
    if room_of(module) != "embedded":
        assert "moto" not in tops(module)
    if room_of(module) not in KNOWS_PYTEST:
        assert not tops(module) & {"pytest", "_pytest"}
    assert not tops(module) & {"checks", "fixtures", "tests"}


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) in PURE])
def test_pure_rooms_neither_read_the_clock_nor_reach_out(module: str) -> None:
    assert not tops(module) & OUTSIDE
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in CLOCKS


def test_no_circle() -> None:
    try:
        TopologicalSorter(ARROWS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_every_room_stands_on_a_floor() -> None:
    assert {room_of(module) for module in MODULES} - {"__init__"} <= set(FLOORS)


def test_no_module_is_too_long() -> None:
    long = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_the_picture_shows_the_floors() -> None:
    picture = (ROOT / "docs" / "house.md").read_text("utf-8").partition("## The floors")[2]
    rooms = re.findall(r"^(\w+) +\S", picture.split("```")[1], re.MULTILINE)
    assert tuple(reversed(rooms)) == FLOORS
