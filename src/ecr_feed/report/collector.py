"""Gathers what workers and phases say of a run; the last word on a test wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ecr_feed.facts import Call
from ecr_feed.findings import Finding, OutcomeWord


class Collector:
    """Findings by node ID, calls in order, facts of feeds by slug."""

    def __init__(self) -> None:
        self._findings: dict[str, Finding] = {}
        self.calls: list[Call] = []
        self.feeds: dict[str, dict[str, Any]] = {}
        self.collected: set[str] = set()
        self.deselected = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding so far."""
        return tuple(self._findings.values())

    def add(self, finding: Finding) -> None:
        """A later phase of the same test (a broken teardown) replaces the earlier word."""
        self._findings[finding.test] = finding

    def missing(self) -> set[str]:
        """Collected tests that never got a word: the run was cut short."""
        return self.collected - set(self._findings)

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
    """The finding that `portable` made plain."""
    return Finding(**plain)
