"""Service messages for a step of Octopus Deploy: artifacts, output variables, progress.

Octopus reads them from the step's standard output; every value is base64, so that no name of a
repository can end a message or begin another. Artifacts are collected after the script: the files
have to stay where they are.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ecr_feed.report.run import WORST_FIRST, Run

STEP_VARIABLE: Final = "OctopusCalamariWorkingDirectory"
PREFIX: Final = "EcrFeedAudit"


def inside_step(environ: Mapping[str, str]) -> bool:
    """Whether this process runs inside a step of Octopus Deploy."""
    return bool(environ.get(STEP_VARIABLE))


def message(name: str, attributes: Mapping[str, str]) -> str:
    """One message; `name` is ours, the values may come from anywhere."""
    told = "".join(f" {key}='{_encoded(value)}'" for key, value in attributes.items())
    return f"##octopus[{name}{told}]"


def artifact(path: Path) -> str:
    """The message that makes a file an artifact of the deployment or runbook run."""
    whole = path.absolute()
    attributes = {"path": str(whole), "name": path.name, "length": str(whole.stat().st_size)}
    return message("createArtifact", attributes)


def progress(percentage: int, text: str) -> str:
    """The message that moves the step's progress bar; `percentage` is from 0 to 100."""
    shown = str(min(max(percentage, 0), 100))
    return message("progress", {"percentage": shown, "message": text})


def variables(run: Run) -> dict[str, str]:
    """The step's output variables: `EcrFeedAudit.Verdict`, the counts, the mode."""
    counts = run.counts
    told = {f"{PREFIX}.Verdict": run.verdict, f"{PREFIX}.Mode": run.mode}
    for word in WORST_FIRST:
        told[f"{PREFIX}.{word.title().replace(' ', '')}"] = str(counts[word])
    return told


def messages(run: Run, artefacts: Iterable[Path]) -> list[str]:
    """All messages at the end of a run: variables first, then the files that are there."""
    told = [
        message("setVariable", {"name": name, "value": value})
        for name, value in variables(run).items()
    ]
    return told + [artifact(path) for path in artefacts if path.is_file()]


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "backslashreplace")).decode("ascii")
