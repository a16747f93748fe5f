"""What the build service is told that a run is a step of."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_feed.report import services
from tests.report import helpers

ACTIONS = {"GITHUB_ACTIONS": "true"}
STEP = {"OctopusCalamariWorkingDirectory": "/work"}


@pytest.mark.parametrize(
    ("formats", "environ", "kinds"),
    [
        ([], ACTIONS | STEP, set()),
        (["github"], {}, set()),
        (["octopus"], {}, set()),
        (["github"], ACTIONS, {"::error"}),
        (["octopus"], STEP, {"##octopus"}),
        (["github", "octopus"], ACTIONS | STEP, {"::error", "##octopus"}),
        (["github"], STEP, set()),
    ],
)
def test_a_service_is_spoken_to_only_where_it_listens(
    formats: list[str], environ: dict[str, str], kinds: set[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    report.touch()
    lines = services.lines(helpers.build(helpers.few()), formats, environ, [report])
    assert {line[: 7 if line.startswith("::") else 9] for line in lines} == kinds


def test_the_steps_own_files_are_added_to(tmp_path: Path) -> None:
    summary, outputs = tmp_path / "summary.md", tmp_path / "output"
    summary.write_text("before\n", encoding="utf-8")
    environ = ACTIONS | {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    services.append(helpers.build(helpers.few()), ["github"], environ)
    assert summary.read_text(encoding="utf-8").startswith("before\n## ❌ ECR feed audit")
    assert "verdict=NOT READY\n" in outputs.read_text(encoding="utf-8")
    services.append(helpers.build(()), [], environ)
    services.append(helpers.build(()), ["github"], {})
    assert outputs.read_text(encoding="utf-8").count("verdict=") == 1
