"""A command line parsed as pytest parses it, and the run that it selects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ecr_feed.plugin.option_table import OPTIONS, CommandLine, command_line
from ecr_feed.plugin.selection import Selection, select
from ecr_feed.text.files import Files
from tests.support.run import ROOT


@pytest.fixture
def given(tmp_path: Path) -> Callable[..., CommandLine]:
    """`given("--package", "a", "--deep")`, in the test's folder."""

    def parse(*arguments: str) -> CommandLine:
        parser = pytest.Parser(_ispytest=True)
        for option in OPTIONS:
            parser.addoption(option.flag, **option.attributes)
        return command_line(vars(parser.parse(arguments)), root=ROOT, here=tmp_path)

    return parse


@pytest.fixture
def selected(given: Callable[..., CommandLine]) -> Callable[..., Selection]:
    """`selected("--demo", "healthy", CI="true")`: the run, with these environment variables."""

    def choose(*arguments: str, **environ: str) -> Selection:
        return _select(given(*arguments), environ)

    return choose


def _select(command: CommandLine, environ: Mapping[str, str]) -> Selection:
    return select(command, environ, Files(command.here))
