"""The recipes of docs/ci: what can be tried of them without their services."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # ships no types; moto brings it

from ecr_feed.config import from_tables
from ecr_feed.report import services
from tests.report import helpers

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "ci"
RECIPES = sorted(FOLDER.glob("*.md"))
# The outside face: what pytest's own options and ours may be in a recipe.
FACE = {
    *("--feeds", "--aws-region", "--package", "--aws-profile", "--aws-endpoint-url", "--demo"),
    *("--report", "--gate", "--look-elsewhere", "--waivers", "--baseline", "--new-only"),
    *("--output-format", "--policy", "--plan", "--deep"),
    *("-q", "-x", "-k", "-m", "-n", "--lf", "--collect-only"),
}


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def every(language: str) -> list[Any]:
    return [
        pytest.param(block, id=f"{path.stem}-{number}")
        for path in RECIPES
        for number, block in enumerate(blocks(path, language), 1)
    ]


@pytest.mark.parametrize("block", every("yaml"))
def test_yaml_blocks_parse(block: str) -> None:
    assert isinstance(yaml.safe_load(block), dict)


@pytest.mark.parametrize("block", every("bash"))
def test_bash_blocks_parse(block: str) -> None:
    run = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("block", every("toml"))
def test_toml_blocks_are_feeds_files(block: str, tmp_path: Path) -> None:
    suite = from_tables(tomllib.loads(block), base=tmp_path, source="recipe")
    assert suite.feeds


@pytest.mark.parametrize("block", every("groovy"))
def test_groovy_blocks_close_what_they_open(block: str) -> None:
    bare = re.sub(r"'[^']*'", "", block)
    for opening, closing in ("{}", "()", "[]"):
        assert bare.count(opening) == bare.count(closing)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_commands_use_options_that_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    commands = re.findall(r"(?:pytest\}?\"? checks/|bin/ecr-feed-checks\"? )([^\n|`']*)", text)
    assert commands or path.stem == "README"
    for command in commands:
        used = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", command))
        assert used <= FACE, used - FACE
    named = set(re.findall(r"`(--[a-z-]+)", text))
    assert named <= FACE, named - FACE


def test_every_recipe_is_in_the_list() -> None:
    listed = set(re.findall(r"\(([a-z-]+\.md)\)", (FOLDER / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in RECIPES} - {"README.md"}


def test_the_octopus_recipe_names_the_variables_that_are_set() -> None:
    text = (FOLDER / "octopus-runbook.md").read_text("utf-8")
    for name in services.variables(helpers.build(())):
        assert f"`{name}`" in text


def test_the_scheduled_audit_keeps_the_last_reports(tmp_path: Path) -> None:
    """The script itself, on the embedded account."""
    if not shutil.which("flock"):
        pytest.skip("not installed here: apt-get install util-linux")
    (block,) = blocks(FOLDER / "scheduled.md", "bash")
    script = tmp_path / "audit.sh"
    script.write_text(block, encoding="utf-8")
    pytest_here = tmp_path / "pytest"
    pytest_here.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m pytest -p no:cacheprovider "$@"\n', encoding="utf-8"
    )
    pytest_here.chmod(0o755)
    kept = tmp_path / "kept"
    environment = {**os.environ, "PYTEST": str(pytest_here), "KEEP": "2"}
    for _ in range(3):
        run = subprocess.run(
            ["bash", str(script), str(kept), "--demo", "healthy", "-m", "region"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if "unrecognized arguments: --baseline" in run.stderr:
            pytest.skip("this version has no --baseline")
        assert run.returncode == 0, run.stdout + run.stderr
    folders = sorted(path for path in kept.iterdir() if path.is_dir() and not path.is_symlink())
    assert len(folders) == 2
    assert (kept / "latest").resolve() == folders[-1]
    document = json.loads((kept / "latest" / "results.json").read_bytes())
    assert document["baseline"]["new"] == 0
