"""What a finding may become under a fault, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ecr_feed.check import CheckInfo
from tests.faults.bench import CRASH, Bench, Finding, Findings, Judged, checks
from tests.faults.cells import Cell

MET: Final = "met"
NOT_MET: Final = "not met"
NOT_ASSESSED: Final = "not assessed"
NOT_APPLICABLE: Final = "not applicable"

INDEPENDENT: Final[Mapping[tuple[str, str], str]] = {}
"""(check, action): why the rule may be met although a read that it names is gone."""

REGISTRY: Final[Mapping[str, frozenset[str]]] = {
    "ping": frozenset({"LOGIN-1"}),
    "HEAD manifests": frozenset({"PULL-1"}),
    "GET manifests": frozenset({"PULL-4"}),
    "GET blobs": frozenset({"PULL-5"}),
    "layer": frozenset({"PULL-5"}),
    "GET tags": frozenset({"PULL-6"}),
}
"""The rules that rest on each request to the registry."""

_PERMISSIONS: Final = frozenset({f"PERM-{number}" for number in (1, 2, 3, 4, 7, 8)})
_CREDENTIALS: Final = frozenset({"IDENT-1", "REGION-2"})
_SIGN_IN: Final = frozenset(
    {"GetCallerIdentity", "GetAuthorizationToken", "AssumeRoleWithWebIdentity"}
)
_MISSING: Final = "Its repository is missing (REPO-1)."


@dataclass(frozen=True)
class Violation:
    """A finding that became what it may not become."""

    cell: str
    finding: Finding
    before: Judged
    after: Judged
    why: str

    def __str__(self) -> str:
        feed, check, package = self.finding
        where = f"{check} of {feed}{f' / {package}' if package else ''}"
        return (
            f"{self.cell}\n  {where}: {self.before.outcome} -> {self.after.outcome}"
            f" ({self.why})\n  {self.after.text}"
        )


def violations(cell: Cell, bench: Bench, after: Findings) -> Iterator[Violation]:
    """Every finding that became what it may not become."""
    infos = {info.id: info for _, info in checks()}
    for finding, said in after.items():
        before = bench.healthy[finding]
        why = _why(cell, infos[finding[1]], finding[0] in bench.callers[cell.sent], before, said)
        if why:
            yield Violation(cell.name, finding, before, said, why)


def _why(cell: Cell, info: CheckInfo, called: bool, before: Judged, after: Judged) -> str:
    """What is wrong with an outcome; "" where nothing is."""
    if after.outcome == CRASH:
        return "the check itself failed"
    if after.outcome == before.outcome:
        gone = after.outcome == MET and called and cell.gone and _rests(cell, info)
        return "met, although what it rests on is gone" if gone else ""
    if after.outcome == NOT_ASSESSED:
        return ""
    if after.outcome == MET:
        return "met because of a fault"
    if after.outcome == NOT_MET:
        return "" if _may_break(cell, info) else "not met because of a fault"
    return "" if _may_be_missing(cell, after) else "not applicable because of a fault"


def _rests(cell: Cell, info: CheckInfo) -> bool:
    if cell.sent.service == "registry":
        return info.id in REGISTRY[cell.sent.operation]
    return cell.sent.action in info.reads and (info.id, cell.sent.action) not in INDEPENDENT


def _may_break(cell: Cell, info: CheckInfo) -> bool:
    """The fault is itself the answer that breaks the rule: a refusal of the feed's own call."""
    sent = cell.sent
    if sent.service == "registry":
        return cell.kind in ("refused", "content", "headers")
    if sent.caller == "auditor":
        return False
    if cell.kind == "denied" and sent.operation != "AssumeRoleWithWebIdentity":
        return info.id in _PERMISSIONS and (sent.action in info.reads or info.id == "PERM-8")
    if cell.kind in ("credentials", "denied"):
        return info.id in _CREDENTIALS and sent.operation in _SIGN_IN
    if cell.kind == "not found":
        return info.id == "REPO-1" and sent.operation == "DescribeRepositories"
    return False


def _may_be_missing(cell: Cell, after: Judged) -> bool:
    """Not found says that there is no repository, which another rule reports."""
    described = cell.sent.operation == "DescribeRepositories"
    return cell.kind == "not found" and described and after.text == _MISSING
