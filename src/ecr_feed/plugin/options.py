"""The options of `pytest checks/`: which feeds, on which backend, how strictly.

Every mistake on the command line or in a feeds file is reported here, in `pytest_configure`, as
pytest's usage error (exit 4): before collection, before any call.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ecr_feed.config import ConfigError
from ecr_feed.findings import Severity
from ecr_feed.planned.files import Planned
from ecr_feed.plugin import outcomes, parametrize, piped, scheduler, staging
from ecr_feed.plugin.run import SELECTION, CommandLine, select, selection
from ecr_feed.report.services import FORMATS
from ecr_feed.text.safe import inert

GROUP = "ECR feed checks"
_PYTESTS_OWN = "fE"
"""The default of `-r`: the short summary of failures and errors."""

_OPTIONS: tuple[tuple[str, dict[str, object]], ...] = (
    ("--feeds", {"metavar": "FILE", "help": "judge the feeds of this feeds file"}),
    ("--aws-region", {"metavar": "R", "help": "judge one feed in this region"}),
    ("--package", {"metavar": "ID", "action": "append", "help": "a package ID of that feed"}),
    ("--aws-profile", {"metavar": "P", "help": "the AWS profile of that feed"}),
    ("--demo", {"metavar": "NAME", "help": "judge an embedded account (default: healthy)"}),
    ("--report", {"metavar": "DIR", "help": "where the reports go (default: reports/)"}),
    (
        "--gate",
        {
            "choices": [severity.word for severity in reversed(Severity)],
            "default": Severity.HIGH.word,
            "help": "the lowest severity that fails the run (default: high)",
        },
    ),
    ("--aws-endpoint-url", {"metavar": "U", "help": "send every AWS call to this endpoint"}),
    ("--policy", {"metavar": "FILE", "action": "append", "help": "judge this identity policy"}),
    ("--boundary", {"metavar": "FILE", "help": "within this permissions boundary"}),
    (
        "--repository-policy",
        {"metavar": "ID=FILE", "action": "append", "help": "with this repository policy"},
    ),
    ("--scp", {"metavar": "FILE", "action": "append", "help": "under this service control policy"}),
    ("--plan", {"metavar": "FILE", "help": "judge the account of `terraform show -json` output"}),
    (
        "--write-policy",
        {"metavar": "FILE", "help": "write the smallest policy that the feed needs"},
    ),
    (
        "--deep",
        {"action": "store_true", "help": "also read one image of each package (counts as a pull)"},
    ),
    ("--waivers", {"metavar": "FILE", "help": "accept what this file waives, until it expires"}),
    ("--baseline", {"metavar": "FILE", "help": "compare with an earlier results.json"}),
    (
        "--new-only",
        {"action": "store_true", "help": "fail only for findings that the baseline does not have"},
    ),
    (
        "--output-format",
        {
            "action": "append",
            "choices": list(FORMATS),
            "help": "also write this format; repeat it for more",
        },
    ),
    (
        "--look-elsewhere",
        {"action": "store_true", "help": "look for missing repositories in other regions"},
    ),
)


def option_names() -> list[str]:
    """The names of our options."""
    return [name for name, _ in _OPTIONS]


def pytest_addoption(parser: pytest.Parser) -> None:
    """One group, one line each; every option takes one value or none."""
    group = parser.getgroup("ecr-feed", GROUP)
    for name, attributes in _OPTIONS:
        group.addoption(name, **attributes)
    if suggestion := _did_you_mean(sys.argv[1:]):
        parser.extra_info["did you mean"] = suggestion


def _did_you_mean(arguments: Sequence[str]) -> str:
    """Our option nearest to a misspelt one, for pytest's own usage error."""
    names = [name for name, _ in _OPTIONS]
    for argument in arguments:
        word = argument.partition("=")[0]
        if word.startswith("--") and word not in names:
            near = difflib.get_close_matches(word, names, n=1, cutoff=0.8)
            if near:
                return f"{near[0]} (for {word})"
    return ""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Select feeds and backend, or end the run with exit status 4."""
    if config.option.help or config.option.version:
        return
    inside, outside = _arguments(config)
    if not inside:
        _refuse_stray_options(config)
        return
    if outside:
        raise pytest.UsageError(
            f"checks/ judges real feeds, the other tests judge this project: run {outside[0]!r} "
            "and checks/ one after the other."
        )
    try:
        chosen = select(_command_line(config), os.environ, piped.files_of(config))
        config.stash[SELECTION] = chosen
        staging.start(config, chosen)
    except ConfigError as error:
        raise pytest.UsageError(inert(str(error))) from None
    for hooks in (parametrize, outcomes, scheduler, piped):
        config.pluginmanager.register(hooks, hooks.__name__)
    config.option.tbstyle = "no"  # a finding is four lines of ours, never a traceback
    if config.option.reportchars == _PYTESTS_OWN:
        config.option.reportchars = ""  # our own summary lists them already


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What is judged, and on what; a demo says so first."""
    chosen = selection(config)
    if chosen is None:
        return []
    label = "" if chosen.mode == "aws" else f"{chosen.mode.upper()}: "
    feeds = len(chosen.suite.feeds) + len(chosen.suite.docker_feeds)
    return [f"ecr-feed: {label}{chosen.source}, {feeds} feeds, gate {chosen.gate.word}"]


def _arguments(config: pytest.Config) -> tuple[list[str], list[str]]:
    """The run's path arguments inside checks/ and outside; a folder above it counts as both."""
    checks = config.rootpath / "checks"
    inside, outside = [], []
    for argument in config.args:
        path = Path(os.path.abspath(config.invocation_params.dir / str(argument).split("::")[0]))
        if path == checks or checks in path.parents:
            inside.append(argument)
        elif path in checks.parents:
            inside.append(argument)
            outside.append(argument)
        else:
            outside.append(argument)
    return inside, outside


def _refuse_stray_options(config: pytest.Config) -> None:
    """Without checks/ our options would be ignored: probably an option consumed the path."""
    given = [
        name
        for name, attributes in _OPTIONS
        if config.getoption(name.lstrip("-").replace("-", "_"))
        not in (None, False, attributes.get("default"))
    ]
    if given:
        raise pytest.UsageError(
            f"{given[0]} is an option of `pytest checks/`, but this run does not include checks/."
        )


def _command_line(config: pytest.Config) -> CommandLine:
    option = config.option
    return CommandLine(
        feeds=option.feeds,
        region=option.aws_region,
        packages=tuple(option.package or ()),
        profile=option.aws_profile,
        demo=option.demo,
        report=option.report,
        gate=Severity[option.gate.upper()],
        endpoint_url=option.aws_endpoint_url,
        look_elsewhere=option.look_elsewhere,
        planned=Planned(
            policies=tuple(option.policy or ()),
            boundary=option.boundary,
            repository_policies=tuple(option.repository_policy or ()),
            scps=tuple(option.scp or ()),
            plan=option.plan,
        ),
        write_policy=option.write_policy,
        waivers=option.waivers,
        baseline=option.baseline,
        new_only=option.new_only,
        formats=tuple(option.output_format or ()),
        deep=option.deep,
        root=config.rootpath,
        here=config.invocation_params.dir,
    )
