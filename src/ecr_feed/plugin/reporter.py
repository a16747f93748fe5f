"""The reporter: pytest hooks that gather findings, calls and facts, and publish them.

Registered only for a run that judges feeds. Workers attach what they learn to their test reports;
the one process that writes reports gathers it from there.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import pytest

from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.findings import Finding
from ecr_feed.plugin.accounts import Accounts
from ecr_feed.plugin.collector import Collector, restore
from ecr_feed.plugin.live import Live, Steps
from ecr_feed.plugin.process import safe_logs, terminate_like_interrupt
from ecr_feed.plugin.publish import INTERRUPTED, Publisher
from ecr_feed.report.record import safe_call
from ecr_feed.report.redact import Redactor
from ecr_feed.text.safe import inert
from ecr_feed.triage import Triage

FINDING: Final = "ecr_finding"
CALLS: Final = "ecr_calls"
_WORKER: Final = "ecr_feed"
NAME: Final = "ecr-feed-reporter"
REPORTER = pytest.StashKey["Reporter"]()


def reporter_of(config: pytest.Config) -> Reporter:
    """The reporter of a run that judges feeds; KeyError in any other."""
    return config.stash[REPORTER]


def register(config: pytest.Config, reporter: Reporter) -> None:
    """Start reporting: called once, in `pytest_configure`, for a run that judges feeds."""
    config.stash[REPORTER] = reporter
    config.pluginmanager.register(reporter, NAME)
    config.add_cleanup(safe_logs(reporter.safe_block))
    # Both would show arguments as they are: of an interrupted read, of every hook.
    config.option.fulltrace = False
    if config.option.debug:
        config.trace("ecr-feed: no further trace, the arguments of hooks may hold secrets")
        config.trace.root.setwriter(None)
    if not hasattr(config, "workerinput"):  # a worker ends with its controller
        config.add_cleanup(terminate_like_interrupt())


class Reporter:
    """One per process. `publisher` is None on workers and where nothing is to be written.

    `log` has the calls that this process makes, `accounts` the facts that it reads. `policies` is
    what `--write-policy` asks for at the end of a run that was not interrupted.
    """

    def __init__(
        self,
        *,
        redactor: Redactor,
        triage: Triage,
        log: CallLog,
        accounts: Accounts,
        live: Live,
        publisher: Publisher | None,
        policies: bool = False,
    ) -> None:
        self.redactor = redactor
        self.collector = Collector()
        self._triage = triage
        self._log = log
        self._accounts = accounts
        self._live = live
        self._publisher = publisher
        self._policies = policies
        self._page: Any = None
        self._steps = Steps()

    def safe_block(self, text: str) -> str:
        """A text for a log or a terminal: no secrets, and no command to a build server."""
        return inert(self.redactor.block(text))

    # For plugin/outcomes.py.

    def judged(self, finding: Finding) -> Finding:
        """The finding after waivers and baseline, redacted."""
        return self.redactor.finding(self._triage(finding))

    def leave(self, report: pytest.TestReport) -> None:
        """Attach the calls made since the last report: those of a worker that dies are not lost."""
        calls = self._calls()
        if calls:
            setattr(report, CALLS, calls)

    def _calls(self) -> list[dict[str, Any]]:
        return [asdict(safe_call(call, self.redactor)) for call in self._log.drain()]

    def _facts(self, *, interrupted: bool) -> dict[str, dict[str, Any]]:
        facts: Any = self.redactor.scrub(self._accounts.facts(interrupted=interrupted))
        return dict(facts)

    # Hooks: progress on the terminal.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """From here on this test may read: progress is shown."""
        self._live.begin(str(dict(item.user_properties).get("feed", "")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """A warning may quote a secret: redact it."""
        text = str(warning_message.message)
        safe = self.safe_block(text)
        if safe != text:
            warning_message.message = UserWarning(safe)

    def _show_progress(self, report: pytest.TestReport) -> None:
        if report.when != "setup" or not report.passed:
            self._live.end(report.nodeid)
        if report.when == "teardown" and self._publisher is not None:
            message = self._publisher.step(self._steps, len(self.collector.collected))
            if message is not None:
                self._live.say(message)

    # Hooks: gathering.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather; the test of a crashed worker has no finding, so it gets one."""
        self._show_progress(report)
        self._make_safe(report)
        self.collector.add_calls(getattr(report, CALLS, ()))
        plain = getattr(report, FINDING, None)
        if plain is not None:
            self.collector.add(restore(plain))
        elif report.when not in ("setup", "call", "teardown") and self._publisher is not None:
            self.collector.add(self._publisher.crashed(report.nodeid))

    def _make_safe(self, report: pytest.TestReport) -> None:
        """Redact the report before any other plugin prints or stores it."""
        report.sections = [(name, self.safe_block(text)) for name, text in report.sections]
        if isinstance(report.longrepr, str):
            report.longrepr = self._safe_line(report.longrepr)
        elif isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, self._safe_line(reason))
        if hasattr(report, "wasxfail"):
            report.wasxfail = self._safe_line(report.wasxfail)

    def _safe_line(self, text: str) -> str:
        return inert(self.redactor.line(text))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What is to be judged, without workers."""
        self.collector.collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """What is to be judged, as a worker collected it."""
        self.collector.collected.update(ids)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """How many items this run leaves out."""
        self.collector.deselected += len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker gathered."""
        left: Mapping[str, Any] = getattr(node, "workeroutput", {}).get(_WORKER, {})
        self.collector.feeds.update(left.get("feeds", {}))
        self.collector.policies.update(left.get("policies", {}))
        self.collector.add_calls(left.get("calls", ()))
        self.collector.deselected = max(self.collector.deselected, left.get("deselected", 0))

    # Hooks: publishing.

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, None, None]:
        """Settle the verdict before pytest-html writes, move the artefacts after it has."""
        try:
            late = self._last_facts(interrupted=exitstatus == INTERRUPTED)
        finally:
            self._accounts.close()
        worker = getattr(session.config, "workeroutput", None)
        if worker is not None:
            worker[_WORKER] = {
                "feeds": self.collector.feeds,
                "policies": self.collector.policies,
                "calls": late,
                "deselected": self.collector.deselected,
            }
        if self._publisher is None:
            return (yield)
        session.exitstatus = self._publisher.settle(self.collector, int(session.exitstatus))
        try:
            yield  # pytest-html and JUnit write their files, perhaps on a disk that is full
            session.exitstatus = self._publisher.publish(self.collector, int(session.exitstatus))
        except (OSError, KeyboardInterrupt) as error:
            session.exitstatus = self._publisher.give_up(error, int(session.exitstatus))

    def _last_facts(self, *, interrupted: bool) -> list[dict[str, Any]]:
        """Gather what this process knows at the end; returns its calls since the last report."""
        if self._policies and not interrupted:
            self.collector.policies.update(self._accounts.smallest_policies())
        self.collector.feeds.update(self._facts(interrupted=interrupted))
        late = self._calls()
        self.collector.add_calls(late)
        return late

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, None, None]:
        """Findings first; then the lines of other plugins, with the report folder in them."""
        if self._publisher is None:
            return (yield)
        write_sep = terminalreporter.write_sep
        place = self._publisher.final_place

        def renamed(sep: str, title: str | None = None, **markup: bool) -> None:
            write_sep(sep, title if title is None else place(title), **markup)

        for line, markup in self._publisher.terminal():
            terminalreporter.write_line(line, **markup)
        terminalreporter.write_sep = renamed
        try:
            yield
        finally:
            terminalreporter.write_sep = write_sep
        for line, markup in self._publisher.verdict_lines():
            terminalreporter.write_line(line, **markup)

    # Hooks: pytest-html.

    @pytest.hookimpl(optionalhook=True)
    def pytest_metadata(self, metadata: dict[str, Any]) -> None:
        """Leave this machine's environment out: reports are filed and sent."""
        metadata.clear()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """The page's title."""
        self._page = report
        if self._publisher is not None:
            report.title = self._publisher.title()
            self._publisher.rows.collected = len(self.collector.collected)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Everything an auditor needs, as one static fragment above pytest-html's own table."""
        if self._publisher is not None:
            self._publisher.rows.restore(self._page.outcomes)
            prefix.append(self._publisher.fragment())

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """A column for our outcome."""
        if self._publisher is not None:
            self._publisher.rows.header(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: list[str]) -> None:
        """pytest-html does not escape test IDs; we do."""
        if self._publisher is not None:
            self._publisher.rows.collected = len(self.collector.collected)
            word = getattr(report, FINDING, {}).get("outcome", "")
            self._publisher.row(report, word, cells)
