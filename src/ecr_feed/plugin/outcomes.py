"""Translates an item's result into the five outcome words, before pytest makes its report.

Only `expect` makes "not met". A fact that could not be read, a bug in this suite and a bare
`assert` are "not assessed". Findings that do not gate, or are waived, are still reported in full;
pytest shows them as xfailed.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from ecr_feed.check import CheckInfo, info_of, render_fix
from ecr_feed.facts.aws import ReadError
from ecr_feed.findings import Finding, OutcomeWord
from ecr_feed.outcomes import NotApplicable, NotAssessed, NotMet, collecting_evidence
from ecr_feed.plugin.collector import portable
from ecr_feed.plugin.reporter import FINDING, reporter_of
from ecr_feed.plugin.selection import selection
from ecr_feed.read_advice import fix_for

_EVIDENCE = pytest.StashKey[dict[str, object]]()


@dataclass(frozen=True, slots=True)
class PhaseOutcome:
    """The outcome of one phase (setup, call, teardown), its message, and the check's own fix."""

    outcome: OutcomeWord
    text: str
    fix: str | None = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep with the item the evidence that fixtures and the check note."""
    with collecting_evidence() as evidence:
        item.stash[_EVIDENCE] = evidence
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Translate, let pytest make its report, then attach the finding."""
    info, chosen = info_of(getattr(item, "function", None)), selection(item.config)
    if info is None or chosen is None:
        return (yield)
    word = _word(call)
    if word is not None and call.excinfo is not None:
        call.excinfo = _plain(word)
        if word.outcome is OutcomeWord.NOT_ASSESSED and call.when == "call":
            call.when = "setup"  # pytest's "error", not its "failed"
    report = yield
    if word is not None:
        _attach(report, item, info, word)
    reporter_of(item.config).leave(report)
    return report


def _word(call: pytest.CallInfo[None]) -> PhaseOutcome | None:
    """The outcome of this phase; None where it has none."""
    error = call.excinfo.value if call.excinfo is not None else None
    match error:
        case None:
            return PhaseOutcome(OutcomeWord.MET, "") if call.when == "call" else None
        case NotMet():
            return PhaseOutcome(OutcomeWord.NOT_MET, error.message, error.fix)
        case NotApplicable():
            return PhaseOutcome(OutcomeWord.NOT_APPLICABLE, str(error))
        case pytest.skip.Exception():
            return PhaseOutcome(OutcomeWord.NOT_APPLICABLE, str(error.msg))
        case ReadError():
            return PhaseOutcome(
                OutcomeWord.NOT_ASSESSED, error.failure.summary, fix_for(error.failure)
            )
        case NotAssessed():
            return PhaseOutcome(OutcomeWord.NOT_ASSESSED, str(error), error.fix)
        case _:
            return PhaseOutcome(OutcomeWord.NOT_ASSESSED, _own_failure(error))


def _own_failure(error: BaseException) -> str:
    """A bug in this suite: where it happened, without the values that it may quote."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {_short(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"The check itself failed: {type(error).__name__}{where}."


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def _plain(word: PhaseOutcome) -> pytest.ExceptionInfo[BaseException]:
    """An exception with a fresh traceback of one frame: no locals to show at any verbosity."""
    skips = word.outcome is OutcomeWord.NOT_APPLICABLE
    try:
        (pytest.skip if skips else partial(pytest.fail, pytrace=False))(word.text)
    except (pytest.skip.Exception, pytest.fail.Exception):
        return pytest.ExceptionInfo.from_current()


def _attach(
    report: pytest.TestReport, item: pytest.Item, info: CheckInfo, word: PhaseOutcome
) -> None:
    reporter = reporter_of(item.config)
    finding = reporter.judged(_finding(item, info, word))
    if word.outcome in (OutcomeWord.NOT_MET, OutcomeWord.NOT_ASSESSED):
        report.longrepr = finding.message
        if not finding.fails_the_run:
            report.outcome = "skipped"
            report.wasxfail = f"{finding.outcome}: {finding.message}"
    item.user_properties.append(("outcome", str(finding.outcome)))
    report.user_properties.append(("outcome", str(finding.outcome)))
    setattr(report, FINDING, portable(finding))


def _finding(item: pytest.Item, info: CheckInfo, word: PhaseOutcome) -> Finding:
    parameters: dict[str, Any] = item.callspec.params  # type: ignore[attr-defined] # parametrized: see fixtures.feeds
    chosen = selection(item.config)
    failed = word.outcome is OutcomeWord.NOT_MET
    evidence: dict[str, object] = item.stash[_EVIDENCE]
    return Finding(
        check=info.id,
        severity=info.severity.word,
        gating=chosen is not None and info.severity >= chosen.gate,
        feed=parameters[info.subject].name,
        package=parameters.get("package"),
        outcome=word.outcome,
        message=word.text or info.title,
        evidence=evidence,
        fix=word.fix or (render_fix(info.fix, parameters) if failed else None),
        test=item.nodeid,
    )
