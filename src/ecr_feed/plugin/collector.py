"""What a run gathers, from this process or from workers: findings, calls, facts of feeds.

Workers send builtin types only; the functions here make them and read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from ecr_feed.facts.aws import Call
from ecr_feed.findings import Finding, OutcomeWord
from ecr_feed.plugin.parametrize import feed_of
from ecr_feed.report.record import ROTATE_AFTER, FeedFacts, KeyTimes, TokenTimes


class Collector:
    """Findings by node ID; calls in order; facts and smallest policies of feeds by slug."""

    def __init__(self) -> None:
        self._findings: dict[str, Finding] = {}
        self.calls: list[Call] = []
        self.feeds: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any] | None] = {}
        self.collected: set[str] = set()
        self.deselected = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding so far."""
        return tuple(self._findings.values())

    def add(self, finding: Finding) -> None:
        """A later phase of the same test (a broken teardown) replaces the earlier outcome."""
        self._findings[finding.test] = finding

    def missing(self) -> set[str]:
        """Collected tests without a finding: the run was cut short."""
        return self.collected - set(self._findings)

    def asked(self) -> Counter[str]:
        """How many items this run was asked to judge, by the feed's slug."""
        return Counter(feed_of(nodeid) for nodeid in self.collected)

    def add_calls(self, calls: Iterable[Mapping[str, Any]]) -> None:
        """Calls as plain mappings, the form in which workers send them."""
        self.calls += [Call(**call) for call in calls]

    def unassessed(self) -> list[str]:
        """Feeds (names) with findings, none of which was judged."""
        judged = {OutcomeWord.MET, OutcomeWord.NOT_MET, OutcomeWord.WAIVED}
        feeds: dict[str, bool] = {}
        for finding in self._findings.values():
            feeds[finding.feed] = feeds.get(finding.feed, False) or finding.outcome in judged
        return sorted(name for name, assessed in feeds.items() if not assessed)


def portable(finding: Finding) -> dict[str, Any]:
    """The finding as builtin types, which is all that workers can send."""
    return {**asdict(finding), "outcome": str(finding.outcome)}


def restore(plain: Mapping[str, Any]) -> Finding:
    """The finding from what `portable` returned."""
    return Finding(**plain)


def with_facts(feed: FeedFacts, learnt: Mapping[str, Mapping[str, Any]]) -> FeedFacts:
    """The feed with what the run learnt of it; `learnt` is `Collector.feeds`."""
    known = {key: value for key, value in learnt.get(feed.slug, {}).items() if value}
    known.pop("auditor_arn", None)
    if remarks := known.pop("remarks", None):
        known["assumed"] = tuple(
            replace(each, remark=remarks.get(each.key, each.remark)) for each in feed.assumed
        )
    if times := known.pop("token", None):
        fetched, expires = map(datetime.fromisoformat, times)
        needed = None
        if feed.min_token_hours is not None:
            needed = fetched + timedelta(hours=feed.min_token_hours)
        known["token"] = TokenTimes(fetched, expires, needed)
    if keys := known.pop("keys", None):
        known["keys"] = tuple(_key(each) for each in keys if each["created_at"])
    return replace(feed, **known)


def _key(plain: Mapping[str, Any]) -> KeyTimes:
    created, used = plain["created_at"], plain["last_used_at"]
    made = datetime.fromisoformat(created)
    return KeyTimes(
        key_id=plain["key_id"],
        created_at=made,
        status=plain["status"],
        last_used_at=datetime.fromisoformat(used) if used else None,
        rotate_by=made + ROTATE_AFTER,
    )


def auditor_of(feeds: Mapping[str, Mapping[str, Any]]) -> str:
    """The ARN of the auditor; several are listed, and it is empty where none was used."""
    found = {str(learnt["auditor_arn"]) for learnt in feeds.values() if learnt.get("auditor_arn")}
    return ", ".join(sorted(found))
