"""What a run imports: nothing of the embedded account on AWS, nothing of the tests ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.plain import KEYS, answers, feed
from tests.support.proxy import serving
from tests.support.run import Ran, run_checks

TESTS_ONLY = {"hypothesis", "jsonschema"}
EMBEDDED_ONLY = {"moto", "cryptography"}


def imported(tmp_path: Path, *arguments: str) -> tuple[Ran, dict[int, set[str]]]:
    """The run, and the top-level modules of each of its processes."""
    folder = tmp_path / "imports"
    folder.mkdir()
    ran = run_checks(
        tmp_path,
        *("-p", "tests.support.imports", *arguments),
        env={**KEYS, "PYTHONPATH": ".", "IMPORTS": str(folder)},
        fresh=True,  # a forked run has the libraries already
    )
    processes = {
        int(path.stem): {name.partition(".")[0] for name in path.read_text("utf-8").splitlines()}
        for path in folder.iterdir()
    }
    return ran, processes


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(feed("Production"), encoding="utf-8")
    return path


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving(answers) as url:
        yield url


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_a_run_on_aws(tmp_path: Path, feeds: Path, endpoint: str, workers: tuple[str, ...]) -> None:
    ran, processes = imported(
        tmp_path, "--feeds", str(feeds), "--aws-endpoint-url", endpoint, *workers
    )
    assert ran.finding("IDENT-1")["outcome"] == "met", ran.text
    assert len(processes) == 1 + len(workers) // 2
    assert not set.union(*processes.values()) & (TESTS_ONLY | EMBEDDED_ONLY)
    assert any("botocore" in names for names in processes.values())


def test_a_demo_loads_no_library_of_the_tests(tmp_path: Path) -> None:
    ran, processes = imported(tmp_path, "--demo", "missing-repository", "-m", "token")
    assert ran.status == 0, ran.text
    (names,) = processes.values()
    assert "moto" in names
    assert not names & TESTS_ONLY


@pytest.mark.parametrize("way", ["feeds", "demo"])
def test_collecting_opens_nothing(tmp_path: Path, feeds: Path, way: str) -> None:
    chosen = ("--feeds", str(feeds)) if way == "feeds" else ("--demo", "healthy")
    ran, processes = imported(tmp_path, *chosen, "--collect-only", "-q")
    assert ran.status == 0, ran.text
    (names,) = processes.values()
    assert not names & ({"boto3", "botocore"} | EMBEDDED_ONLY | TESTS_ONLY)
