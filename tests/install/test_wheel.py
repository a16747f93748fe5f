"""The installed suite is `pytest checks/` from any folder, and takes nothing else from there."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import ecr_feed
from tests.end_to_end.plain import KEYS, answers, feed
from tests.support.proxy import serving
from tests.support.run import ROOT, Ran, clean_environment, run_checks

SUITE = "ecr_feed/_suite"
PARTS = ("checks", "fixtures", "conftest.py", "pyproject.toml")


def files(*parts: str, below: Path = ROOT) -> set[str]:
    """Every file of these parts of the checkout, relative to it."""
    paths = {path for part in parts for path in (below / part, *(below / part).rglob("*"))}
    return {
        path.relative_to(below).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_library_and_the_suite(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    library = {name.removeprefix("src/") for name in files("src/ecr_feed")}
    suite = {f"{SUITE}/{name}" for name in files(*PARTS)}
    rest = names - library - suite
    assert library | suite <= names
    assert {name.partition("/")[2] for name in rest} == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"),
    }
    assert {name.partition("/")[0] for name in rest} == {
        f"ecr_feed_checks-{ecr_feed.__version__}.dist-info"
    }


def test_the_sdist_builds_the_wheel_of_the_checkout(dist: Path, wheel: Path) -> None:
    (direct,) = (dist / "direct").glob("*.whl")
    built, checked_out = (zipfile.ZipFile(path) for path in (wheel, direct))
    assert {info.filename: info.CRC for info in built.infolist()} == {
        info.filename: info.CRC for info in checked_out.infolist()
    }


def test_the_sdist_holds_what_a_maintainer_needs(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert files(*PARTS, "src", "tests", "docs", "hatch_build.py", "README.md") <= names
    assert {name.partition("/")[0] for name in names} - {"PKG-INFO", ".gitignore"} == {
        *(*PARTS, "src", "tests", "docs", "hatch_build.py"),
        *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
    }


HOSTILE = {
    "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
    "tox.ini": "[pytest]\naddopts = --no-such-option\n",
    "setup.cfg": "[tool:pytest]\naddopts = --no-such-option\n",
    "pytest.toml": '[pytest]\naddopts = ["--no-such-option"]\n',
    "pyproject.toml": '[tool.pytest]\naddopts = ["--no-such-option"]\n',
    **{
        f"{name}.py": "raise SystemExit('imported from the current folder')\n"
        for name in (
            *("conftest", "checks/conftest", "tests/conftest", "checks/test_token"),
            *("fixtures", "pytest", "boto3", "queue", "json", "random"),
        )
    },
}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of a project whose own settings and modules would stop any run."""
    for name, text in HOSTILE.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "project"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def run(
    environment: Path,
    here: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    program: tuple[str, ...] = ("ecr-feed-checks",),
) -> Ran:
    """The installed command in this folder; its reports are looked for in `reports/` there."""
    done = subprocess.run(
        [environment / "bin" / program[0], *program[1:], *arguments],
        cwd=here,
        env=clean_environment(here.parent / "home", env),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    path = here / "reports" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Ran(done.returncode, done.stdout, done.stderr, path.parent, results)


def tree(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_the_demo_in_an_empty_folder(environment: Path, empty: Path, tmp_path: Path) -> None:
    before = tree(environment)
    ran = run(environment, empty)
    assert ran.status == 0, ran.text
    assert ran.results["verdict"] == "READY"
    assert {path.name for path in ran.report.iterdir()} == {
        *("report.html", "results.json", "junit.xml", "findings.csv", "manifest.json"),
    }
    assert tree(environment) == before  # it may be read-only
    checkout = run_checks(tmp_path)
    assert outcomes(ran) == outcomes(checkout)


def outcomes(ran: Ran) -> list[tuple[str, str, str]]:
    return sorted((f["test"], f["outcome"], f["message"]) for f in ran.results["findings"])


def test_a_failing_demo_and_its_last_failure(environment: Path, empty: Path) -> None:
    demo = ("--demo", "missing-repository")
    first = run(environment, empty, *demo, "-v")
    again = run(environment, empty, *demo, "--lf")
    assert first.status == again.status == 1
    assert "checks/test_repositories.py::test_repository_exists[" in first.out
    assert "_suite/checks" not in first.out  # node IDs are those of a checkout
    (finding,) = again.results["findings"]
    assert (finding["check"], finding["package"]) == ("REPO-1", "team/worker")


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving(answers) as address:
        yield address


@pytest.mark.parametrize("program", [("ecr-feed-checks",), ("python", "-m", "ecr_feed")])
def test_a_hostile_folder_changes_nothing(
    environment: Path, hostile: Path, tmp_path: Path, endpoint: str, program: tuple[str, ...]
) -> None:
    for folder in (hostile, tmp_path):
        (folder / "f.toml").write_text(feed("Prod") + feed("Test", "eu-west-2"), encoding="utf-8")
    chosen = ("--feeds", "f.toml", "-k", "prod", "--aws-endpoint-url", endpoint)
    addopts = {
        "PYTEST_ADDOPTS": "--no-such-option",
        "PYTEST_PLUGINS": "no_such_plugin",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    ran = run(environment, hostile, *chosen, "-n", "2", env=KEYS | addopts, program=program)
    named = str(tmp_path / "f.toml")
    checkout = run_checks(tmp_path, "--feeds", named, *chosen[2:], env=KEYS)
    assert ran.results["findings"], ran.text
    assert {finding["feed"] for finding in ran.results["findings"]} == {"Prod"}
    assert outcomes(ran) == outcomes(checkout)
    assert ran.status == checkout.status


def test_a_distribution_named_fixtures_is_not_the_suites(environment: Path, empty: Path) -> None:
    (site,) = environment.glob("lib/python*/site-packages")
    other = site / "fixtures"
    other.mkdir()
    try:
        (other / "__init__.py").write_text("raise SystemExit('the other fixtures')\n", "utf-8")
        ran = run(environment, empty, "-m", "region")
    finally:
        (other / "__init__.py").unlink()
        other.rmdir()
    assert ran.status == 0, ran.text


def test_help_and_version_are_ours(environment: Path, empty: Path) -> None:
    helped = run(environment, empty, "--help")
    assert helped.status == 0
    assert helped.out.startswith("usage: ecr-feed-checks ")
    assert {"--feeds", "--demo", "--lf", "--numprocesses"} <= set(
        re.findall(r"--[a-z-]+", helped.out)
    )
    version = run(environment, empty, "--version")
    expected = f"ecr-feed-checks {ecr_feed.__version__} (pytest {pytest.__version__})\n"
    assert (version.status, version.out) == (0, expected)


@pytest.mark.parametrize(
    ("named", "count"),
    [
        ("checks/", None),
        ("checks/test_region.py", None),
        ("checks/test_region.py::test_region_exists[production-ecr]", 1),
    ],
)
def test_a_check_is_named_as_in_a_checkout(
    environment: Path, hostile: Path, named: str, count: int | None
) -> None:
    ran = run(environment, hostile, named, "--co", "-q")
    collected = [line for line in ran.out.splitlines() if "::" in line]
    assert ran.status == 0, ran.text
    assert all(test.startswith(named) for test in collected)
    assert count is None or len(collected) == count


def test_pytests_own_options_mean_the_suites_files(environment: Path, empty: Path) -> None:
    ignored = run(environment, empty, "-m", "token", "--ignore", "checks/test_token.py", "--co")
    assert ignored.status == 5, ignored.text
    uncached = run(environment, empty, "-p", "no:cacheprovider", "-m", "region", "--co", "-q")
    assert uncached.status == 0, uncached.text
    assert not (empty / ".ecr-feed-cache").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tests/",), "tests/: ecr-feed-checks runs the suite's own checks"),
        ((".",), ".: ecr-feed-checks runs the suite's own checks"),
        (("-c", "other.ini"), "-c and --rootdir cannot be given"),
        (("--rootdir", "."), "-c and --rootdir cannot be given"),
        (("--fedes", "f.toml"), "did you mean: --feeds"),
        (("--feeds", "missing.toml"), "missing.toml"),
    ],
)
def test_mistakes_are_usage_errors(
    environment: Path, empty: Path, arguments: tuple[str, ...], said: str
) -> None:
    (empty / "other.ini").write_text("[pytest]\n", encoding="utf-8")
    ran = run(environment, empty, *arguments)
    assert ran.status == 4
    assert said in ran.err


def test_ci_wants_an_explicit_choice(environment: Path, empty: Path) -> None:
    assert run(environment, empty, env={"CI": "true"}).status == 4
