"""What README.md says is true: its generated parts, its commands, its examples."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from ecr_feed.iam import parse
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.generated import IAM_READS, README, files
from ecr_feed.plugin.option_table import OPTIONS
from ecr_feed.plugin.policy_files import auditor_policy
from tests.support.run import ROOT, run_checks

TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    return [line for block in blocks("console") for line in block.splitlines()]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_generated_parts_are_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == files()[path], "run `python -m ecr_feed.plugin.generated`"


def test_no_cell_of_a_table_is_a_text() -> None:
    cells = [cell for line in TEXT.splitlines() if line[:2] == "| " for cell in line.split(" | ")]
    assert max(len(cell) for cell in cells) <= 150
    assert f"*{IAM_READS}* are" in TEXT


def test_the_auditors_policy_is_one_that_iam_takes() -> None:
    policy = auditor_policy(catalogue())
    parse(json.dumps(policy), name="auditor", limit=6144)
    assert not [action for action in policy["Statement"][0]["Action"] if "*" in action]
    assert policy == json.loads(next(b for b in blocks("json") if "iam:GetUser" in b))


def test_every_option_is_described_and_exists() -> None:
    described = set(re.findall(r"(?<![\w!-])(--[a-z][a-z-]+)", TEXT))
    pytests = {"--lf", "--collect-only"}
    assert described - pytests == {option.flag for option in OPTIONS}


def test_the_feeds_file_of_the_readme_is_the_schema(tmp_path: Path) -> None:
    example = next(block for block in blocks("toml") if "[[feed]]" in block)
    feed = tomllib.loads(example)["feed"][0]
    assert feed["credentials"] == {"profile": "octopus-ecr"}
    (tmp_path / "feeds.toml").write_text(example, encoding="utf-8")
    ran = run_checks(tmp_path, "--feeds", str(tmp_path / "feeds.toml"))
    assert ran.status == 4  # the machine has no such profile, and that is all that is wrong
    assert "octopus-ecr" in ran.err


def test_every_demo_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"--demo ([a-z][a-z-]+)", TEXT))
    assert named
    for name in named:
        assert (ROOT / "fixtures" / "accounts" / f"{name}.toml").is_file()


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_the_commands_are_the_ones_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    setup, *others = commands()
    assert "pip install -q -e '.[dev]'" in setup
    assert setup.endswith(".venv/bin/pytest checks/")
    assert ".venv/bin/pytest -n 2" in others
    assert '"$bin/pytest" -n 2\n' in ci
    for command in commands():
        assert shlex.split(command)
