"""The record of one run, as frozen dataclasses: everything that a view of the report shows.

Times are aware datetimes in UTC; durations are seconds. `Run` holds facts as they are: `prepare`
redacts them once, before the first view.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ecr_feed.facts.aws import Call
from ecr_feed.findings import WORDS, Comparison, Finding, OutcomeWord, Severity, WaiverUse
from ecr_feed.report.redact import Redactor
from ecr_feed.text.safe import clean_line
from ecr_feed.text.words import few, many

WORST_FIRST: Final = (
    OutcomeWord.NOT_MET.value,
    OutcomeWord.NOT_ASSESSED.value,
    OutcomeWord.WAIVED.value,
    OutcomeWord.NOT_APPLICABLE.value,
    OutcomeWord.MET.value,
)
ROTATE_AFTER: Final = timedelta(days=90)  # what KEY-1 allows
NOT_IN_A_PLAN: Final = (
    "Judged from documents alone. Not covered: what exists in AWS (repositories, images, keys, "
    "hosts), and policies that no document here has, of the identity, the organisation, the "
    "registry or a VPC endpoint."
)
"""What every report of a plan says about itself."""
_NAMES: Final = 5  # names of feeds in one line
_SEVERITIES: Final = {severity.word: severity.value for severity in Severity}


@dataclass(frozen=True, slots=True)
class SuiteFacts:
    """The suite that judged: name and versions. `moto` is empty without an embedded account."""

    name: str
    version: str
    python: str
    pytest: str
    botocore: str
    moto: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the check catalogue; `family` is the id's prefix, such as `REPO`."""

    id: str
    title: str
    why: str
    severity: str
    refs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """`REPO` of `REPO-1`."""
        return family_of(self.id)


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """When an authorization token was fetched, expires, and is needed until."""

    fetched_at: datetime
    expires_at: datetime
    needed_until: datetime | None = None  # what `min_token_hours` or a reset interval asks for


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When an access key was created and last used, and when it must be replaced (KEY-1)."""

    key_id: str
    created_at: datetime
    status: str = ""
    last_used_at: datetime | None = None
    rotate_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assumed:
    """A condition key whose values a feed states. `remark`: why no answer rests on it; "" if any.

    The first remark stands until the run has judged the feed.
    """

    key: str
    values: tuple[str, ...]
    remark: str = "No permission of this feed was judged."

    def __str__(self) -> str:
        """`aws:SourceVpce = vpce-0123`, and the remark."""
        tail = f" ({self.remark.rstrip('.')})" if self.remark else ""
        return f"{self.key} = {' or '.join(self.values)}{tail}"


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """A feed that was judged. `identity_arn` and `account` are empty where they were not read."""

    name: str
    slug: str
    region: str
    kind: str = "ecr"  # or "docker": a legacy feed
    partition: str = ""
    account: str = ""
    endpoint_url: str = ""
    identity_arn: str = ""
    identity_source: str = ""
    packages: int = 0
    min_token_hours: float | None = None
    token: TokenTimes | None = None
    keys: tuple[KeyTimes, ...] = ()
    policy_fix: Mapping[str, Any] | None = None  # see permissions.attachment.Attachment.plain
    assumed: tuple[Assumed, ...] = ()  # the feed's `context`


@dataclass(frozen=True, slots=True)
class Part:
    """A run that was asked to judge `run` of `of` checks; names of feeds of which it was none."""

    run: int
    of: int
    feeds_not_judged: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`12 of 108 checks; feeds not judged: Legacy ECR`."""
        names = few([clean_line(name, 120) for name in self.feeds_not_judged], _NAMES)
        feeds = f"; feeds not judged: {names}" if self.feeds_not_judged else ""
        return f"{self.run:,} of {many(self.of, 'check')}{feeds}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `options` and `inputs` (file name -> SHA-256) are as typed on the command line.

    `incomplete` says why, where `complete` is False; `part` is None for a run of everything.
    """

    mode: str  # "aws", "demo" or "plan"
    verdict: str
    suite: SuiteFacts
    started: datetime
    finished: datetime
    duration: float
    findings: tuple[Finding, ...]
    feeds: tuple[FeedFacts, ...] = ()
    calls: tuple[Call, ...] = ()
    rules: tuple[Rule, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()
    comparison: Comparison | None = None
    auditor_arn: str = ""
    source: str = ""  # the demo account's name, the feeds file or the plan's file, as typed
    gate: str = "high"
    options: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    collected: int = 0
    deselected: int = 0
    part: Part | None = None
    complete: bool = True
    incomplete: str = ""

    @property
    def label(self) -> str:
        """`DEMO` or `PLAN` for what is not a real account's audit; empty for AWS."""
        return "" if self.mode == "aws" else self.mode.upper()

    @property
    def assumed(self) -> tuple[str, ...]:
        """Every stated value with its remark, once however many feeds state it."""
        return tuple(dict.fromkeys(str(each) for feed in self.feeds for each in feed.assumed))

    @property
    def on_assumptions(self) -> str:
        """` with 2 assumed values (1 unused)`, for behind the verdict; "" where none is stated.

        Each value of each key counts once, however many feeds state it; it is unused where no
        answer of any feed rests on it.
        """
        used: dict[tuple[str, str], bool] = {}
        for each in (each for feed in self.feeds for each in feed.assumed):
            for value in each.values:
                name = (each.key.lower(), value)
                used[name] = used.get(name, False) or not each.remark
        if not used:
            return ""
        unused = sum(not each for each in used.values())
        tail = f" ({unused} unused)" if unused else ""
        return f" with {many(len(used), 'assumed value')}{tail}"

    @property
    def counts(self) -> dict[str, int]:
        """How many findings have each of the five words; all five are there."""
        return count(self.findings)

    @property
    def call_counts(self) -> tuple[tuple[str, str, int], ...]:
        """(service, operation, number of calls), sorted."""
        counted = Counter((call.service, call.operation) for call in self.calls)
        return tuple((service, name, number) for (service, name), number in sorted(counted.items()))


def count(findings: tuple[Finding, ...] | list[Finding]) -> dict[str, int]:
    """How many have each of the five words, all five listed."""
    counted = Counter(str(finding.outcome) for finding in findings)
    return {word: counted[word] for word in WORDS}


def family_of(check: str) -> str:
    """`REPO` of `REPO-1`; an id without a number is its own family."""
    return re.sub(r"-\d+$", "", check)


def check_order(check: str) -> tuple[str, int]:
    """Sort key under which REPO-2 comes before REPO-10."""
    prefix, _, number = check.rpartition("-")
    return (prefix, int(number)) if number.isascii() and number.isdigit() else (check, 0)


def finding_order(finding: Finding) -> tuple[tuple[str, int], str, str, str]:
    """Sort key of every list of findings: check, feed, package, test."""
    return (check_order(finding.check), finding.feed, finding.package or "", finding.test)


def worst_first(finding: Finding) -> tuple[bool, int, int, tuple[tuple[str, int], str, str, str]]:
    """Sort key of `Fix first`: what fails the run, not met before not assessed, by severity."""
    outcome = str(finding.outcome)
    place = WORST_FIRST.index(outcome) if outcome in WORST_FIRST else 0
    return (
        not finding.fails_the_run,
        place,
        -_SEVERITIES.get(finding.severity, 0),
        finding_order(finding),
    )


def prepare(run: Run, redactor: Redactor) -> Run:
    """The run as it may leave the process: every text redacted and cleaned, findings sorted.

    Call it once, before the first view: what it returns holds no secret that `redactor` knows.
    """
    findings = tuple(sorted(map(redactor.finding, run.findings), key=finding_order))
    return replace(
        run,
        findings=findings,
        feeds=tuple(_safe_feed(feed, redactor) for feed in run.feeds),
        calls=tuple(sorted((safe_call(call, redactor) for call in run.calls), key=_call_order)),
        waivers=tuple(_safe_waiver(waiver, redactor) for waiver in run.waivers),
        comparison=_safe_comparison(run.comparison, redactor),
        auditor_arn=redactor.line(run.auditor_arn),
        source=redactor.line(run.source),
        options={key: redactor.line(value) for key, value in sorted(run.options.items())},
        inputs={redactor.line(key): value for key, value in sorted(run.inputs.items())},
        incomplete=redactor.line(run.incomplete),
        part=None if run.part is None else _safe_part(run.part, redactor),
    )


def _safe_part(part: Part, redactor: Redactor) -> Part:
    return replace(part, feeds_not_judged=tuple(map(redactor.line, part.feeds_not_judged)))


def _safe_feed(feed: FeedFacts, redactor: Redactor) -> FeedFacts:
    fix = None if feed.policy_fix is None else redactor.scrub(dict(feed.policy_fix))
    return replace(
        feed,
        name=redactor.line(feed.name),
        region=redactor.line(feed.region),
        account=redactor.line(feed.account),
        endpoint_url=redactor.line(feed.endpoint_url),
        identity_arn=redactor.line(feed.identity_arn),
        identity_source=redactor.line(feed.identity_source),
        keys=tuple(replace(key, key_id=redactor.line(key.key_id)) for key in feed.keys),
        assumed=tuple(
            Assumed(
                redactor.line(each.key),
                tuple(map(redactor.line, each.values)),
                redactor.line(each.remark),
            )
            for each in feed.assumed
        ),
        policy_fix=fix if isinstance(fix, dict) else None,
    )


def safe_call(call: Call, redactor: Redactor) -> Call:
    """The call as it may leave the process: a worker's secrets are known to that worker alone."""
    return replace(
        call,
        service=redactor.line(call.service),
        operation=redactor.line(call.operation),
        region=redactor.line(call.region),
        request_id=redactor.line(call.request_id),
        code=redactor.line(call.code),
    )


def _safe_waiver(waiver: WaiverUse, redactor: Redactor) -> WaiverUse:
    return replace(
        waiver,
        feed=redactor.line(waiver.feed),
        package=redactor.line(waiver.package),
        reason=redactor.line(waiver.reason),
        owner=redactor.line(waiver.owner),
        note=redactor.line(waiver.note),
    )


def _safe_comparison(comparison: Comparison | None, redactor: Redactor) -> Comparison | None:
    if comparison is None:
        return None
    return replace(
        comparison,
        source=redactor.line(comparison.source),
        finished=redactor.line(comparison.finished),
        marks={_scrub_key(key, redactor): mark for key, mark in comparison.marks.items()},
        gone=tuple(sorted(_scrub_key(key, redactor) for key in comparison.gone)),
    )


def _scrub_key(key: tuple[str, str, str], redactor: Redactor) -> tuple[str, str, str]:
    return (key[0], redactor.line(key[1]), redactor.line(key[2]))


def _call_order(call: Call) -> tuple[str, str, str, str, str]:
    return (call.service, call.operation, call.region, call.code, call.request_id)
