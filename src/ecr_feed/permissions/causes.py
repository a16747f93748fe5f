"""Why a call is denied, in one sentence: policy, statement, element, and what it wanted and got.

AWS names at most the kind of policy; the evaluation knows the statement. Its answer comes first,
AWS's own words last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

from ecr_feed.facts.aws import Answer
from ecr_feed.iam import Decision, Miss, NearMiss, Outcome
from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.statement import Statement, StatementRef
from ecr_feed.permissions.compared_answers import Answers

_PARTS: Final = ("partition", "service", "region", "account")
_REPOSITORY: Final = "repository/"
_DELETED: Final = re.compile(r"\b(?:AROA|AIDA)[A-Z0-9]{12,}\b")
_SHOWN: Final = 3  # patterns or values of one element


def cause(answers: Answers) -> str:
    """The reason of a denial; of any other answer, what the answers say."""
    probe, decision = answers.probe, answers.decision
    if answers.answer is not Answer.DENIED or decision is None:
        return answers.because
    told = " ".join(_of_decision(decision))
    if not told:
        return answers.because
    if ranges := answers.private_ranges:
        told += f" AWS never sees a source address in {', '.join(ranges)}."
    words = probe.because if probe is not None and probe.answer is Answer.DENIED else ""
    return f"{told} AWS: {words}" if words else told


def _of_decision(decision: Decision) -> Iterator[str]:
    kind = decision.layer.policy_type
    if decision.outcome is Outcome.EXPLICIT_DENY and decision.statement is not None:
        yield f"{_named(decision.statement, kind)} denies it{_why_it_applies(decision)}."
    elif decision.outcome is Outcome.IMPLICIT_DENY:
        near = decision.nearest
        if near:
            yield f"No {kind} allows it: {_missed(near[0])}."
        else:
            yield f"No {kind} has a statement that allows it."


def _named(ref: StatementRef, kind: str) -> str:
    """`statement 'Shut' of the identity-based policy 'own'`; numbers count from 1."""
    label = f"statement {ref.sid!r}" if ref.sid else f"statement {ref.index + 1}"
    policy = f" {ref.policy!r}" if ref.policy else ""
    return f"{label} of the {kind}{policy}"


def _missed(near: NearMiss) -> str:
    named = _named(near.statement, near.layer.policy_type)
    return f"nearest is {named}; {'; '.join(_said(miss) for miss in near.misses)}"


def _said(miss: Miss) -> str:
    match miss.what:
        case "action":
            return _listed("Action", miss)
        case "resource":
            return _of_resource(miss)
        case "principal":
            return _of_principal(miss)
    has = "the request has none" if miss.found == "absent" else f"the request has {miss.found}"
    return f"its condition {miss.operator} {miss.key} wants {_few(miss.expected)}, {has}"


def _listed(element: str, miss: Miss) -> str:
    excluded = miss.expected.removeprefix("anything but ")
    if excluded != miss.expected:
        return f"its Not{element} {_few(excluded)} leaves out {miss.found}"
    return f"its {element} is {_few(miss.expected)}, not {miss.found}"


def _of_resource(miss: Miss) -> str:
    if miss.expected.startswith("anything but "):
        return _listed("Resource", miss)
    if miss.found == "*":
        return (
            f"its Resource is {_few(miss.expected)}, but this action acts on no resource: only "
            '"*" covers it'
        )
    pattern = max(miss.expected.split(" or "), key=lambda each: _likeness(each, miss.found))
    differs = "; ".join(_differences(pattern, miss.found))
    return f"its Resource {pattern} does not cover {miss.found}" + (
        f" ({differs})" if differs else ""
    )


def _differences(pattern: str, arn: str) -> Iterator[str]:
    """The parts of an ARN in which a pattern without wildcards there is another one."""
    wanted, asked = pattern.split(":", 5), arn.split(":", 5)
    if len(wanted) < 6 or len(asked) < 6:
        yield "it is not a whole ARN"
        return
    for name, one, other in zip(_PARTS, wanted[1:5], asked[1:5], strict=True):
        if one != other and not set("*?$") & set(one):
            yield f"{name} {one or 'empty'}, not {other or 'empty'}"
    if asked[5].startswith(_REPOSITORY) and not wanted[5].startswith((_REPOSITORY, "*", "?")):
        yield f"an ECR repository's ARN has {_REPOSITORY} before the name"


def _of_principal(miss: Miss) -> str:
    deleted = _DELETED.search(miss.expected)
    if deleted is not None:
        kind = "role" if deleted[0].startswith("AROA") else "user"
        return (
            f"its Principal {deleted[0]} is the ID of a {kind} that was deleted: one of the same "
            "name made later is another principal"
        )
    return _listed("Principal", miss)


def _why_it_applies(decision: Decision) -> str:
    """What of the Deny is not plain to see: Not... elements, and conditions that hold."""
    statement = _statement(decision)
    if statement is None:
        return ""
    request, env = decision.request, decision.request.env
    parts = []
    if statement.actions.negated:
        parts.append(f"its NotAction does not list {request.action}")
    if statement.resources is not None and statement.resources.negated:
        parts.append(f"its NotResource does not list {request.resource}")
    if statement.principals is not None and statement.principals.negated:
        parts.append(f"its NotPrincipal does not list {request.principal}")
    parts += [_holds(each, env.values.get(each.lower, ())) for each in statement.conditions]
    return f" ({'; '.join(parts)})" if parts else ""


def _holds(condition: Condition, found: tuple[str, ...]) -> str:
    values = _few(" or ".join(value.text for value in condition.values))
    has = ", ".join(found) or "none"
    return f"its condition {condition.name} {condition.key} is {values}, the request has {has}"


def _statement(decision: Decision) -> Statement | None:
    return next(
        (
            statement
            for document in decision.policies.documents
            for statement in document.statements
            if statement.ref == decision.statement and not statement.allows
        ),
        None,
    )


def _few(listed: str) -> str:
    """The first of the texts that ` or ` separates."""
    texts = listed.split(" or ")
    more = len(texts) - _SHOWN
    shown = " or ".join(texts[:_SHOWN])
    return f"{shown} or {more} more" if more > 0 else shown


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
