"""Wrong input ends with exit status 4 and one clear paragraph, before any call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.run import run_checks

GOOD = """
[[feed]]
name = "Production"
region = "eu-west-1"
packages = ["team/app"]
credentials = { env_prefix = "OCTOPUS_" }
"""
KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "x" * 40,
}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('region = "', 'regoin = "', "did you mean"),
        ('region = "eu-west-1"', "region = 5", "region"),
        ('region = "eu-west-1"', 'region = ""', "region"),
        ('["team/app"]', "[]", "packages"),
        ('["team/app"]', '["team/app", "team/app"]', "team/app"),
        ('["team/app"]', "[5]", "packages"),
        ('{ env_prefix = "OCTOPUS_" }', '{ secret_access_key = "hunter2hunter2" }', "credentials"),
        ("[[feed]]", "[feed", "line 2"),
    ],
)
def test_a_mistake_in_the_feeds_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(GOOD.replace(old, new), encoding="utf-8")
    ran = run_checks(tmp_path, "--feeds", str(feeds), env=KEYS)
    assert ran.status == 4, ran.text
    assert said.lower() in ran.err.lower()
    assert "feeds.toml" in ran.err
    assert "Traceback" not in ran.text
    assert "hunter2hunter2" not in ran.text
    assert not ran.report.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--feeds", "absent.toml"], "absent.toml"),
        (["--feeds", "."], "."),
        (["--feeds", "x.toml", "--package", "team/app"], "one or the other"),
        (["--aws-region", "eu-west-1"], "--package"),
        (["--package", "team/app"], "--aws-region"),
        (["--aws-region", "eu-west-1", "--package", "a/b", "--aws-profile", "nobody"], "nobody"),
        (["--aws-region", "eu-west-1", "--package", "a/b", "--package", "a/b"], "a/b"),
        (["--demo", "helthy"], "'healthy'"),
        (["-p", "no:html"], "without -p no:html"),
        (["-p", "no:junitxml"], "without -p no:junitxml"),
        (["--demo", "../accounts/healthy"], "healthy"),
        (["--demo", "healthy", "--aws-region", "eu-west-1"], "--demo"),
        (["--gate", "urgent"], "critical"),
        (["--feed", "x.toml"], "--feeds"),
    ],
)
def test_a_mistake_on_the_command_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    ran = run_checks(tmp_path, *arguments)
    assert ran.status == 4, ran.text
    assert said in ran.text
    assert "Traceback" not in ran.text


def test_a_variable_that_is_not_set(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(GOOD, encoding="utf-8")
    ran = run_checks(tmp_path, "--feeds", str(feeds))
    assert ran.status == 4
    assert "OCTOPUS_AWS_ACCESS_KEY_ID" in ran.err


def test_ci_without_feeds_is_a_mistake_and_with_an_explicit_demo_is_not(tmp_path: Path) -> None:
    assert run_checks(tmp_path, env={"CI": "true"}).status == 4
    assert run_checks(tmp_path, "--demo", "healthy", env={"CI": "true"}).status == 0


def test_checks_and_tests_in_one_run_are_refused(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, target=("checks/", "tests/test_check.py"))
    assert ran.status == 4
    assert "one after the other" in ran.err


def test_our_options_without_checks_are_refused(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, "--demo", "healthy", target=("tests/test_check.py",))
    assert ran.status == 4
    assert "does not include checks/" in ran.err


def test_a_report_folder_that_cannot_be_written_ends_the_run_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = run_checks(tmp_path, "--report", str(tmp_path / "file" / "report"))
    assert ran.status == 4
    assert "report folder" in ran.err


def test_help_lists_our_options_in_one_group(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, "--help")
    assert ran.status == 0
    group = ran.out.partition("ECR feed checks:")[2].partition("\n\n")[0]
    for option in ("--feeds", "--aws-region", "--package", "--demo", "--gate", "--look-elsewhere"):
        assert option in group
