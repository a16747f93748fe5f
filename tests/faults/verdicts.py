"""What a finding may become under a fault, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from ecr_feed.check import CheckInfo
from ecr_feed.facts.aws import ReadError
from tests.faults.bench import CRASH, Bench, Finding, Findings, Judged, checks
from tests.faults.cells import LOST, Cell

MET: Final = "met"
NOT_MET: Final = "not met"
NOT_ASSESSED: Final = "not assessed"
NOT_APPLICABLE: Final = "not applicable"

_PULLED: Final = "the registry itself is read"
_LAST_USE: Final = "it asks for the time of the last use of each key, which this rule leaves out"
_WHOLE: Final = "the user is read whole; this rule needs its name alone, which STS says"
_COMPARED: Final = "it compares the answers that there are"
INDEPENDENT: Final[Mapping[tuple[str, str], str]] = {
    ("IDENT-5", "sts:GetCallerIdentity"): "the ID of the key is known without a call",
    ("KEY-1", "iam:GetAccessKeyLastUsed"): _LAST_USE,
    ("KEY-2", "iam:GetAccessKeyLastUsed"): _LAST_USE,
    ("KEY-4", "iam:GetAccessKeyLastUsed"): _LAST_USE,
    ("KEY-*", "iam:GetUser"): _WHOLE,
    ("KEY-4", "iam:ListAccessKeys"): "a password is not a key",
    ("PERM-5", "*"): "simulation or evaluation alone may decide, and a pull that was made",
    ("PERM-6", "*"): "simulation or evaluation alone may decide, and a pull that was made",
    ("PERM-7", "ecr:DescribeRepositories"): "without the call, simulation and evaluation decide",
    ("PERM-8", "*"): _COMPARED,
    ("PULL-*", "ecr:ListImages"): _PULLED,
    ("PULL-*", "ecr:DescribePullThroughCacheRules"): "images are then read by digest",
    ("REGION-1", "*"): "botocore's list has the region",
    ("REGION-2", "sts:GetCallerIdentity"): "ECR accepted the credentials there",
    ("REPO-1", "ecr:DescribePullThroughCacheRules"): "what would create a missing repository",
    ("REPO-1", "ecr:DescribeRepositoryCreationTemplates"): "what would create a missing one",
    ("TOKEN-3", "sts:GetCallerIdentity"): "the feeds file may state the account",
    ("TOKEN-6", "sts:GetCallerIdentity"): "every answer of AWS's has its time",
}
"""(check, action), as patterns: why the rule may be met although that read is gone."""

UNNEEDED: Final[Mapping[tuple[str, str], str]] = {
    ("Staging ECR", "KEY-3"): "its user has no second active key to ask about",
}
"""(feed, check): why the rule of this feed needs none of the reads that it names."""

REGISTRY: Final[Mapping[str, frozenset[str]]] = {
    "ping": frozenset({"LOGIN-1"}),
    "HEAD manifests": frozenset(),
    "GET manifests": frozenset({"PULL-4"}),
    "GET blobs": frozenset({"PULL-5"}),
    "layer": frozenset({"PULL-5"}),
    "GET tags": frozenset({"PULL-6"}),
}
"""The rules that rest on each request to the registry."""

FACTS: Final = frozenset({"emptied", "none"})
"""Kinds that leave a well-formed answer which says something else: its rules follow it."""

DOCUMENTS: Final = frozenset(
    {"DescribePolicy", "GetGroupPolicy", "GetPolicyVersion", "GetRolePolicy", "GetUserPolicy"}
)
"""Answers that hold documents, which may well speak of another account or region."""

ABSENT: Final[Mapping[tuple[str, str], str]] = {
    ("DescribeImages", "imageTags"): "the image has no tag",
    ("GetAccessKeyLastUsed", "LastUsedDate"): "the key was never used",
    ("GetOpenIDConnectProvider", "ClientIDList"): "the provider has no audience",
    ("GetRole", "PermissionsBoundary"): "the role has no boundary",
    ("GetRole", "Tags"): "the role has no tags",
    ("GetUser", "PermissionsBoundary"): "the user has no boundary",
    ("GetUser", "Tags"): "the user has no tags",
}
"""(operation, key): what AWS says by leaving it out. That is a fact, not a fault."""

OPTIONAL: Final[Mapping[str, frozenset[str]]] = {
    "DescribeRepositories": frozenset(
        {
            *("createdAt", "encryptionConfiguration", "imageScanningConfiguration"),
            *("imageTagMutability", "registryId", "repositoryUri"),
        }
    ),
    "DescribeImages": frozenset(
        {
            *("artifactMediaType", "imageManifestMediaType", "imageSizeInBytes", "imageStatus"),
            *("lastRecordedPullTime", "registryId", "repositoryName"),
        }
    ),
    "GetRepositoryPolicy": frozenset({"registryId", "repositoryName"}),
    "GetRegistryPolicy": frozenset({"registryId"}),
    "GetUser": frozenset({"CreateDate", "PasswordLastUsed", "Path", "UserId"}),
    "GetRole": frozenset({"CreateDate", "Description", "MaxSessionDuration", "Path", "RoleId"}),
    "GetCallerIdentity": frozenset({"UserId"}),
}
"""Keys that recorded answers of AWS's lack, or that no rule needs: without one, nothing changes."""

_PERMISSIONS: Final = frozenset({f"PERM-{number}" for number in (1, 2, 3, 4, 7, 8)})
# The feeds file states a region and an account, and the answer names another one.
_STATED: Final = frozenset({("GetAuthorizationToken", "TOKEN-3"), ("GetCallerIdentity", "IDENT-2")})
_CREDENTIALS: Final = frozenset({"IDENT-1", "REGION-2"})
_SIGN_IN: Final = frozenset(
    {"GetCallerIdentity", "GetAuthorizationToken", "AssumeRoleWithWebIdentity"}
)
_GONE: Final = "met, although what it rests on is gone"
_MISSING: Final = "Its repository is missing (REPO-1)."
_UNTAGGED: Final = "has no tag to look up."


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
        info = infos[finding[1]]
        why = _why(cell, info, before, said)
        if why == _GONE and finding[:2] in UNNEEDED:
            continue
        if why:
            yield Violation(cell.name, finding, before, said, why)


def reader_violations(cell: Cell, bench: Bench) -> Iterator[Violation]:
    """A reader's value that a fault has changed, or that is there without an answer."""
    action = cell.sent.action
    finding, before = ("", "reader", action), Judged(MET, str(bench.values[action]))
    try:
        value = bench.read(action, cell.change)
    except ReadError:
        return
    except Exception as error:  # noqa: BLE001 - the violation reports it
        yield Violation(cell.name, finding, before, Judged(CRASH, repr(error)), "the reader failed")
        return
    same = value == bench.values[action]
    after = Judged(MET, str(value))
    if same and cell.gone:
        yield Violation(cell.name, finding, before, after, "a value, although the answer is gone")
    absent = (cell.sent.operation, cell.key) in ABSENT
    if not same and cell.kind not in (*FACTS, "twice") and not absent:
        yield Violation(cell.name, finding, before, after, "another value because of a fault")


def _why(cell: Cell, info: CheckInfo, before: Judged, after: Judged) -> str:
    """What is wrong with an outcome; "" where nothing is."""
    if after.outcome == CRASH:
        return "the check itself failed"
    if after.outcome != before.outcome and cell.absent:
        if cell.key in OPTIONAL.get(cell.sent.operation, ()):
            return f"changed without {cell.key}, which an answer may lack"
        if (cell.sent.operation, cell.key) in ABSENT:
            return ""
    if after.outcome == before.outcome:
        gone = after.outcome == MET and cell.gone and _rests(cell, info)
        return _GONE if gone else ""
    if after.outcome == NOT_ASSESSED or (cell.kind in FACTS and after.outcome != NOT_APPLICABLE):
        return ""
    if after.outcome == MET:
        return "met because of a fault"
    if after.outcome == NOT_MET:
        # Without the inventory the feed's own call tells, and this one is denied.
        called = before.outcome == NOT_APPLICABLE and cell.sent.action == "ecr:DescribeRepositories"
        denied = called and info.id in _PERMISSIONS
        return "" if denied or _may_break(cell, info) else "not met because of a fault"
    return "" if _may_be_missing(cell, after) else "not applicable because of a fault"


def _rests(cell: Cell, info: CheckInfo) -> bool:
    if cell.sent.service == "registry":
        return info.id in REGISTRY[cell.sent.operation]
    if cell.sent.action == "sts:GetCallerIdentity" and cell.sent.caller == "auditor":
        return False
    return cell.sent.action in info.reads and not any(
        fnmatchcase(info.id, check) and fnmatchcase(cell.sent.action, action)
        for check, action in INDEPENDENT
    )


def _may_break(cell: Cell, info: CheckInfo) -> bool:
    """The fault is itself the answer that breaks the rule: a refusal of the feed's own call."""
    sent = cell.sent
    if sent.service == "registry":
        # That a manifest or a layer is whole, and what its digest says, is what these rules judge.
        whole = cell.kind in ("content", "truncated", "body") and info.id in ("PULL-4", "PULL-5")
        # A storage that cannot be reached is what PULL-5 looks for.
        reached = info.id != "PULL-5" or cell.label != LOST
        return cell.kind in ("refused", "headers") or whole or not reached
    if cell.kind == "other registry":
        about = (sent.operation, info.id)
        return sent.operation in DOCUMENTS or (sent.caller == "feed" and about in _STATED)
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
    """There is no repository, or no image, which another rule reports."""
    operation = cell.sent.operation
    if cell.kind in FACTS:
        return operation == "DescribeImages" and after.text.endswith(_UNTAGGED)
    missing = cell.kind == "not found" and operation == "DescribeRepositories"
    return missing and after.text == _MISSING
