"""The files that are views of a run: CSV, JUnit, ready policies, and the formats asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from ecr_feed.findings import subject
from ecr_feed.report import ocsf, services
from ecr_feed.report.policies import policy_fixes
from ecr_feed.report.record import Run
from ecr_feed.report.redact import Redactor
from ecr_feed.report.results import FINDING_KEYS
from ecr_feed.report.services import GITHUB, OCSF, OCTOPUS, POLICY_FIX

# A spreadsheet runs a cell that begins so; a leading apostrophe makes it text. Some strip blanks
# before they look, and full-width forms count as well.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def findings_csv(run: Run) -> bytes:
    """The findings' columns in the order of results.json; `evidence` as JSON in one cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    compared = run.comparison
    writer.writerow([*FINDING_KEYS, *(["baseline"] if compared else [])])
    for finding in run.findings:
        row = [
            finding.check,
            finding.severity,
            "true" if finding.gating else "false",
            finding.feed,
            finding.package or "",
            finding.outcome,
            finding.message,
            json.dumps(dict(finding.evidence), ensure_ascii=False, sort_keys=True),
            finding.fix or "",
            finding.test,
        ]
        if compared:
            row.append(compared.marks.get(subject(finding)) or "")
        writer.writerow([_safe(cell) for cell in row])
    return out.getvalue().encode("utf-8")


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


_HIDDEN: Final = ("hostname",)  # of the machine that ran the audit, which no reader needs


class UnreadableJUnit(Exception):  # noqa: N818 - the name describes the file
    """pytest's junit.xml cannot be parsed."""


def junit(text: str, run: Run, redactor: Redactor) -> bytes:
    """The document to publish, in UTF-8. Raises `UnreadableJUnit`."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise UnreadableJUnit(f"pytest's junit.xml cannot be parsed: {error}") from None
    for element in root.iter():
        for name in _HIDDEN:
            element.attrib.pop(name, None)
        for name, value in element.attrib.items():
            element.attrib[name] = redactor.text(value)
        if element.text:
            element.text = redactor.text(element.text)
    for suite in root.iter("testsuite"):
        _add_properties(suite, run)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add_properties(suite: ET.Element, run: Run) -> None:
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    told = {"verdict": run.verdict, "mode": run.mode, "gate": run.gate}
    if run.assumed:
        told["assumed"] = "; ".join(run.assumed)
    for name, value in told.items():
        ET.SubElement(properties, "property", name=name, value=value)


SUMMARY: Final = "summary.md"

_FILES: Final[Mapping[str, Callable[[Run], dict[str, bytes]]]] = {
    OCSF: lambda run: {ocsf.FILE: ocsf.ocsf(run)},
    GITHUB: lambda run: {SUMMARY: services.step_summary(run).encode("utf-8")},
    OCTOPUS: lambda _: {},  # messages on standard output only
    POLICY_FIX: policy_fixes,
}


def files(run: Run, formats: Iterable[str]) -> dict[str, bytes]:
    """File name -> content of every format; the names are ours and plain."""
    made: dict[str, bytes] = {}
    for name in sorted(formats):
        made |= _FILES[name](run)
    return made
