"""The catalogue of checks, read from their files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecr_feed.plugin.catalogue import catalogue

RULE = """
from ecr_feed.check import LOW, check
@check(id='{id}', severity=LOW, title='t', why='w', fix='f', reads=(),
       refs=('https://example.com/',))
def test_{name}(feed): pass
def test_that_is_no_check(): pass
"""


def write(folder: Path, *ids: str) -> None:
    for number, check in enumerate(ids):
        text = RULE.format(id=check, name=f"rule_{number}")
        (folder / f"test_{number}.py").write_text(text, encoding="utf-8")


def test_ids_are_unique() -> None:
    found = [info.id for info in catalogue()]
    assert len(found) == len(set(found))
    assert {"REGION-1", "IDENT-1", "REPO-1", "PERM-1", "TOKEN-1", "DOCKER-1"} <= set(found)


def test_families_are_in_their_order_and_numbers_as_people_count(tmp_path: Path) -> None:
    write(tmp_path, "PULL-1", "REPO-10", "REPO-2", "IDENT-1", "SCOPE-1")
    found = [info.id for info in catalogue(tmp_path)]
    assert found == ["IDENT-1", "REPO-2", "REPO-10", "SCOPE-1", "PULL-1"]


def test_a_taken_id_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "REPO-1", "REPO-1")
    with pytest.raises(ValueError, match="REPO-1 is taken twice"):
        catalogue(tmp_path)


def test_reading_it_leaves_no_module_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    write(tmp_path, "REPO-1")
    catalogue(tmp_path)
    assert {name for name in set(sys.modules) - before if "catalogued" in name} == set()
