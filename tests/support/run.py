"""Runs `pytest checks/` as a person does: own process, clean environment, a report folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forked import run_pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """One run: exit status, both streams, and `results.json` where it was written."""

    status: int
    out: str
    err: str
    report: Path
    results: dict[str, Any]

    @property
    def text(self) -> str:
        """Everything a person saw."""
        return self.out + self.err

    def findings(self, *outcomes: str) -> set[tuple[str, str | None]]:
        """(check, package) of every finding with one of these outcomes."""
        return {
            (finding["check"], finding["package"])
            for finding in self.results["findings"]
            if finding["outcome"] in outcomes
        }

    def checks(self, *outcomes: str) -> set[str]:
        """The checks that have one of these outcomes somewhere."""
        return {check for check, _ in self.findings(*outcomes)}

    def finding(self, check: str, package: str | None = None, feed: str | None = None) -> Any:
        """The one finding of a check about a package (None: the feed's own)."""
        found = [
            finding
            for finding in self.results["findings"]
            if finding["check"] == check
            and finding["package"] == package
            and (feed is None or finding["feed"] == feed)
        ]
        assert len(found) == 1, (check, package, feed, found)
        return found[0]

    def calls(self) -> dict[str, int]:
        """How often each `service:Operation` was called."""
        counted: dict[str, int] = {}
        for call in self.results["calls"]:
            name = f"{call['service']}:{call['operation']}"
            counted[name] = counted.get(name, 0) + call["count"]
        return counted


def clean_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a new machine has: no AWS settings, no CI, an empty home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    home.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
        **(extra or {}),
    }


def run_checks(
    tmp_path: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    root: Path = ROOT,
    cwd: Path | None = None,
    target: Iterable[str] = ("checks/",),
    cache: Path | None = None,
    timeout: float = 180,
    stdin: int | None = None,
    descriptors: tuple[int, ...] = (),
    fresh: bool = False,
) -> Ran:
    """`pytest checks/ ARGUMENTS --report TMP`; `target` replaces `checks/`.

    `stdin` is a descriptor (None: this process's own); `descriptors` stay open in the run.
    `fresh`: Python is started anew, instead of forked from a process that has imported libraries;
    always so where descriptors are handed over.
    """
    report = tmp_path / "report"
    caching = ["-p", "no:cacheprovider"] if cache is None else ["-o", f"cache_dir={cache}"]
    given = [*target, *caching, *arguments]
    if "--report" not in arguments:
        given += ["--report", str(report)]
    environment = clean_environment(tmp_path / "home", env)
    if fresh or stdin is not None or descriptors:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *given],
            stdin=stdin,
            pass_fds=descriptors,
            cwd=cwd or root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    else:
        moto = not {"--feeds", "--aws-profile", "--aws-endpoint-url"} & set(given)
        done = run_pytest(given, cwd or root, environment, timeout, moto=moto)
    path = report / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Ran(done.returncode, done.stdout, done.stderr, report, results)


ONE_FEED = """
[[user]]
name = "octopus-feed"
keys = [{ label = "feed" }]
policies.feed = { allow = "ecr:*" }

[[repository]]
name = "team/app"
images = [{ tags = ["1.0.0"] }]

[[feed]]
name = "Production ECR"
region = "eu-west-1"
packages = ["team/app"]
credentials = { key = "feed" }
"""
"""An account with a single feed that works."""


def project_with(
    tmp_path: Path,
    *,
    checks: Mapping[str, str] | None = None,
    accounts: Mapping[str, str] | None = None,
) -> Path:
    """A copy of the house with these checks instead of its own, or with these accounts besides."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("src", "conftest.py", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "fixtures", root / "fixtures")
    if checks is None:
        (root / "checks").symlink_to(ROOT / "checks")
    for name, text in (checks or {}).items():
        _write(root / "checks" / f"test_{name}.py", text)
    for name, text in (accounts or {}).items():
        _write(root / "fixtures" / "accounts" / f"{name}.toml", text)
    return root


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
