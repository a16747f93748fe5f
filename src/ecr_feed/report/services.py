"""What the service that a run is inside of is told: GitHub Actions, Octopus Deploy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ecr_feed.report import github, octopus, views
from ecr_feed.report.run import Run

_APPENDED: Final = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")


def lines(
    run: Run, formats: Iterable[str], environ: Mapping[str, str], files: Iterable[Path]
) -> list[str]:
    """Lines for standard output, each an order to the service that reads it.

    They are only said where that service listens: elsewhere they would be noise in a log.
    """
    wanted = set(formats)
    told: list[str] = []
    if views.GITHUB in wanted and github.inside_actions(environ):
        told += github.workflow_commands(run)
    if views.OCTOPUS in wanted and octopus.inside_step(environ):
        told += octopus.messages(run, files)
    return told


def append(run: Run, formats: Iterable[str], environ: Mapping[str, str]) -> None:
    """Adds to the files that GitHub Actions named for the step; raises `OSError`."""
    if views.GITHUB not in set(formats) or not github.inside_actions(environ):
        return
    contents = (github.step_summary(run), github.outputs(run))
    for name, content in zip(_APPENDED, contents, strict=True):
        if environ.get(name):
            with Path(environ[name]).open("a", encoding="utf-8") as file:
                file.write(content)


def shows_progress(formats: Iterable[str], environ: Mapping[str, str]) -> bool:
    """Whether somebody draws a bar of what is printed meanwhile: a step of Octopus does."""
    return views.OCTOPUS in set(formats) and octopus.inside_step(environ)
