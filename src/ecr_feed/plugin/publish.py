"""Settles the verdict of a run from what was gathered, then writes every artefact."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from ecr_feed.config import ConfigError
from ecr_feed.findings import Finding, Verdict, verdict
from ecr_feed.plugin.collector import Collector, auditor_of, with_facts
from ecr_feed.plugin.live import Steps
from ecr_feed.plugin.policy_files import PolicyFiles
from ecr_feed.report import html, services, summary, views
from ecr_feed.report.artefacts import ReportFolderError, write_all
from ecr_feed.report.policies import lines, with_files
from ecr_feed.report.pytest_html import Rows, UnknownPage, counted_as, word_of
from ecr_feed.report.record import (
    FeedFacts,
    Part,
    Rule,
    Run,
    SuiteFacts,
    prepare,
)
from ecr_feed.report.redact import Redactor
from ecr_feed.report.results import digest, results, to_bytes
from ecr_feed.report.views import UnreadableJUnit, findings_csv, junit
from ecr_feed.text.words import many
from ecr_feed.triage import Triage

INTERRUPTED = 2  # pytest's own exit status
_PUBLISHABLE = (0, 1, INTERRUPTED, 5)  # pytest's exit statuses after which findings mean something


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a run before it begins; pytest-html and JUnit write to `staging`.

    `formats` are those of `services.FORMATS` that were asked for; `environ` tells which service a
    run is inside of.
    """

    mode: str
    source: str
    gate: str
    folder: Path
    staging: Path
    suite: SuiteFacts
    feeds: tuple[FeedFacts, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    triage: Triage = field(default_factory=Triage)
    formats: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    unknown: tuple[str, ...] = ()  # what a plan leaves open until it is applied
    policies: PolicyFiles | None = None


class Publisher:
    """Writes the reports. Workers have none.

    `items` counts the items of a whole run, by the feed's slug; `crashed` makes the finding of a
    test whose worker died.
    """

    def __init__(
        self,
        setting: Setting,
        redactor: Redactor,
        *,
        rules: Callable[[], tuple[Rule, ...]],
        items: Callable[[], Mapping[str, int]],
        crashed: Callable[[str], Finding],
    ) -> None:
        self._setting = setting
        self._redactor = redactor
        self._rules = rules
        self._items = items
        self.crashed = crashed
        self._started = datetime.now(UTC)
        self._clock = monotonic()
        self._run: Run | None = None
        self._results = b""
        self._trouble = ""
        self._written: tuple[Path, ...] = ()
        self._said: list[str] = []
        self._formats = services.wanted(setting.formats, setting.environ)
        self.rows = Rows()

    def settle(self, collector: Collector, status: int) -> int:
        """Judge the run as a whole; returns the exit status that says the same as the verdict."""
        if status not in _PUBLISHABLE or not collector.collected:
            return status
        findings, unassessed = collector.findings, collector.unassessed()
        incomplete = _incomplete(collector, status, unassessed)
        complete = not collector.missing() and not self._setting.unknown
        part = self._part(collector)
        word = verdict(
            findings, unassessed_feeds=len(unassessed), complete=complete, whole=part is None
        )
        if self._setting.unknown and not incomplete:
            said = "; ".join(each.rstrip(".") for each in self._setting.unknown)
            incomplete = f"unknown until the plan is applied: {said}"
        passed = word in (Verdict.READY, Verdict.PART)
        if passed and status == 1:
            word, incomplete = Verdict.NOT_PROVEN, "a test that is not a check failed"
        self._run = self._assemble(collector, word, incomplete, part)
        self._results = to_bytes(results(self._run))
        return 1 if status == 0 and not passed else status

    def _part(self, collector: Collector) -> Part | None:
        """What of the whole this run was asked to judge; None where that is everything."""
        items = self._items()
        asked = collector.asked()
        of, run = sum(items.values()), sum(min(asked[slug], items[slug]) for slug in items)
        if run == of:
            return None
        names = (feed.name for feed in self._setting.feeds if not asked[feed.slug])
        return Part(run=run, of=of, feeds_not_judged=tuple(names))

    def _assemble(
        self, collector: Collector, word: Verdict, incomplete: str, part: Part | None
    ) -> Run:
        setting = self._setting
        return prepare(
            Run(
                mode=setting.mode,
                verdict=word.value,
                suite=setting.suite,
                started=self._started,
                finished=datetime.now(UTC),
                duration=round(monotonic() - self._clock, 3),
                findings=collector.findings,
                waivers=setting.triage.uses(collector.findings),
                comparison=setting.triage.comparison(collector.findings),
                feeds=tuple(self._facts_of(feed, collector) for feed in setting.feeds),
                calls=tuple(collector.calls),
                rules=self._rules(),
                auditor_arn=auditor_of(collector.feeds),
                source=setting.source,
                gate=setting.gate,
                options=setting.options,
                inputs=setting.inputs,
                collected=len(collector.collected),
                deselected=collector.deselected,
                part=part,
                complete=not incomplete,
                incomplete=incomplete,
            ),
            self._redactor,
        )

    def _facts_of(self, feed: FeedFacts, collector: Collector) -> FeedFacts:
        known = with_facts(feed, collector.feeds)
        return with_files(known) if services.POLICY_FIX in self._formats else known

    def publish(self, collector: Collector, status: int) -> int:
        """Write every artefact; returns 1 where that failed and the run had succeeded."""
        try:
            if self._setting.policies is not None:
                self._said += self._write_policies(self._setting.policies, collector)
            if self._run is not None:
                self._write(self._run)
        except (ConfigError, ReportFolderError, UnknownPage, UnreadableJUnit) as error:
            self._trouble = str(error)
            return status or 1
        except OSError as error:
            name = error.filename or "The step's own files"
            self._trouble = f"{name} cannot be written: {error.strerror}."
            return status or 1
        finally:
            shutil.rmtree(self._setting.staging, ignore_errors=True)
        return status

    def give_up(self, error: OSError | KeyboardInterrupt, status: int) -> int:
        """Writing was interrupted or failed; no file is half written. Returns as `publish`."""
        shutil.rmtree(self._setting.staging, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):
            self._trouble = (
                "Interrupted while the report was written: the folder holds the earlier one, or"
                " all of this one."
            )
            return INTERRUPTED
        reason = error.strerror or type(error).__name__
        self._trouble = (
            f"The reports cannot be written to {str(self._setting.staging.parent)!r}: {reason}."
            " Make room there, or name another folder with TMPDIR."
        )
        return status or 1

    def _write_policies(self, files: PolicyFiles, collector: Collector) -> Iterator[str]:
        """Write what `--write-policy` asks for; yields what the terminal says of it."""
        policies = {slug: policy for slug, policy in collector.policies.items() if policy}
        written = files.write(policies)
        for feed in self._setting.feeds:
            if feed.slug in policies:
                paths = [shown(path) for path in written.files[feed.slug]]
                yield from lines(feed.name, policies[feed.slug], paths, needed=True)
            elif feed.slug in collector.policies:
                yield f"No policy was written for {feed.name}: see its findings."
        yield f"wrote {shown(files.auditor)} (the auditor's policy)"
        yield from (f"removed {shown(path)} (of an earlier run)" for path in written.removed)

    def _write(self, run: Run) -> None:
        folder, artefacts = self._setting.folder, self._artefacts(run)
        manifest = write_all(folder, artefacts)
        self._written = (*(folder / name for name in artefacts), manifest)
        services.append(run, self._formats, self._setting.environ)
        for feed in run.feeds:
            if feed.policy_fix and feed.policy_fix["files"]:
                files = [shown(folder / name) for name in feed.policy_fix["files"]]
                self._said += lines(feed.name, feed.policy_fix, files, needed=False)

    def _artefacts(self, run: Run) -> dict[str, bytes]:
        made: dict[str, bytes] = {}
        page, suite = self._setting.staging / "report.html", self._setting.staging / "junit.xml"
        if page.is_file():
            text = html.finish(page.read_text(encoding="utf-8"), run, self.rows.note)
            made[page.name] = self._redactor.known(text).encode()
        if suite.is_file():
            made[suite.name] = junit(suite.read_text(encoding="utf-8"), run, self._redactor)
        return {
            **made,
            "results.json": self._results,
            "findings.csv": findings_csv(run),
            **views.files(run, self._formats),
        }

    # What the terminal shows.

    def step(self, steps: Steps, total: int) -> str | None:
        """A check of `total` is done; returns what to print inside a step of Octopus, or None."""
        said = steps.done(total)
        return said if services.shows_progress(self._formats, self._setting.environ) else None

    def terminal(self) -> Iterator[summary.Line]:
        """The findings, five lines at most for each fix, before pytest's own summary."""
        if self._run is not None:
            yield from summary.findings(self._run)

    def verdict_lines(self) -> Iterator[summary.Line]:
        """The last lines before pytest's summary line: commands to a build service, then ours."""
        yield from summary.plain(map(self._redactor.line, self._said))
        if self._trouble:
            yield self._trouble, {"red": True}
        if self._run is not None:
            setting = self._setting
            for line in services.lines(self._run, self._formats, setting.environ, self._written):
                yield line, {}
            yield from summary.verdict(self._run, None if self._trouble else setting.folder)

    def final_place(self, text: str) -> str:
        """The text with the report folder in place of the staging folder."""
        return text.replace(str(self._setting.staging), str(self._setting.folder))

    # For pytest-html.

    def title(self) -> str:
        """The page's title."""
        return html.title(self._setting.mode)

    def fragment(self) -> str:
        """The static part of the page: everything that an auditor needs."""
        return "" if self._run is None else html.fragment(self._run, digest(self._results))

    def row(self, report: Any, word: str, cells: list[str]) -> None:
        """One row of pytest-html's table."""
        expected = hasattr(report, "wasxfail")
        outcome = counted_as(report.when, report.outcome, expected=expected)
        self.rows.row(
            cells,
            nodeid=report.nodeid,
            when=report.when,
            outcome=outcome,
            word=word or word_of(outcome),
        )


def _incomplete(collector: Collector, status: int, unassessed: list[str]) -> str:
    if status == INTERRUPTED:
        return "the run was interrupted"
    if missing := collector.missing():
        return f"{len(missing)} of {many(len(collector.collected), 'rule')} not run"
    if unassessed:
        return f"nothing was assessed of {', '.join(unassessed)}"
    return ""


def shown(path: Path) -> str:
    """The path as a person types it here: relative to the working directory where it is below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(path)
