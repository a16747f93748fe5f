"""What pytest loads: adds our options, and starts a run that includes `checks/`.

Every mistake on the command line or in a feeds file is reported here, in `pytest_configure`, as
pytest's usage error (exit 4): before collection, before any call.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ecr_feed.config import ConfigError
from ecr_feed.planned.attachment import described
from ecr_feed.plugin import outcomes, parametrize, piped, scheduler, wiring
from ecr_feed.plugin.option_table import OPTIONS, command_line, did_you_mean, strays
from ecr_feed.plugin.selection import SELECTION, select, selection
from ecr_feed.text.safe import inert
from ecr_feed.text.words import many

GROUP = "ECR feed checks"
_PYTESTS_OWN = "fE"
"""The default of `-r`: the short summary of failures and errors."""
_HYPOTHESIS = "hypothesispytest"
"""A plugin that comes with the dev extra. No check uses it, and its summary takes a second."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """One group, one line each; every option takes one value or none."""
    group = parser.getgroup("ecr-feed", GROUP)
    for option in OPTIONS:
        group.addoption(option.flag, **option.attributes)
    if suggestion := did_you_mean(sys.argv[1:]):
        parser.extra_info["did you mean"] = suggestion


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
        given = command_line(
            vars(config.option), root=config.rootpath, here=config.invocation_params.dir
        )
        chosen = select(given, os.environ, piped.files_of(config))
        config.stash[SELECTION] = chosen
        wiring.start(config, chosen)
    except ConfigError as error:
        raise pytest.UsageError(inert(str(error))) from None
    for hooks in (parametrize, outcomes, scheduler, piped):
        config.pluginmanager.register(hooks, hooks.__name__)
    if (hypothesis := config.pluginmanager.get_plugin(_HYPOTHESIS)) is not None:
        config.pluginmanager.unregister(hypothesis)
    config.option.tbstyle = "no"  # a finding is a few lines of ours, never a traceback
    if config.option.reportchars == _PYTESTS_OWN:
        config.option.reportchars = ""  # our own summary lists them already


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What is judged and on which backend; a demo or a plan is marked."""
    chosen = selection(config)
    if chosen is None:
        return []
    label = "" if chosen.mode == "aws" else f"{chosen.mode.upper()}: "
    feeds = len(chosen.suite.feeds) + len(chosen.suite.docker_feeds)
    attach = f" as {described(chosen.attach)} (--attach)" if chosen.attach else ""
    what = f"{label}{chosen.source}{attach}, {many(feeds, 'feed')}"
    return [f"ecr-feed: {what}, gate {chosen.gate.word}"]


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
    if given := strays(vars(config.option)):
        raise pytest.UsageError(
            f"{given[0]} is an option of `pytest checks/`, but this run does not include checks/."
        )
