"""results.json: the record of a run for machines, of which every other format is a view."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from importlib.resources import files
from typing import Final

from ecr_feed.facts.aws import Call
from ecr_feed.findings import Comparison, Finding, WaiverUse, subject
from ecr_feed.report.groups import expected_found
from ecr_feed.report.record import (
    FeedFacts,
    KeyTimes,
    Rule,
    Run,
    TokenTimes,
    check_order,
    count,
    family_of,
)
from ecr_feed.text.times import rfc3339

SCHEMA_VERSION: Final = "2.0"
FINDING_KEYS: Final = (
    "check",
    "severity",
    "gating",
    "feed",
    "package",
    "outcome",
    "message",
    "evidence",
    "fix",
    "test",
)
"""The columns of findings.csv, and the first keys of each finding, in this order."""

Json = dict[str, object]


def results(run: Run) -> Json:
    """The run as JSON values, in the order in which it is written. `run` comes from `prepare`."""
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "mode": run.mode,
        "verdict": run.verdict,
        "suite": asdict(run.suite),
        "run": _run(run),
        "counts": run.counts,
        "auditor": run.auditor_arn or None,
        "feeds": [_feed(feed, run) for feed in run.feeds],
        "assumed": [
            {
                "feed": feed.name,
                "key": each.key,
                "values": list(each.values),
                "remark": each.remark or None,
            }
            for feed in run.feeds
            for each in feed.assumed
        ],
        "calls": [
            {"service": service, "operation": operation, "count": number}
            for service, operation, number in run.call_counts
        ],
        "findings": [_finding(finding, run.comparison) for finding in run.findings],
        "waivers": [_waiver(waiver) for waiver in run.waivers],
        "checks": [
            _rule(rule) for rule in sorted(run.rules, key=lambda rule: check_order(rule.id))
        ],
        "call_record": [_call(call) for call in run.calls],
    }
    if run.comparison is not None:
        document["baseline"] = _comparison(run.comparison)
    return document


def to_bytes(document: Mapping[str, object]) -> bytes:
    """UTF-8, two spaces deep, keys of evidence as they came, a newline at the end.

    Raises `ValueError` for NaN and the infinities, which JSON cannot write.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    return text.encode("utf-8") + b"\n"


def digest(content: bytes) -> str:
    """The sha256 in hexadecimal, as `manifest.json` and the HTML state it."""
    return hashlib.sha256(content).hexdigest()


def schema() -> Json:
    """The JSON Schema (2020-12) of results.json, as shipped."""
    text = files("ecr_feed.report").joinpath("results.schema.json").read_text("utf-8")
    loaded = json.loads(text)
    if not isinstance(loaded, dict):  # our own file: a broken installation
        raise TypeError("results.schema.json is not an object")
    return loaded


def _run(run: Run) -> Json:
    return {
        "started": rfc3339(run.started),
        "finished": rfc3339(run.finished),
        "duration_seconds": round(run.duration, 3),
        "complete": run.complete,
        "incomplete_because": run.incomplete or None,
        "source": run.source or None,
        "gate": run.gate,
        "options": dict(run.options),
        "inputs": [{"file": name, "sha256": sha} for name, sha in run.inputs.items()],
        "selection": {"collected": run.collected, "deselected": run.deselected},
        "part": None if run.part is None else asdict(run.part),
    }


def _finding(finding: Finding, comparison: Comparison | None) -> Json:
    expected, found = expected_found(finding)
    row: Json = {
        "check": finding.check,
        "severity": finding.severity,
        "gating": finding.gating,
        "feed": finding.feed,
        "package": finding.package,
        "outcome": finding.outcome,
        "message": finding.message,
        "evidence": dict(finding.evidence),
        "fix": finding.fix,
        "test": finding.test,
        "expected": expected or None,
        "found": found or None,
    }
    if comparison is not None:
        row["baseline"] = comparison.marks.get(subject(finding))
    return row


def _feed(feed: FeedFacts, run: Run) -> Json:
    mine = [finding for finding in run.findings if finding.feed == feed.name]
    families: dict[str, list[Finding]] = {}
    for finding in mine:
        families.setdefault(family_of(finding.check), []).append(finding)
    return {
        "name": feed.name,
        "slug": feed.slug,
        "kind": feed.kind,
        "region": feed.region,
        "partition": feed.partition or None,
        "account": feed.account or None,
        "endpoint_url": feed.endpoint_url or None,
        "identity": {"arn": feed.identity_arn or None, "source": feed.identity_source or None},
        "packages": feed.packages,
        "token": None if feed.token is None else _token(feed.token),
        "keys": [_key(key) for key in feed.keys],
        "policy_fix": None if feed.policy_fix is None else dict(feed.policy_fix),
        "counts": count(mine),
        "families": {name: count(found) for name, found in sorted(families.items())},
    }


def _token(token: TokenTimes) -> Json:
    return {
        "fetched_at": rfc3339(token.fetched_at),
        "expires_at": rfc3339(token.expires_at),
        "needed_until": _time(token.needed_until),
    }


def _key(key: KeyTimes) -> Json:
    return {
        "key_id": key.key_id,
        "created_at": rfc3339(key.created_at),
        "status": key.status or None,
        "last_used_at": _time(key.last_used_at),
        "rotate_by": _time(key.rotate_by),
    }


def _waiver(waiver: WaiverUse) -> Json:
    row = asdict(waiver)
    row["expires"] = _day(waiver.expires)
    return row


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "family": rule.family,
        "severity": rule.severity,
        "title": rule.title,
        "why": rule.why,
        "reads": list(rule.reads),
        "refs": list(rule.refs),
    }


def _call(call: Call) -> Json:
    return {
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "status": call.status,
        "code": call.code or None,
        "attempts": call.attempts,
        "latency_seconds": round(call.latency, 4),
        "request_id": call.request_id or None,
    }


def _comparison(comparison: Comparison) -> Json:
    marks = list(comparison.marks.values())
    return {
        "file": comparison.source,
        "finished": comparison.finished,
        "sha256": comparison.sha256,
        "new_only": comparison.new_only,
        "new": marks.count("new"),
        "known": marks.count("known"),
        "fixed": marks.count("fixed"),
        "no_longer_judged": [
            {"check": check, "feed": feed, "package": package or None}
            for check, feed, package in comparison.gone
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _day(day: date) -> str:
    return day.isoformat()
