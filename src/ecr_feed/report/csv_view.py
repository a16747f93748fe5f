"""findings.csv: RFC 4180, UTF-8, one line a finding, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from typing import Final

from ecr_feed.report.results import FINDING_KEYS
from ecr_feed.report.run import Run, subject

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
