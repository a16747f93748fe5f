"""What a run tells the build service that it is a step of: Octopus Deploy, GitHub Actions."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ecr_feed.report.groups import FixGroup, grouped, open_findings
from ecr_feed.report.record import WORST_FIRST, Run, count
from ecr_feed.text.safe import clean_line, cut, inert
from ecr_feed.text.times import elapsed, to_second
from ecr_feed.text.words import few, many

OCSF: Final = "ocsf"
GITHUB: Final = "github"
OCTOPUS: Final = "octopus"
POLICY_FIX: Final = "policy-fix"
FORMATS: Final = (OCSF, GITHUB, OCTOPUS, POLICY_FIX)
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


SUMMARY_LIMIT: Final = 960 * 1024  # bytes, below the service's 1,048,576
ANNOTATIONS: Final = 10  # of each kind
_CELL: Final = 600
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]#|~$@])")
_SHAPES: Final = {"READY": "✅", "NOT READY": "❌", "NOT PROVEN": "⚠️", "PART": "◐"}


def inside_actions(environ: Mapping[str, str]) -> bool:
    """Whether this process is a step of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def step_summary(run: Run) -> str:
    """Markdown to append to `$GITHUB_STEP_SUMMARY`, at most `SUMMARY_LIMIT` bytes."""
    lines = [*_head(run), *_feeds(run)]
    groups = grouped(run)
    if groups:
        lines += ["", "### Fix first", ""]
        lines += ["| | Severity | Check | Where | What | Fix |", "|---|---|---|---|---|---|"]
    size = sum(len(line.encode()) + 1 for line in lines)
    for at, group in enumerate(groups):
        row = _row(group)
        size += len(row.encode()) + 1
        if size > SUMMARY_LIMIT:
            rest = sum(len(left.members) for left in groups[at:])
            more = many(rest, "more finding")
            lines += ["", f"And {more}: see report.html among the artifacts."]
            break
        lines.append(row)
    return "\n".join([*lines, ""])


def workflow_commands(run: Run) -> list[str]:
    """Workflow commands for stdout, ten errors and ten warnings at most, the worst first.

    Findings that fail the run are errors; other open findings are warnings.
    """
    found = open_findings(run.findings)
    failing = [finding for finding in found if finding.fails_the_run]
    quiet = [finding for finding in found if not finding.fails_the_run]
    commands: list[str] = []
    for kind, findings in (("error", failing), ("warning", quiet)):
        shown = findings if len(findings) <= ANNOTATIONS else findings[: ANNOTATIONS - 1]
        for finding in shown:
            subject = " ".join(part for part in (finding.feed, finding.package) if part)
            title = f"{finding.check} {finding.outcome}: {subject}"
            fix = f"\nFix: {finding.fix}" if finding.fix else ""
            commands.append(_command(kind, title, f"{finding.message}{fix}"))
        if len(findings) > len(shown):
            rest = len(findings) - len(shown)
            commands.append(_command(kind, "ECR feed audit", f"and {rest:,} more: see the report."))
    return commands


def outputs(run: Run) -> str:
    """`name=value` lines to append to `$GITHUB_OUTPUT`."""
    counts = run.counts
    lines = [f"verdict={run.verdict}", f"mode={run.mode}"]
    lines += [f"{word.replace(' ', '_')}={counts[word]}" for word in WORST_FIRST]
    return "\n".join(lines) + "\n"


def _head(run: Run) -> list[str]:
    label = f" \\[{run.label}\\]" if run.label else ""
    counts = ", ".join(f"{run.counts[word]} {word}" for word in WORST_FIRST)
    by = f"{_text(run.suite.name)} {_text(run.suite.version)}"
    lines = [
        f"## {_SHAPES[run.verdict]} ECR feed audit{label}: {run.verdict}{run.on_assumptions}",
        "",
        f"{counts}. Judged {to_second(run.finished)} in {elapsed(run.duration)} by {by}.",
    ]
    if run.part is not None:
        lines += ["", f"**Part of a run**: {_text(str(run.part))}."]
    if run.assumed:
        lines += ["", f"**Assumed, as stated**: {_text('; '.join(run.assumed))}."]
    if not run.complete:
        lines += ["", f"**Incomplete**: {_text(run.incomplete or 'the run was cut short')}."]
    if run.comparison is not None and run.comparison.new_only:
        lines += ["", f"Known findings of {_text(run.comparison.source)} do not fail this run."]
    return lines


def _feeds(run: Run) -> list[str]:
    if not run.feeds:
        return []
    lines = ["", "| Feed | Account | Region | Outcomes |", "|---|---|---|---|"]
    for feed in run.feeds[:200]:
        counts = count([finding for finding in run.findings if finding.feed == feed.name])
        told = ", ".join(f"{counts[word]} {word}" for word in WORST_FIRST if counts[word])
        cells = (feed.name, feed.account or "unknown", feed.region, told or "nothing judged")
        lines.append(f"| {' | '.join(_text(cell) for cell in cells)} |")
    return lines


def _row(group: FixGroup) -> str:
    where = few(group.feeds, 5) + (f": {few(group.packages, 20)}" if group.packages else "")
    lead = group.lead
    cells = (
        f"{group.shape} {lead.outcome}",
        lead.severity,
        ", ".join(group.checks),
        where,
        group.message,
        group.fix,
    )
    return f"| {' | '.join(_text(cell) for cell in cells)} |"


def _text(text: str) -> str:
    """Text as Markdown shows it: no markup of its own, no mention, no table cell."""
    safe = html.escape(cut(clean_line(text), _CELL), quote=False)
    return _MARKDOWN.sub(r"\\\1", safe)


def _command(kind: str, title: str, message: str) -> str:
    title, message = inert(cut(clean_line(title), 200)), inert(cut(message, 2_000))
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def wanted(named: Iterable[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The formats asked for, and those of the service that this process runs inside."""
    found = set(named)
    if inside_actions(environ):
        found.add(GITHUB)
    if inside_step(environ):
        found.add(OCTOPUS)
    return frozenset(found)


_APPENDED: Final = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")


def lines(
    run: Run, formats: Iterable[str], environ: Mapping[str, str], files: Iterable[Path]
) -> list[str]:
    """Lines for standard output, each a command to the service that reads it.

    They are printed only inside that service: elsewhere they would be noise in a log.
    """
    wanted = set(formats)
    told: list[str] = []
    if GITHUB in wanted and inside_actions(environ):
        told += workflow_commands(run)
    if OCTOPUS in wanted and inside_step(environ):
        told += messages(run, files)
    return told


def append(run: Run, formats: Iterable[str], environ: Mapping[str, str]) -> None:
    """Adds to the files that GitHub Actions named for the step; raises `OSError`."""
    if GITHUB not in set(formats) or not inside_actions(environ):
        return
    contents = (step_summary(run), outputs(run))
    for name, content in zip(_APPENDED, contents, strict=True):
        if environ.get(name):
            with Path(environ[name]).open("a", encoding="utf-8") as file:
                file.write(content)


def shows_progress(formats: Iterable[str], environ: Mapping[str, str]) -> bool:
    """Whether messages printed meanwhile move a progress bar: inside a step of Octopus."""
    return OCTOPUS in set(formats) and inside_step(environ)
