"""pytest's own ways behave on checks/ as its users expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.run import ONE_FEED, ROOT, Ran, project_with, run_checks

TWO = f"""{ONE_FEED}
[[feed]]
name = "Staging"
region = "eu-west-1"
packages = ["team/app", "team/missing"]
credentials = {{ key = "feed" }}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_with(tmp_path_factory.mktemp("two"), accounts={"two": TWO})


def run(
    tmp_path: Path, project: Path, *arguments: str, target: tuple[str, ...] = ("checks/",)
) -> Ran:
    return run_checks(tmp_path, "--demo", "two", *arguments, root=project, target=target)


def feeds(ran: Ran) -> set[str]:
    return {finding["feed"] for finding in ran.results["findings"]}


def test_one_feed_by_name(tmp_path: Path, project: Path) -> None:
    ran = run(tmp_path, project, "-k", "production")
    assert ran.status == 0, ran.text
    assert feeds(ran) == {"Production ECR"}
    assert ran.results["verdict"] == "PART"  # READY is said of a whole run
    part = ran.results["run"]["part"]
    assert part["run"] < part["of"]
    assert "feeds not judged: " in ran.out


def test_one_family_by_mark(tmp_path: Path, project: Path) -> None:
    ran = run(tmp_path, project, "-m", "token")
    assert {check.split("-")[0] for check in ran.checks("met")} == {"TOKEN"}
    assert ran.status == 0


def test_nothing_selected(tmp_path: Path, project: Path) -> None:
    assert run(tmp_path, project, "-k", "nothing_like_this").status == 5
    # A family of a kind of feed that this run has none of.
    assert run(tmp_path, project, "-m", "docker").status == 5


def test_a_misspelt_mark_is_an_error(tmp_path: Path, project: Path) -> None:
    text = "import pytest\n\n\n@pytest.mark.tokn\ndef test_it():\n    pass\n"
    strict = project_with(tmp_path, checks={"mark": text}, accounts={"two": TWO})
    assert run(tmp_path, strict).status != 0


def test_stop_at_the_first(tmp_path: Path, project: Path) -> None:
    ran = run(tmp_path, project, "-x")
    assert ran.status == 1
    assert ran.results["run"]["complete"] is False
    assert "stopping after 1 failures" in ran.out


def test_the_last_failures(tmp_path: Path, project: Path) -> None:
    cache = tmp_path / "cache"
    first = run_checks(tmp_path, "--demo", "two", root=project, cache=cache)
    again = run_checks(tmp_path, "--demo", "two", "--lf", root=project, cache=cache)
    assert first.status == again.status == 1
    assert again.findings("not met") == first.findings("not met") == {("REPO-1", "team/missing")}
    assert len(again.results["findings"]) == 1


def test_quiet_and_verbose(tmp_path: Path, project: Path) -> None:
    quiet = run(tmp_path, project, "-q")
    assert "test session starts" not in quiet.out
    assert "NOT READY" in quiet.out.splitlines()[-2]
    verbose = run(tmp_path, project, "-v")
    assert re.search(r"test_repository_exists\[staging\|team/missing\] FAILED", verbose.out)
    assert re.search(r"test_repository_exists\[production-ecr\|team/app\] PASSED", verbose.out)


def test_two_processes_agree_with_one(tmp_path: Path, project: Path) -> None:
    alone = run(tmp_path / "one", project)
    both = run(tmp_path / "two", project, "-n", "2")
    assert alone.status == both.status == 1

    def words(ran: Ran) -> set[tuple[str, str, str | None, str]]:
        return {
            (f["check"], f["feed"], f["package"], f["outcome"]) for f in ran.results["findings"]
        }

    assert words(alone) == words(both)


def test_a_single_test_by_its_id(tmp_path: Path, project: Path) -> None:
    node = "checks/test_repositories.py::test_repository_exists[staging|team/missing]"
    ran = run(tmp_path, project, target=(node,))
    assert ran.findings("not met") == {("REPO-1", "team/missing")}
    assert len(ran.results["findings"]) == 1


def test_from_another_folder(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, cwd=tmp_path, target=(str(ROOT / "checks"),))
    assert ran.status == 0, ran.text
    ran = run_checks(tmp_path, cwd=ROOT / "checks", target=(".",))
    assert ran.status == 0, ran.text


def test_the_whole_house_at_once_is_refused(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, target=(".",))
    assert ran.status == 4
    assert "one after the other" in ran.err


def test_an_option_does_not_swallow_the_path_after_it(tmp_path: Path, project: Path) -> None:
    ran = run_checks(tmp_path, "--look-elsewhere", "--deep", target=())
    assert ran.status == 4  # no path at all: not the checks, and our options say so
    ran = run_checks(
        tmp_path, "checks/", root=project, target=("--demo", "two", "--look-elsewhere")
    )
    assert ran.status == 1
    assert ran.findings("not met") >= {("REPO-1", "team/missing")}
