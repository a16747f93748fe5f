"""What blocks a permission that a feed was denied, besides a missing Allow."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from ecr_feed.facts.aws import Answer
from ecr_feed.iam import GRANTING, Decision, Miss, NearMiss, Outcome
from ecr_feed.permissions.answers import Answers
from ecr_feed.permissions.evaluation import RESOURCE_TAG_KEYS

_TYPES: Final = {
    "identity": "identity-based policy",
    "resource": "resource-based policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "endpoint": "VPC endpoint policy",
}

_KEEP: Final = (
    "meet the condition, or change it there. An Allow without it would lift what its author "
    "limited."
)


def policy_type(layer: str) -> str:
    """A layer's name as AWS's messages have it, such as `VPC endpoint policy`."""
    return _TYPES.get(layer, layer)


def blocker(answers: Answers) -> str:
    """What to do, in one line; "" where an Allow in an identity policy is all it takes."""
    if denied_outright(answers):
        return _narrow(answers)
    layers = list(_limits(answers))
    if layers:
        what = f"{answers.action} on {answers.resource}"
        return f"Allow {what} in the {' and in the '.join(layers)}."
    return _condition(answers)


def needs_allow(answers: Answers) -> bool:
    """An identity policy has to allow it, whatever else has to change.

    False where a statement allows it under a condition that is not met, or that nobody knows to be
    met: an Allow without the condition would lift what the statement's author limited.
    """
    if denied_outright(answers) or is_conditional(answers):
        return False
    decision = answers.decision
    if not any(_limits(answers)):
        return True
    return decision is not None and any(b.layer in GRANTING for b in decision.blocking)


def is_conditional(answers: Answers) -> bool:
    """A statement would allow it, or a Deny would let it pass, if a condition were met."""
    decision = answers.decision
    if decision is None:
        return False
    return decision.outcome is Outcome.UNDETERMINED or bool(decision.unmet)


def denied_outright(answers: Answers) -> bool:
    """An explicit Deny: no Allow outweighs it."""
    said, decision = _said(answers), answers.decision
    return bool(said.get("explicit")) or _is_deny(decision)


def _is_deny(decision: Decision | None) -> bool:
    return decision is not None and decision.outcome is Outcome.EXPLICIT_DENY


def _said(answers: Answers) -> dict[str, object]:
    """What AWS's message says of a denied call of the feed; {} where none was denied."""
    probe = answers.probe
    return dict(probe.evidence) if probe is not None and probe.answer is Answer.DENIED else {}


def _narrow(answers: Answers) -> str:
    said, decision = _said(answers), answers.decision
    ours = decision if _is_deny(decision) else None
    kind = policy_type(str(said.get("policy_type") or ""))
    kind = kind or (ours.denial_layer if ours is not None else "policy")
    arn = f" {said['policy_arn']}" if said.get("policy_arn") else ""
    statement = f": {ours.statement}" if ours is not None else ""
    return f"Narrow the Deny in the {kind}{arn}{statement}; no Allow overrides it."


def _limits(answers: Answers) -> Iterator[str]:
    """Names of the policies that can only limit, and that do not allow the action; each once."""
    named = str(_said(answers).get("policy_type") or "")
    found = [policy_type(named)] if named not in ("", "identity", "resource") else []
    decision = answers.decision
    if decision is not None and not decision.allowed:
        limits = [block for block in decision.blocking if block.certain]
        found += [b.layer.policy_type for b in limits if b.layer not in GRANTING]
    yield from dict.fromkeys(found or _simulated(answers))


def _simulated(answers: Answers) -> list[str]:
    """The policies that IAM's simulation names, for documents that were not read."""
    said = next((w.evidence for w in answers.witnesses if w.witness == "simulation"), {})
    found = []
    if said.get("boundary_allows") is False:
        found.append(policy_type("boundary"))
    if said.get("organization_allows") is False:
        found.append(policy_type("scp"))
    return found


def _condition(answers: Answers) -> str:
    """What to do about a statement that fails on its conditions alone; "" without one."""
    decision = answers.decision
    if decision is None:
        return ""
    if not decision.unmet:
        keys = ", ".join(decision.depends_on)
        return f"It depends on {keys}: {_KEEP}" if keys else ""
    near = decision.unmet[0]
    for miss in near.misses:
        if miss.key.lower() == "aws:sourceip" and _ranges(answers):
            return (
                f"In {near.statement}, name the public address that the requests come from, or use "
                "aws:SourceVpc or aws:VpcSourceIp: AWS never sees a private source address."
            )
    (first, *others) = near.misses
    return ("" if others else _tag(answers.resource, first)) or _meet(near)


def _meet(near: NearMiss) -> str:
    return f"In {near.statement}, {'; '.join(map(str, near.misses))}: {_KEEP}"


def _ranges(answers: Answers) -> object:
    return next((w.evidence.get("private_ranges") for w in answers.witnesses[::-1]), None)


def _tag(arn: str, miss: Miss) -> str:
    name = miss.key.partition("/")[2]
    plain = miss.operator in ("StringEquals", "StringLike") and not set("*?$") & set(miss.expected)
    if not miss.key.lower().startswith(RESOURCE_TAG_KEYS) or not plain or " or " in miss.expected:
        return ""
    tag = shlex.quote(f"Key={name},Value={miss.expected}")
    return f"aws ecr tag-resource --resource-arn {arn} --tags {tag}"
