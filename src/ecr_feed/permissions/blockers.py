"""What blocks a permission that a feed was denied, besides a missing Allow."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from ecr_feed.facts.aws import Answer
from ecr_feed.iam import Decision, Layer, Miss, NearMiss, Outcome
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.evaluation import RESOURCE_TAG_KEYS
from ecr_feed.permissions.stated_context import in_words

_TYPES: Final = {
    "identity": "identity-based policy",
    "resource": "resource-based policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "endpoint": "VPC endpoint policy",
}
_GRANTING: Final = (Layer.IDENTITY, Layer.RESOURCE, Layer.NO_GRANT)


def policy_type(layer: str) -> str:
    """A layer's name as AWS's messages have it, such as `VPC endpoint policy`."""
    return _TYPES.get(layer, layer)


def blocker(answers: Answers) -> str:
    """What to do, in one line; "" where an Allow in an identity policy is all it takes."""
    if answers.assumed:
        stated = f"Correct the stated {in_words(answers.assumed)}, or, where it is right"
        what = f"allow {answers.action} on {answers.resource} for requests that have it."
        return f"{stated}: {_stated_condition(answers) or _blocker(answers) or what}"
    return _blocker(answers)


def _blocker(answers: Answers) -> str:
    if denied_outright(answers):
        return _narrow(answers)
    nearly = [near for near in _by_condition(answers) if near.layer not in _GRANTING]
    named = {near.layer.policy_type for near in nearly}
    layers = [layer for layer in _limits(answers) if layer not in named]
    what = f"{answers.action} on {answers.resource}"
    allow = f"Allow {what} in the {' and in the '.join(layers)}." if layers else ""
    steps = (allow, *map(_met_or_corrected, nearly), _condition(answers))
    return " ".join(filter(None, steps))


def needs_allow(answers: Answers) -> bool:
    """An identity policy has to allow it, whatever else has to change.

    Not so where a stated value is why it is denied: the policy allows it for other values.
    """
    if denied_outright(answers) or answers.assumed:
        return False
    if not blocker(answers):
        return True
    if _condition(answers):
        return False  # a statement without the condition would allow more than was meant
    decision = answers.decision
    limited = any(_limits(answers))
    return limited and decision is not None and any(b.layer in _GRANTING for b in decision.blocking)


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
        found += [b.layer.policy_type for b in limits if b.layer not in _GRANTING]
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
    """The fix where a statement would allow it but for its conditions, which stay; else ""."""
    granting = [near for near in _by_condition(answers) if near.layer in _GRANTING]
    if not granting:
        return ""
    near = granting[0]
    for miss in near.misses:
        if miss.key.lower() == "aws:sourceip" and _ranges(answers):
            return (
                f"In {near.statement}, name the public address that the requests come from, or use "
                "aws:SourceVpc or aws:VpcSourceIp: AWS never sees a private source address."
            )
    (first, *others) = near.misses
    tag = "" if others else _tag(answers.resource, first)
    return tag or _met_or_corrected(near)


def _by_condition(answers: Answers) -> list[NearMiss]:
    """For each blocking layer, the nearest statement, where conditions alone keep it from it."""
    nearest: dict[Layer, NearMiss] = {}
    for near in answers.decision.nearest if answers.decision is not None else ():
        nearest.setdefault(near.layer, near)
    return [n for n in nearest.values() if all(miss.what == "condition" for miss in n.misses)]


def _met_or_corrected(near: NearMiss) -> str:
    said = " and ".join(str(miss) for miss in near.misses)
    return f"Meet or correct the condition in {near.statement}: {said}."


def _stated_condition(answers: Answers) -> str:
    """The fix for a statement that asks for another value than the stated one; "" without one."""
    stated = {key.lower() for key in answers.assumed}
    for near in answers.decision.nearest if answers.decision is not None else ():
        for miss in near.misses:
            if miss.key.lower() in stated:
                return (
                    f"add {miss.found} in {near.statement}, which asks for {miss.key} "
                    f"{miss.expected}."
                )
    return ""


def _ranges(answers: Answers) -> object:
    return next((w.evidence.get("private_ranges") for w in answers.witnesses[::-1]), None)


def _tag(arn: str, miss: Miss) -> str:
    name = miss.key.partition("/")[2]
    plain = miss.operator in ("StringEquals", "StringLike") and not set("*?$") & set(miss.expected)
    plain = plain and ":*:" not in arn  # an account that is not known
    if not miss.key.lower().startswith(RESOURCE_TAG_KEYS) or not plain or " or " in miss.expected:
        return ""
    tag = shlex.quote(f"Key={name},Value={miss.expected}")
    return f"aws ecr tag-resource --resource-arn {arn} --tags {tag}"
