"""GitHub Actions: a step summary in Markdown, annotations, and outputs of the step.

The service drops a summary of more than one MiB whole and shows ten errors and ten warnings a step,
so both are cut here, worst first, with a note on what is left out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Final

from ecr_feed.report.groups import Group, grouped, open_findings
from ecr_feed.report.run import WORST_FIRST, Run, count
from ecr_feed.report.stamp import span, to_second
from ecr_feed.report.text import clean_line, cut, inert

SUMMARY_LIMIT: Final = 960 * 1024  # bytes, below the service's 1,048,576
ANNOTATIONS: Final = 10  # of each kind
_CELL: Final = 600
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]#|~$@])")
_SHAPES: Final = {"READY": "✅", "NOT READY": "❌", "NOT PROVEN": "⚠️"}


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
            lines += ["", f"And {rest} more findings: see report.html among the artifacts."]
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
            commands.append(_command(kind, "ECR feed audit", f"and {rest} more: see the report."))
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
        f"## {_SHAPES[run.verdict]} ECR feed audit{label}: {run.verdict}",
        "",
        f"{counts}. Judged {to_second(run.finished)} in {span(run.duration)} by {by}.",
    ]
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


def _row(group: Group) -> str:
    names = list(group.packages[:20])
    if len(group.packages) > len(names):
        names.append(f"and {len(group.packages) - len(names)} more")
    feeds = list(group.feeds[:5])
    if len(group.feeds) > len(feeds):
        feeds.append(f"and {len(group.feeds) - len(feeds)} more feeds")
    where = ", ".join(feeds) + (f": {', '.join(names)}" if names else "")
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
