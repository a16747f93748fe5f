"""Invented runs: small, with each outcome; hostile; large."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from ecr_feed.facts.aws import Call
from ecr_feed.findings import Finding, OutcomeWord, WaiverUse, verdict
from ecr_feed.report.record import FeedFacts, KeyTimes, Rule, Run, SuiteFacts, TokenTimes, prepare
from ecr_feed.report.redact import Redactor

NOW = datetime(2026, 11, 25, 0, 3, 27, tzinfo=UTC)
SUITE = SuiteFacts("ecr-feed-checks", "1.0.0", "3.11.2", "9.2.0", "1.44.8", "5.2.5")
ACCOUNT = "123456789012"
FEED = FeedFacts(
    "Production ECR",
    "production-ecr",
    "eu-west-1",
    partition="aws",
    account=ACCOUNT,
    identity_arn=f"arn:aws:iam::{ACCOUNT}:user/octopus-feed",
    identity_source="profile octopus-ecr",
    packages=3,
    token=TokenTimes(NOW - timedelta(minutes=2), NOW + timedelta(hours=11, minutes=58)),
    keys=(
        KeyTimes(
            "AKIA************MPLE",
            NOW - timedelta(days=80),
            "Active",
            NOW - timedelta(hours=1),
            NOW + timedelta(days=10),
        ),
    ),
)
TEAM = FeedFacts(
    "Team ECR",
    "team-ecr",
    "us-east-2",
    partition="aws",
    account=ACCOUNT,
    identity_arn=f"arn:aws:iam::{ACCOUNT}:user/octopus-team",
    identity_source="profile octopus-team",
    packages=2,
    token=TokenTimes(NOW - timedelta(hours=13), NOW - timedelta(hours=1), NOW + timedelta(hours=2)),
)
RULES = (
    Rule(
        "REPO-1",
        "Each package ID has a repository in the feed's region",
        "Octopus looks a package up by exact repository name.",
        "critical",
        ("https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html",),
        ("ecr:DescribeRepositories",),
    ),
    Rule("REPO-3", "Each repository holds a tagged image", "A feed lists tags.", "medium"),
    Rule("PERM-4", "The feed may list images", "Versions come from there.", "critical"),
    Rule("TOKEN-2", "The token lives for 12 hours", "It is what Octopus logs in with.", "high"),
)
CALLS = (
    Call("ecr", "DescribeRepositories", "eu-west-1", 200, 1, 0.12, "7c0e6f2a-0001"),
    Call("ecr", "ListImages", "eu-west-1", 400, 2, 0.2, "7c0e6f2a-0002", "AccessDeniedException"),
    Call("sts", "GetCallerIdentity", "eu-west-1", 200, 1, 0.05, "7c0e6f2a-0003"),
)


def fix(*documents: dict[str, object]) -> dict[str, Any]:
    """A feed's `policy_fix` with these documents."""
    return {
        "permissions": 391,
        "documents": [
            {"document": each, "way": "managed", "name": f"ecr-{number}", "characters": 40}
            for number, each in enumerate(documents, 1)
        ],
        "attach_to": {
            "kind": "user",
            "name": "octopus-feed",
            "account": ACCOUNT,
            "partition": "aws",
        },
        "said": "Attach them as managed policies of user octopus-feed.",
        "notes": ["No auditor is configured."],
        "files": [],
        "commands": [],
    }


def finding(
    check: str = "REPO-1",
    outcome: OutcomeWord = OutcomeWord.MET,
    package: str | None = "team/app",
    feed: str = "Production ECR",
    **more: object,
) -> Finding:
    """A finding with the usual rest."""
    values: dict[str, object] = {
        "severity": "critical",
        "gating": True,
        "message": "It holds.",
        "test": f"checks/test_x.py::test_{check.lower()}[{feed}|{package}]",
    }
    values |= more
    return Finding(check=check, feed=feed, package=package, outcome=outcome, **values)  # type: ignore[arg-type] # a table of field values


def missing(package: str, feed: str = "Production ECR", **more: object) -> Finding:
    """REPO-1, not met."""
    return finding(
        "REPO-1",
        OutcomeWord.NOT_MET,
        package,
        feed,
        message=f"Package ID '{package}' has no repository in eu-west-1.",
        evidence={
            "expected": "a repository of that exact name",
            "found": "team/missing-app (nearest)",
            "request_id": "7c0e6f2a-0001",
        },
        fix=f"aws ecr create-repository --repository-name {package} --region eu-west-1",
        **more,
    )


def few() -> tuple[Finding, ...]:
    """Each of the five outcomes, three of them open."""
    witnesses = [
        {"witness": "probe", "answer": "denied", "because": "AccessDeniedException"},
        {"witness": "simulation", "answer": "allowed", "because": ""},
        {"witness": "evaluation", "answer": "undetermined", "because": "aws:SourceIp"},
    ]
    return (
        finding(),
        missing("team/missing"),
        missing("team/other"),
        finding("REPO-1", package="team/web", feed="Team ECR"),
        finding(
            "PERM-4",
            OutcomeWord.NOT_ASSESSED,
            message="AccessDeniedException for the auditor; it needs iam:GetUser.",
            evidence={"action": "ecr:ListImages", "witnesses": witnesses, "request_id": "r-9"},
            fix="Grant iam:GetUser to the auditor.",
        ),
        finding(
            "PERM-4",
            feed="Team ECR",
            package="team/web",
            evidence={
                "action": "ecr:ListImages",
                "witnesses": [{"witness": "probe", "answer": "allowed"}],
            },
        ),
        finding(
            "REPO-3",
            OutcomeWord.WAIVED,
            "team/new",
            severity="medium",
            gating=False,
            message="Repository 'team/new' holds no tagged image.",
            evidence={"waiver": {"reason": "first push next week", "expires": "2026-12-31"}},
        ),
        finding(
            "TOKEN-2",
            OutcomeWord.NOT_APPLICABLE,
            None,
            "Team ECR",
            severity="high",
            message="A Docker feed has no ECR token.",
        ),
        finding("TOKEN-2", OutcomeWord.MET, None, severity="high"),
    )


def many(number: int, broken: int = 300) -> tuple[Finding, ...]:
    """`number` findings of two feeds; the first `broken` are open."""
    out = []
    for at in range(number):
        feed = "Production ECR" if at % 2 else "Team ECR"
        package = f"platform/team-{at // 400}/service-{at // 4}"
        if at < broken:
            out.append(missing(package, feed))
            continue
        check = ("REPO-1", "REPO-3", "PERM-4", "PERM-3")[at % 4]
        out.append(finding(check, package=package, feed=feed, message="The repository is there."))
    return tuple(out)


def build(findings: tuple[Finding, ...], **more: object) -> Run:
    """A run of these findings, ready for every view."""
    values: dict[str, object] = {
        "mode": "aws",
        "verdict": verdict(findings).value,
        "suite": SUITE,
        "started": NOW - timedelta(seconds=12),
        "finished": NOW,
        "duration": 12.04,
        "findings": findings,
        "feeds": (FEED, TEAM),
        "calls": CALLS,
        "rules": RULES,
        "auditor_arn": f"arn:aws:iam::{ACCOUNT}:role/audit",
        "source": "feeds.toml",
        "options": {"--feeds": "feeds.toml"},
        "inputs": {"feeds.toml": "0" * 64},
        "collected": len(findings),
        "waivers": (
            WaiverUse(
                "REPO-3",
                "Production ECR",
                "team/new",
                "first push next week",
                "platform",
                date(2026, 12, 31),
                "in force",
                1,
            ),
        ),
    }
    redactor = values.pop("redactor", None) or more.pop("redactor", None) or Redactor()
    assert isinstance(redactor, Redactor)
    return prepare(Run(**(values | more)), redactor)  # type: ignore[arg-type] # a table of field values


HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "##octopus[setVariable name='eA==' value='eA==']",
    "\n::error::injected",
    "::set-output name=x::y",
    "##vso[task.complete result=Succeeded]",
    "a\r\nb\tc",
    "\u202eevil\u2066",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\ud800 lone",
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE x; --",
    "{{ 7*7 }}{% raw %}",
    "<!-- ecr-feed: end -->",
    "</main></body></html>",
    "]]>",
    "\x00\x08\x7f\x9b31m",
    "%0A::error::x",
    "x" * 1_048_576,
)


def hostile() -> tuple[Finding, ...]:
    """Every hostile text in every field that is other people's."""
    return tuple(
        replace(
            finding("REPO-1", outcome, text[:200], text[:60]),
            message=f"Found {text}",
            evidence={"found": text, "expected": text, text[:50]: [text], "request_id": text},
            fix=f"aws {text}",
            test=f"checks/x.py::t[{text[:200]}]",
        )
        for text in HOSTILE
        for outcome in (OutcomeWord.NOT_MET, OutcomeWord.NOT_ASSESSED, OutcomeWord.WAIVED)
    )


@cache
def hostile_run() -> Run:
    """The run of `hostile`, made once: its texts are a megabyte each."""
    return build(hostile())


def clean() -> tuple[Finding, ...]:
    """Nothing open."""
    return (finding(), finding("TOKEN-2", OutcomeWord.MET, None, severity="high"))
