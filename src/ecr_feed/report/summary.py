"""The terminal's text: five lines at most for each fix, ten at the end, the verdict last.

Pure text with the colours that pytest's terminal knows as a mapping beside it; the caller prints.
No line can be read as a command by a build server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ecr_feed.findings import OutcomeWord, Verdict
from ecr_feed.report.groups import FixGroup, grouped, open_findings
from ecr_feed.report.record import NOT_IN_A_PLAN, WORST_FIRST, FeedFacts, Run, count
from ecr_feed.text.safe import clean_line, cut, inert
from ecr_feed.text.words import few, many

Line = tuple[str, dict[str, bool]]

GROUPS: Final = 40  # kinds of findings that are printed; the report has all of them
WIDTH: Final = 600  # characters of one line: a terminal wraps it, a log viewer does not choke on it
_COLOURS: Final = {
    OutcomeWord.NOT_MET.value: "red",
    OutcomeWord.NOT_ASSESSED.value: "yellow",
    Verdict.READY.value: "green",
    Verdict.NOT_READY.value: "red",
    Verdict.NOT_PROVEN.value: "yellow",
    Verdict.PART.value: "green",
}
_FEEDS: Final = 3
_NAMES: Final = 5


def findings(run: Run) -> Iterator[Line]:
    """What is not met or not assessed, grouped by fix, at most five lines each; worst first."""
    groups = grouped(run)
    for group in groups[:GROUPS]:
        yield from block(group)
    if len(groups) > GROUPS:
        rest = sum(len(group.members) for group in groups[GROUPS:])
        yield f"... and {many(rest, 'more finding')}: see the report.", {}


def block(group: FixGroup) -> Iterator[Line]:
    """What and where; the message; expected and found; the fix; the request id."""
    lead = group.lead
    colour = _COLOURS.get(lead.outcome)
    tags = ["does not gate"] if not lead.gating else []
    tags += [group.mark] if group.mark else []
    tail = f"  ({', '.join(tags)})" if tags else ""
    what = f"{group.shape} {lead.outcome:<12}  {lead.severity:<8}  {_checks(group):<8}"
    head = f"{what}  {_where(group)}{tail}"
    yield _safe(head), {colour: True} if colour else {}
    others = " (what was found differs: see the report)" if group.details else ""
    yield _safe(f"    {group.message}{others}"), {}
    if group.expected or group.found:
        yield _safe(f"    expected {group.expected or '-'}; found {group.found or '-'}"), {}
    if group.fix:
        yield _safe(f"    fix  {group.fix}"), {}
    if group.request_ids:
        yield _safe(f"    request id {group.request_ids[0]}"), {}


def plain(lines: Iterable[str]) -> Iterator[Line]:
    """Lines that name files and commands, without colour. They are not cut: they are copied."""
    yield from ((inert(clean_line(line)), {}) for line in lines)


def verdict(run: Run, folder: Path | None) -> list[Line]:
    """At most ten lines; the last one is the verdict, equal to the exit status.

    `folder` is where the report is; None where none was written.
    """
    assumed = f"Assumed, as stated: {'; '.join(run.assumed)}." if run.assumed else ""
    most = _FEEDS - 1 if assumed else _FEEDS
    shown = run.feeds if len(run.feeds) <= most else run.feeds[: most - 1]
    lines = [_title(run), *(_feed(feed, run) for feed in shown)]
    if len(run.feeds) > len(shown):
        lines.append(f"  and {many(len(run.feeds) - len(shown), 'more feed')}")
    lines += [NOT_IN_A_PLAN] if run.mode == "plan" else []
    lines += [line for line in (_partial(run), assumed, _compared(run), _waivers(run)) if line]
    following = _next(run)
    lines += [following] if following else []
    if folder is not None:
        lines.append(f"Report: {folder / 'report.html'}")
    return [*((_safe(line), {}) for line in lines), verdict_line(run)]


def verdict_line(run: Run) -> Line:
    """`NOT READY: 3 not met, 1 not assessed, 2 waived, 4 not applicable, 200 met`.

    Where a feed states values, `READY with 2 assumed values: ...`.
    """
    counts = run.counts
    told = ", ".join(f"{counts[word]} {word}" for word in WORST_FIRST)
    quiet = sum(not finding.gating for finding in open_findings(run.findings))
    tail = f" ({quiet} of them {'does' if quiet == 1 else 'do'} not gate)" if quiet else ""
    label = f"[{run.label}] " if run.label else ""
    colour = _COLOURS.get(run.verdict, "yellow")
    part = f"{run.part}: " if run.verdict == Verdict.PART.value else ""
    word = f"{label}{run.verdict}{run.on_assumptions}"
    return _safe(f"{word}: {part}{told}{tail}"), {colour: True, "bold": True}


def _title(run: Run) -> str:
    label = f" [{run.label}]" if run.label else ""
    feeds = many(len(run.feeds), "feed")
    attach = f" (--attach {run.options['--attach']})" if "--attach" in run.options else ""
    source = f" of {run.source}{attach}" if run.source else ""
    return (
        f"ECR feed audit{label}: {feeds}{source}, {many(len(run.calls), 'call')},"
        f" {run.suite.name} {run.suite.version}"
    )


def _feed(feed: FeedFacts, run: Run) -> str:
    counts = count([finding for finding in run.findings if finding.feed == feed.name])
    told = ", ".join(f"{counts[word]} {word}" for word in WORST_FIRST if counts[word])
    account = feed.account or "account unknown"
    return f"  {clean_line(feed.name, 120)} ({account}, {feed.region}): {told or 'nothing judged'}"


def _partial(run: Run) -> str:
    if not run.complete:
        return f"Incomplete: {run.incomplete or 'the run was cut short'}."
    if run.part is not None and run.verdict != Verdict.PART.value:
        return f"Part of a run: {run.part}."
    return ""


def _compared(run: Run) -> str:
    if run.comparison is None:
        return ""
    marks = list(run.comparison.marks.values())
    told = ", ".join(f"{marks.count(mark)} {mark}" for mark in ("new", "known", "fixed"))
    gone = f", {len(run.comparison.gone)} no longer judged" if run.comparison.gone else ""
    only = "; known ones do not fail this run (--new-only)" if run.comparison.new_only else ""
    return f"Compared with {run.comparison.source}: {told}{gone}{only}."


def _waivers(run: Run) -> str:
    if not run.waivers:
        return ""
    states = [waiver.state for waiver in run.waivers]
    told = ", ".join(
        f"{states.count(state)} {state}"
        for state in ("in force", "expired", "unused")
        if state in states
    )
    return f"Waivers: {told}."


def _next(run: Run) -> str:
    groups = grouped(run)
    if not groups:
        return ""
    first = groups[0]
    what = cut(first.fix or first.message, WIDTH // 2)
    number = f", {many(len(first.members), 'finding')}" if len(first.members) > 1 else ""
    more = f", then {len(groups) - 1} more" if len(groups) > 1 else ""
    return f"Next: {what} ({_checks(first)}{number}{more})"


def _where(group: FixGroup) -> str:
    return "  ".join(part for part in (_names(group.feeds, "feed"), _packages(group)) if part)


def _checks(group: FixGroup) -> str:
    return few(group.checks, _NAMES)


def _packages(group: FixGroup) -> str:
    return _names(group.packages, "package")


def _names(names: tuple[str, ...], kind: str) -> str:
    shown = ", ".join(clean_line(name, 120) for name in names[:_NAMES])
    return f"{many(len(names), kind)}: {shown}, ..." if len(names) > _NAMES else shown


def _safe(line: str) -> str:
    return inert(cut(clean_line(line), WIDTH))
