"""The run that a command line asks for, and the mixtures that it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ecr_feed.config import ConfigError
from ecr_feed.findings import Severity
from ecr_feed.plugin.selection import HEALTHY, Selection, demos
from tests.support.run import ROOT

Select = Callable[..., Selection]
KEYS = {"OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "OCTOPUS_AWS_SECRET_ACCESS_KEY": "x"}
FEEDS = """
[[feed]]
name = "Production"
region = "eu-west-1"
packages = ["team/app"]
credentials = { env_prefix = "OCTOPUS_" }
"""
POLICY = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
]}"""


def test_without_feeds_it_is_the_healthy_demo(selected: Select) -> None:
    chosen = selected()
    assert (chosen.mode, chosen.source) == ("demo", HEALTHY)
    assert chosen.account is not None
    assert chosen.report == ROOT / "reports"


def test_a_feeds_file_is_judged_on_aws(selected: Select, tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text(FEEDS, encoding="utf-8")
    chosen = selected("--feeds", "f.toml", "--gate", "low", "--report", "out", "--deep", **KEYS)
    assert (chosen.mode, chosen.source, chosen.account) == ("aws", "f.toml", None)
    assert [feed.name for feed in chosen.suite.feeds] == ["Production"]
    assert chosen.gate is Severity.LOW
    assert chosen.report == tmp_path / "out"
    assert chosen.deep
    assert chosen.inputs == {"f.toml": hashlib.sha256(FEEDS.encode()).hexdigest()}
    assert chosen.options["--feeds"] == "f.toml"


def test_one_feed_without_a_file(selected: Select) -> None:
    chosen = selected("--aws-region", "eu-west-1", "--package", "a/b", "--package", "c")
    (feed,) = chosen.suite.feeds
    assert (chosen.mode, chosen.source) == ("aws", "one feed")
    assert [package.id for package in feed.packages] == ["a/b", "c"]


def test_the_account_of_one_feed_is_the_expected_one(selected: Select) -> None:
    chosen = selected("--aws-region", "eu-west-1", "--package", "a/b", "--account", "012345678910")
    assert chosen.suite.feeds[0].account == "012345678910"
    assert chosen.plan is None


def test_a_policy_is_a_plan(selected: Select, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(POLICY, encoding="utf-8")
    chosen = selected("--policy", "p.json", "--aws-region", "eu-west-1", "--package", "a/b")
    assert (chosen.mode, chosen.source) == ("plan", "p.json")
    assert list(chosen.inputs) == ["p.json"]


def test_files_that_are_to_be_written_start_where_the_run_does(
    selected: Select, tmp_path: Path
) -> None:
    assert selected("--write-policy", "out.json").write_policy == tmp_path / "out.json"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--feeds", "f.toml", "--package", "a"], "one or the other"),
        (["--demo", "healthy", "--feeds", "f.toml"], "--demo judges"),
        (["--demo", "healthy", "--aws-endpoint-url", "http://x"], "--demo judges"),
        (["--demo", "healthy", "--policy", "p.json"], "--demo judges"),
        (["--policy", "p.json", "--feeds", "f.toml"], "judge what does not exist"),
        (["--plan", "p.json", "--aws-profile", "p"], "judge what does not exist"),
        (["--policy", "p.json", "--account", "1234"], "--account 1234: expected the 12 digits"),
        (["--account", "123456789012"], "add --policy, --plan, or --aws-region and --package"),
        (
            ["--feeds", "feeds.toml", "--account", "123456789012"],
            'set `account = "123456789012"` of the feed',
        ),
        (["--identity", "octopus"], "--identity belongs to --plan and --policy"),
        (["--aws-region", "eu-west-1"], "add --package ID"),
        (["--package", "a"], "add --aws-region R"),
        (["--new-only"], "add --baseline FILE"),
        (["--demo", "helthy"], "Did you mean 'healthy'?"),
        (["--demo", "../accounts/healthy"], "No demo account"),
        (["--waivers", "none.toml"], "no such file"),
    ],
)
def test_what_is_refused(selected: Select, arguments: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        selected(*arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ci_needs_feeds_or_an_explicit_demo(selected: Select) -> None:
    with pytest.raises(ConfigError, match="CI is set"):
        selected(CI="true")
    assert selected("--demo", "healthy", CI="true").mode == "demo"


def test_demos_are_the_account_files(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "notes.txt"):
        (tmp_path / name).touch()
    assert demos(tmp_path) == ["a", "b"]
