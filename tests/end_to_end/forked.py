"""Runs of `pytest checks/`, each in a process of its own that need not import the libraries anew.

One helper process imports them and then does nothing but fork: a run finds what a fresh process
would find, and nothing that another run did.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import pytest

from tests.support.run import ROOT, Ran, clean_environment

_LONGEST_RUN = 120  # seconds; a run that hangs is killed, and its exit status says by what


class Forks:
    """Runs demos, each once; a context manager. `folder` receives reports and outputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ran: dict[str, Ran] = {}
        self._helper = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=ROOT,
            env=clean_environment(folder / "home"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def demo(self, name: str) -> Ran:
        """`pytest checks/ --demo NAME --look-elsewhere`, as a person would see it."""
        if name not in self._ran:
            self._ran[name] = self._run(name)
        return self._ran[name]

    def _run(self, name: str) -> Ran:
        report, output = self._folder / name, self._folder / f"{name}.txt"
        arguments = ["checks/", "-p", "no:cacheprovider", "--demo", name, "--look-elsewhere"]
        asked = {"output": str(output), "arguments": [*arguments, "--report", str(report)]}
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        print(json.dumps(asked), file=self._helper.stdin, flush=True)
        status = int(self._helper.stdout.readline())
        results = json.loads((report / "results.json").read_text(encoding="utf-8"))
        return Ran(status, output.read_text(encoding="utf-8"), "", report, results)

    def __enter__(self) -> Forks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._helper:  # closes its input, which ends it
            pass


def serve() -> None:
    """Read orders from standard input, one a line; answer each with the run's exit status."""
    _import_libraries()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked["arguments"], asked["output"])
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _import_libraries() -> None:
    """What takes long to import. Plugins of pytest are left to it: it rewrites them."""
    sys.path.insert(0, str(ROOT / "src"))
    for name in ("boto3", "cryptography.x509", "jinja2", "moto.iam.models", "requests", "ecr_feed"):
        importlib.import_module(name)
    for module in pkgutil.walk_packages(sys.modules["ecr_feed"].__path__, "ecr_feed."):
        if "__main__" not in module.name and not module.name.startswith("ecr_feed.plugin"):
            importlib.import_module(module.name)


def _become(arguments: list[str], output: str) -> NoReturn:
    """This process is the run from here on."""
    signal.alarm(_LONGEST_RUN)
    with open(output, "wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    status = 3  # pytest's own word for an internal error
    try:
        status = int(pytest.main(arguments))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
