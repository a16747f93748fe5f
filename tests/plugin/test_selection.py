"""The run that a command line asks for, and the mixtures that it refuses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ecr_feed.config import ConfigError, WorkerCredentials
from ecr_feed.findings import Severity
from ecr_feed.plugin.selection import HEALTHY, Selection, demos
from tests.planned.plans import plan, repository, role, user
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


@pytest.mark.parametrize("pulls", [True, False])
@pytest.mark.parametrize("policy", [True, False])
def test_pulls_is_said_of_the_one_feed(
    selected: Select, tmp_path: Path, policy: bool, pulls: bool
) -> None:
    (tmp_path / "p.json").write_text(POLICY, encoding="utf-8")
    options = ["--aws-region", "eu-west-1", "--package", "a/b", *(["--pulls"] * pulls)]
    chosen = selected(*options, *(["--policy", "p.json"] * policy))
    (feed,) = chosen.suite.feeds
    assert feed.pulls is pulls


def test_identity_is_one_of_the_plans(selected: Select, tmp_path: Path) -> None:
    document = plan(repository("team/app"), user(), role())
    (tmp_path / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    chosen = selected("--plan", "plan.json", "--identity", "aws_iam_role.feed", "--pulls")
    (feed,) = chosen.suite.feeds
    assert feed.credentials == WorkerCredentials(worker=True)
    assert feed.pulls
    assert chosen.options["--identity"] == "aws_iam_role.feed"


@pytest.mark.parametrize("how", [["--demo", "healthy"], ["--feeds", "f.toml"], []])
@pytest.mark.parametrize(
    ("option", "said"),
    [(["--pulls"], "pulls = true"), (["--identity", "octopus"], "--identity belongs to --plan")],
)
def test_options_of_plans_are_for_plans(
    selected: Select, tmp_path: Path, how: list[str], option: list[str], said: str
) -> None:
    (tmp_path / "f.toml").write_text(FEEDS, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        selected(*how, *option, **KEYS)


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
