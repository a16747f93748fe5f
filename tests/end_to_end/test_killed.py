"""A run that is stopped, at any moment, leaves the previous report or a whole new one."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from tests.end_to_end.plain import answers, feed
from tests.support.proxy import Asked, Reply, serving
from tests.support.run import ROOT, Ran, clean_environment, run_checks

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKy"
SESSION = "FwoGZXIvYXdzEBYaDHqa0AP1xL0example/session+token/of/the/feed/zT9kQ=="
KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": SECRET,
    "OCTOPUS_AWS_SESSION_TOKEN": SESSION,
}
FEED = feed("Production")
ARTEFACTS = {"report.html", "results.json", "junit.xml", "findings.csv", "manifest.json"}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of an earlier run."""
    return run_checks(tmp_path_factory.mktemp("earlier"), "--demo", "missing-repository").report


@pytest.fixture
def report(tmp_path: Path, earlier: Path) -> Path:
    """A report folder that holds the earlier report."""
    return shutil.copytree(earlier, tmp_path / "report")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def whole(folder: Path) -> dict[str, object]:
    """The report's results, where the folder holds one report and nothing else."""
    files = content(folder)
    assert set(files) == ARTEFACTS
    told = {row["file"]: row["sha256"] for row in json.loads(files["manifest.json"])["files"]}
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert told == {name: digest for name, digest in found.items() if name != "manifest.json"}
    assert told["results.json"].encode() in files["report.html"]
    results: dict[str, object] = json.loads(files["results.json"])
    return results


@dataclass
class Holding:
    """A server that keeps the caller of one operation waiting."""

    operation: str
    reached: Event = field(default_factory=Event)
    release: Event = field(default_factory=Event)
    asked: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply | None:
        self.asked.append(asked.operation)
        if asked.operation == self.operation:
            self.reached.set()
            self.release.wait(60)
        return answers(asked)


@contextmanager
def held(
    tmp_path: Path, report: Path, operation: str, *options: str, ignoring: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], Holding]]:
    """A run that waits for the answer to that operation; what is left of it ends with the block."""
    (tmp_path / "feeds.toml").write_text(FEED, encoding="utf-8")
    holding = Holding(operation)
    with serving(holding) as endpoint:
        command = [
            *(sys.executable, "-m", "pytest", "checks/", "-p", "no:cacheprovider", *options),
            *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint),
            *("--report", str(report)),
        ]
        if ignoring is not None:  # as a shell starts a process in the background
            command = ["sh", "-c", f"trap '' {ignoring}; exec \"$@\"", "sh", *command]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean_environment(tmp_path / "home", KEYS),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert holding.reached.wait(60)
            yield process, holding
        finally:
            holding.release.set()
            process.kill()
            process.communicate()


@pytest.mark.parametrize("operation", ["GetCallerIdentity", "DescribeImages"])
def test_killed_while_it_reads(tmp_path: Path, report: Path, earlier: Path, operation: str) -> None:
    with held(tmp_path, report, operation) as (process, _):
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    assert content(report) == content(earlier)


@pytest.mark.parametrize(
    ("operation", "number", "options"),
    [
        ("GetCallerIdentity", signal.SIGINT, ()),
        ("DescribeImages", signal.SIGTERM, ()),
        ("GetCallerIdentity", signal.SIGTERM, ("-n", "2")),
    ],
)
def test_stopped_while_it_reads(
    tmp_path: Path, report: Path, operation: str, number: int, options: tuple[str, ...]
) -> None:
    loud = ("-vvv", "--full-trace", "--showlocals", "--tb=long", "-rA")
    with held(tmp_path, report, operation, *loud, *options) as (process, holding):
        process.send_signal(number)
        holding.release.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    results = whole(report)
    assert results["verdict"] != "READY"
    run = results["run"]
    assert isinstance(run, dict)
    assert run["complete"] is False
    assert run["incomplete_because"] == "the run was interrupted"
    assert "Incomplete: the run was interrupted." in out
    assert not [text for text in (SECRET, SESSION, SESSION[:30]) if text in out]


def test_terminated_in_the_background(tmp_path: Path, report: Path) -> None:
    with held(tmp_path, report, "GetCallerIdentity", ignoring=signal.SIGINT) as (process, holding):
        process.send_signal(signal.SIGTERM)
        holding.release.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    whole(report)


def run(tmp_path: Path, report: Path, *options: str, env: Mapping[str, str]) -> Ran:
    """A run that nobody holds."""
    (tmp_path / "feeds.toml").write_text(FEED, encoding="utf-8")
    with serving(answers) as endpoint:
        return run_checks(
            tmp_path,
            *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint),
            *("-q", "--report", str(report), *options),
            env={**KEYS, **env},
        )


def signalled(tmp_path: Path, report: Path, at: int, number: int) -> Ran:
    variables = {"PYTHONPATH": ".", "SIGNAL_AT": f"{at}:{number}"}
    return run(tmp_path, report, "-p", "tests.end_to_end.killing", env=variables)


@pytest.mark.parametrize("at", [0, 2])
def test_killed_while_it_renames(tmp_path: Path, report: Path, earlier: Path, at: int) -> None:
    ran = signalled(tmp_path, report, at, signal.SIGKILL)
    assert ran.status == -signal.SIGKILL
    before, after = content(earlier), content(report)
    kept = {name for name in ARTEFACTS if after[name] == before[name]}
    assert len(kept) == len(ARTEFACTS) - at
    assert "manifest.json" in kept
    told = {row["file"]: row["sha256"] for row in json.loads(after["manifest.json"])["files"]}
    fit = {
        name for name, digest in told.items() if hashlib.sha256(after[name]).hexdigest() == digest
    }
    assert fit == kept - {"manifest.json"}  # a mixture is told by its manifest
    json.loads(after["results.json"])
    if at == 2:  # the next run clears up
        run(tmp_path, report, env={})
        assert whole(report)["mode"] == "aws"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_it_renames(tmp_path: Path, report: Path, number: int) -> None:
    ran = signalled(tmp_path, report, 2, number)
    assert ran.status == 2, ran.text
    assert whole(report)["mode"] == "aws"


def test_a_disk_that_fills_up_meanwhile(tmp_path: Path, report: Path, earlier: Path) -> None:
    with held(tmp_path, report, "DescribeImages") as (process, holding):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
        holding.release.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1, out
    assert "Traceback" not in out
    assert "INTERNALERROR" not in out
    assert "large" in out  # File too large: what the system says
    assert content(report) == content(earlier)


def test_a_folder_that_gets_in_the_way_meanwhile(
    tmp_path: Path, report: Path, earlier: Path
) -> None:
    with held(tmp_path, report, "DescribeImages") as (process, holding):
        (report / "results.json").unlink()
        (report / "results.json").mkdir()
        holding.release.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1, out
    assert "could not be written" in out
    assert "Report: " not in out
    before, after = content(earlier), {p.name: p for p in report.iterdir()}
    assert set(after) == ARTEFACTS
    for name in ARTEFACTS - {"results.json"}:
        assert after[name].read_bytes() == before[name]


@pytest.mark.parametrize("place", ["file/report", "/proc/report", "full"])
def test_a_folder_that_cannot_be_written_ends_the_run_before_it_reads(
    tmp_path: Path, report: Path, earlier: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "feeds.toml").write_text(FEED, encoding="utf-8")
    limit = "1000" if place == "full" else "unlimited"  # blocks of 512 bytes
    folder = report if place == "full" else tmp_path / place
    holding = Holding("none")
    with serving(holding) as endpoint:
        done = subprocess.run(
            [
                *("sh", "-c", f'ulimit -f {limit}; exec "$@"', "sh"),
                *(sys.executable, "-m", "pytest", "checks/", "-p", "no:cacheprovider"),
                *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint),
                *("--report", str(folder)),
            ],
            cwd=ROOT,
            env=clean_environment(tmp_path / "home", KEYS),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 4, done.stdout + done.stderr
    assert "report folder" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert holding.asked == []
    assert content(report) == content(earlier)
