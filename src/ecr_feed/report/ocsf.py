"""findings.ocsf.json: the findings as OCSF Compliance Findings (class 2003), one array.

Written to OCSF 1.5.0 with its cloud profile, as https://schema.ocsf.io describes the class,
and valid in every later 1.x. Times are milliseconds since 1970. What is *not assessed* has the
status "no result", not "pass" and not "fail"; a waived finding failed, and is suppressed.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Final

from ecr_feed.findings import Finding, OutcomeWord, subject
from ecr_feed.report.groups import expected_found
from ecr_feed.report.record import FeedFacts, Rule, Run

VERSION: Final = "1.5.0"
FILE: Final = "findings.ocsf.json"
_CLASS: Final = 2003
_ACTIVITY: Final = 1  # create: a finding as this run found it
_COMPLIANCE: Final = {
    OutcomeWord.MET.value: (1, "Pass"),
    OutcomeWord.NOT_MET.value: (3, "Fail"),
    OutcomeWord.WAIVED.value: (3, "Fail"),
    OutcomeWord.NOT_ASSESSED.value: (2, "Warning"),
    OutcomeWord.NOT_APPLICABLE.value: (99, "Not applicable"),
}
_SEVERITY: Final = {
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_NEW: Final = (1, "New")
_SUPPRESSED: Final = (3, "Suppressed")
_RESOLVED: Final = (4, "Resolved")

Json = dict[str, object]


def ocsf(run: Run) -> bytes:
    """The array as UTF-8 JSON; `run` comes from `prepare`."""
    feeds = {feed.name: feed for feed in run.feeds}
    rules = {rule.id: rule for rule in run.rules}
    events = [
        _event(finding, run, feeds.get(finding.feed), rules.get(finding.check))
        for finding in run.findings
    ]
    return json.dumps(events, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def _event(finding: Finding, run: Run, feed: FeedFacts | None, rule: Rule | None) -> Json:
    severity_id, severity = _SEVERITY[finding.severity]
    status_id, status = _status(finding)
    event: Json = {
        "activity_id": _ACTIVITY,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _ACTIVITY,
        "type_name": "Compliance Finding: Create",
        "time": _millis(run.finished),
        "start_time": _millis(run.started),
        "end_time": _millis(run.finished),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": finding.message,
        "metadata": _metadata(run),
        "cloud": _cloud(feed),
        "compliance": _compliance(finding),
        "finding_info": _info(finding, run, rule),
        "resources": [_resource(finding, feed)],
        "unmapped": _unmapped(finding, run),
    }
    if finding.fix:
        event["remediation"] = {"desc": finding.fix, **_references(rule)}
    return event


def _status(finding: Finding) -> tuple[int, str]:
    if finding.outcome == OutcomeWord.WAIVED:
        return _SUPPRESSED
    settled = (OutcomeWord.MET, OutcomeWord.NOT_APPLICABLE)
    return _RESOLVED if finding.outcome in settled else _NEW


def _metadata(run: Run) -> Json:
    product: Json = {
        "name": run.suite.name,
        "version": run.suite.version,
        "vendor_name": run.suite.name,
    }
    return {
        "version": VERSION,
        "product": product,
        "profiles": ["cloud"],
        "log_name": f"ECR feed audit{f' [{run.label}]' if run.label else ''}",
    }


def _cloud(feed: FeedFacts | None) -> Json:
    cloud: Json = {"provider": "AWS"}
    if feed is not None and feed.region:
        cloud["region"] = feed.region
    if feed is not None and feed.account:
        cloud["account"] = {"uid": feed.account, "type": "AWS Account", "type_id": 10}
    return cloud


def _compliance(finding: Finding) -> Json:
    status_id, status = _COMPLIANCE[finding.outcome]
    return {
        "control": finding.check,
        "standards": ["Octopus Deploy ECR feed"],
        "status_id": status_id,
        "status": status,
        "status_code": finding.outcome,
        "status_detail": finding.message,
    }


def _info(finding: Finding, run: Run, rule: Rule | None) -> Json:
    info: Json = {
        "uid": hashlib.sha256("\0".join(subject(finding)).encode()).hexdigest(),
        "title": rule.title if rule else finding.check,
        "types": [rule.family if rule else finding.check],
        "created_time": _millis(run.finished),
    }
    if rule:
        info["desc"] = rule.why
    return info


def _resource(finding: Finding, feed: FeedFacts | None) -> Json:
    kind = "AWS ECR repository" if finding.package else "Octopus Deploy feed"
    resource: Json = {"name": finding.package or finding.feed, "type": kind}
    if feed is not None and feed.region:
        resource["region"] = feed.region
    if feed is not None and feed.partition:
        resource["cloud_partition"] = feed.partition
    if finding.package and feed is not None and feed.account and feed.partition:
        place = f"{feed.region}:{feed.account}:repository/{finding.package}"
        resource["uid"] = f"arn:{feed.partition}:ecr:{place}"
    return resource


def _unmapped(finding: Finding, run: Run) -> Json:
    expected, found = expected_found(finding)
    told = {
        "feed": finding.feed,
        "gating": finding.gating,
        "mode": run.mode,
        "test": finding.test,
        "expected": expected,
        "found": found,
    }
    return {key: value for key, value in told.items() if value != ""}


def _references(rule: Rule | None) -> Json:
    return {"references": list(rule.refs)} if rule and rule.refs else {}


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
