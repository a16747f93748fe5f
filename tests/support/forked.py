"""Runs of pytest, each in a process of its own that need not import the libraries anew.

A helper process imports them and then does nothing but fork: a run finds what a fresh process would
find, and nothing that another run did. A run on AWS has a helper that has not imported moto.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn, TypedDict

ROOT = Path(__file__).resolve().parents[2]
_AT_START = ("PYTHON", "LANG", "LC_")
"""Environment variables that count when Python starts: a fork cannot change them."""


class Order(TypedDict):
    """One run. `streams` are the paths of its standard output and error."""

    arguments: list[str]
    cwd: str
    env: dict[str, str]
    timeout: float
    streams: list[str]


def run_pytest(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float, *, moto: bool
) -> subprocess.CompletedProcess[str]:
    """`python -m pytest ARGUMENTS` in this folder with just this environment.

    `moto`: the run will import moto and the embedded account. Raises subprocess.TimeoutExpired.
    """
    helper = _helper(moto, tuple(_at_start(env)))
    assert helper.stdin is not None
    assert helper.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdout", "stderr")]
        for path in streams:
            path.touch()
        asked: Order = {
            "arguments": list(arguments),
            "cwd": str(cwd),
            "env": dict(env),
            "timeout": timeout,
            "streams": [str(path) for path in streams],
        }
        print(json.dumps(asked), file=helper.stdin, flush=True)
        status = json.loads(helper.stdout.readline())
        out, err = (path.read_text(encoding="utf-8") for path in streams)
    if status is None:
        raise subprocess.TimeoutExpired(list(arguments), timeout, out, err)
    return subprocess.CompletedProcess(list(arguments), status, out, err)


def _at_start(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in sorted(env.items()) if name.startswith(_AT_START))


@cache
def _helper(moto: bool, at_start: tuple[tuple[str, str], ...]) -> subprocess.Popen[str]:
    """Ends with this process, which closes its input."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, *(["moto"] if moto else [])],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **dict(at_start)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def serve(*, moto: bool) -> None:
    """Read orders from standard input, one a line; answer each with the run's exit status.

    The answer to a run that took too long, and was killed, is null.
    """
    _import_libraries(moto=moto)
    for line in sys.stdin:
        asked: Order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
        sys.stdout.write(f"{json.dumps(_status(child, asked['timeout']))}\n")
        sys.stdout.flush()


def _status(child: int, timeout: float) -> int | None:
    """The child's exit status, negative for a signal; None where it was killed for being late."""
    late = False

    def kill(*_: object) -> None:
        nonlocal late
        late = True
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return None if late else os.waitstatus_to_exitcode(status)


def _import_libraries(*, moto: bool) -> None:
    """What takes long to import. Plugins of pytest are left to it: it rewrites them."""
    sys.path.insert(1, str(ROOT / "src"))
    others = ("cryptography.x509", "moto.iam.models") if moto else ()
    for name in ("boto3", "jinja2", "pydantic", "pytest", "requests", "ecr_feed", *others):
        importlib.import_module(name)
    for module in pkgutil.walk_packages(sys.modules["ecr_feed"].__path__, "ecr_feed."):
        room = module.name.split(".")[1]
        if room != "plugin" and "__main__" not in module.name and (moto or room != "embedded"):
            importlib.import_module(module.name)
    del sys.path[1]


def _become(asked: Order) -> NoReturn:
    """This process is the run from here on, as `python -m pytest` would be."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    for stream, path in zip((sys.stdout, sys.stderr), asked["streams"], strict=True):
        os.dup2(os.open(path, os.O_WRONLY), stream.fileno())
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.path[0] = asked["cwd"]
    sys.argv = ["pytest", *asked["arguments"]]
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    sys.exit("pytest did not say how it ended")


if __name__ == "__main__":
    serve(moto="moto" in sys.argv)
