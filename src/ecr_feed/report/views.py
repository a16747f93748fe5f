"""What `--output-format` adds to the files that every run writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ecr_feed.report import github, ocsf, octopus, policy_fix
from ecr_feed.report.run import Run

OCSF: Final = "ocsf"
GITHUB: Final = "github"
OCTOPUS: Final = "octopus"
POLICY_FIX: Final = "policy-fix"
FORMATS: Final = (OCSF, GITHUB, OCTOPUS, POLICY_FIX)
SUMMARY: Final = "summary.md"

_FILES: Final[Mapping[str, Callable[[Run], dict[str, bytes]]]] = {
    OCSF: lambda run: {ocsf.FILE: ocsf.ocsf(run)},
    GITHUB: lambda run: {SUMMARY: github.step_summary(run).encode("utf-8")},
    OCTOPUS: lambda _: {},  # messages on standard output only
    POLICY_FIX: policy_fix.policy_fixes,
}


def wanted(named: Iterable[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The formats asked for, and those of the service that this process runs inside."""
    found = set(named)
    if github.inside_actions(environ):
        found.add(GITHUB)
    if octopus.inside_step(environ):
        found.add(OCTOPUS)
    return frozenset(found)


def files(run: Run, formats: Iterable[str]) -> dict[str, bytes]:
    """File name -> content of every format; the names are ours and plain."""
    made: dict[str, bytes] = {}
    for name in sorted(formats):
        made |= _FILES[name](run)
    return made
