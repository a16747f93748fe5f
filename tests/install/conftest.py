"""The distributions, built once, and an environment in which only the wheel is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.run import ROOT, clean_environment


def done(command: list[str | Path], cwd: Path, env: dict[str, str]) -> str:
    ran = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, the wheel that was built from it and, in `direct/`, that of the checkout."""
    if find_spec("build") is None or find_spec("hatchling") is None:
        if os.environ.get("CI"):
            pytest.fail("the dev extra is not installed: build and hatchling are missing")
        pytest.skip("needs build and hatchling")
    folder = tmp_path_factory.mktemp("dist")
    env = clean_environment(folder / "home")
    build: list[str | Path] = [sys.executable, "-m", "build", "--no-isolation", "--outdir"]
    done([*build, folder, ROOT], folder, env)
    done([*build, folder / "direct", "--wheel", ROOT], folder, env)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """The wheel that was built from the sdist."""
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; what it depends on is taken from this environment."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    env = clean_environment(folder.parent / "home")
    done([sys.executable, "-m", "venv", "--without-pip", folder], folder.parent, env)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    done([*pip, "--python", python, *install, wheel], folder.parent, env)
    (site,) = folder.glob("lib/python*/site-packages")
    # The editable install of this environment is elsewhere on its path: it is not taken along.
    shared = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    return folder
