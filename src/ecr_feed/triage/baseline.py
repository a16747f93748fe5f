"""An earlier results.json to compare with: what is new, what was known, what is fixed.

*Known* is a finding that was open in the same way before (not met and still not met, not assessed
and still not assessed); *new* is every other open one, so that an expired waiver, or a rule that
can no longer be judged, is never hidden; *fixed* was open and is met now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ecr_feed.config import ConfigError
from ecr_feed.config.read import read
from ecr_feed.config.wording import quote, show
from ecr_feed.findings import WORDS, Comparison, Finding, OutcomeWord
from ecr_feed.text.files import BASELINE, Files
from ecr_feed.text.safe import clean_line

READABLE: Final = ("1", "2")
"""Major versions of results.json that a comparison can read."""

NEW: Final = "new"
KNOWN: Final = "known"
FIXED: Final = "fixed"
_OPEN: Final = (OutcomeWord.NOT_MET.value, OutcomeWord.NOT_ASSESSED.value)

Subject = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier run. `open` has the outcome of each subject that was not met or not assessed."""

    source: str
    sha256: str
    finished: str
    mode: str
    open: Mapping[Subject, str] = field(default_factory=dict)

    def mark(self, finding: Finding) -> str | None:
        """`new`, `known`, `fixed`, or None for a finding that neither was nor is open."""
        before = self.open.get(_subject(finding))
        if finding.outcome in _OPEN:
            return KNOWN if before == finding.outcome else NEW
        return FIXED if before and finding.outcome == OutcomeWord.MET else None

    def new_only(self, finding: Finding) -> Finding:
        """The finding as `--new-only` counts it: a known one does not gate."""
        if finding.gating and self.mark(finding) == KNOWN:
            return replace(finding, gating=False)
        return finding

    def compare(self, findings: Iterable[Finding], *, new_only: bool = False) -> Comparison:
        """The marks of a whole run, and what was open but has no finding in it."""
        found = list(findings)
        marks = {_subject(f): mark for f in found if (mark := self.mark(f)) is not None}
        judged = {_subject(finding) for finding in found}
        gone = tuple(sorted(subject for subject in self.open if subject not in judged))
        return Comparison(self.source, self.finished, self.sha256, marks, gone, new_only)


def load(name: str | Path, *, mode: str = "", files: Files | None = None) -> Baseline:
    """Read an earlier results.json; `mode` is this run's, which the baseline's must equal.

    Raises ConfigError, one paragraph that says what is wrong with the file.
    """
    file, text = read(name, BASELINE, files)
    source = file.source
    document = _document(text, source)
    found_mode = document.get("mode")
    if mode and found_mode != mode:
        raise ConfigError(
            f"{source}: mode: found {show(found_mode)}, expected {quote(mode)}: a baseline is an"
            " earlier run of the same kind."
        )
    run = document.get("run")
    finished = run.get("finished") if isinstance(run, dict) else None
    return Baseline(
        source=source,
        sha256=file.sha256,
        finished=clean_line(str(finished or "an unknown time"), 60),
        mode=str(found_mode),
        open=_open(document, source),
    )


def _document(text: str, source: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"{source}: not JSON: expected an earlier results.json.") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(version, str):
        raise ConfigError(f"{source}: it has no schema_version: expected an earlier results.json.")
    if version.partition(".")[0] not in READABLE:
        raise ConfigError(
            f"{source}: schema_version: found {quote(version)}, expected {' or '.join(READABLE)}:"
            " it was written by another version of this tool."
        )
    return document


def _open(document: Mapping[str, object], source: str) -> dict[Subject, str]:
    findings = document.get("findings")
    if not isinstance(findings, list):
        raise ConfigError(f"{source}: findings: found {show(findings)}, expected a list.")
    outcomes: dict[Subject, str] = {}
    for number, row in enumerate(findings, 1):
        subject, outcome = _row(row, f"{source}: findings[{number}]")
        if outcome in _OPEN:
            # The same subject twice (the same package under two tags): the worse outcome is kept.
            outcomes[subject] = min(outcomes.get(subject, outcome), outcome, key=_OPEN.index)
    return outcomes


def _row(row: object, where: str) -> tuple[Subject, str]:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: found {show(row)}, expected a finding.")
    check, feed, package = row.get("check"), row.get("feed"), row.get("package")
    outcome = row.get("outcome")
    if not isinstance(check, str) or not isinstance(feed, str):
        raise ConfigError(f"{where}: expected the texts check and feed.")
    if package is not None and not isinstance(package, str):
        raise ConfigError(f"{where}.package: found {show(package)}, expected a text or null.")
    if not isinstance(outcome, str) or outcome not in WORDS:
        raise ConfigError(f"{where}.outcome: found {show(outcome)}, expected {', '.join(WORDS)}.")
    return (check, feed, package or ""), outcome


def _subject(finding: Finding) -> Subject:
    """As results.json writes it: control characters in names are spelled out there."""
    return (finding.check, clean_line(finding.feed), clean_line(finding.package or ""))
