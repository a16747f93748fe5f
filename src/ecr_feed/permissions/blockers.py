"""What blocks a permission that a feed was denied, besides a missing Allow."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from ecr_feed.facts.aws import Answer
from ecr_feed.iam import GRANTING, Decision, Layer, Miss, NearMiss, Outcome
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
_AWS_MANAGED: Final = ":iam::aws:policy/"
_QUARANTINE: Final = "AWSCompromisedKeyQuarantine"
"""How the policies begin that AWS attaches to a user whose key it has found published."""
_PRINCIPAL_TAG: Final = "aws:principaltag/"


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
    nearly = [near for near in _by_condition(answers) if near.layer not in GRANTING]
    named = {near.layer.policy_type for near in nearly}
    layers = [layer for layer in _limits(answers) if layer not in named]
    what = f"{answers.action} on {answers.resource}"
    allow = f"Allow {what} in the {' and in the '.join(layers)}." if layers else ""
    steps = (allow, *map(_met_or_corrected, nearly), _condition(answers))
    return " ".join(filter(None, steps))


def needs_allow(answers: Answers) -> bool:
    """An identity policy has to allow it, whatever else has to change.

    False where a stated value is why it is denied (the policy allows it for other values), and
    where a statement allows it under a condition that is not met, or that nobody knows to be met:
    an Allow without the condition would lift what the statement's author limited.
    """
    if denied_outright(answers) or answers.assumed or is_conditional(answers):
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
    unmet = any(near.layer in GRANTING for near in decision.unmet)
    return unmet or decision.outcome is Outcome.UNDETERMINED


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
    kind = kind or (ours.denial_layer if ours is not None else "policy that AWS does not name")
    managed = _managed(answers)
    if _QUARANTINE in managed:
        return (
            "AWS found this access key published and quarantined it: create a new key for another "
            f"user, set it in the feed and delete this key; then detach {managed}."
        )
    if managed:
        return f"Detach {managed}, which only AWS can change; no Allow overrides its Deny."
    arn = f" {said['policy_arn']}" if said.get("policy_arn") else ""
    statement = f": {ours.statement}" if ours is not None else ""
    return f"Narrow the Deny in the {kind}{arn}{statement}; no Allow overrides it."


def _managed(answers: Answers) -> str:
    """The ARN of the policy that denies outright, where it is one that AWS manages; else ""."""
    arn = str(_said(answers).get("policy_arn") or "")
    return arn if _AWS_MANAGED in arn else ""


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
    """The fix where a statement would allow it but for its conditions, which stay; else ""."""
    decision = answers.decision
    if decision is None:
        return ""
    granting = [near for near in decision.unmet if near.layer in GRANTING]
    if not granting:
        keys = ", ".join(decision.depends_on)
        return f"Meet or correct the condition: it depends on {keys}." if keys else ""
    near = granting[0]
    for miss in near.misses:
        if miss.key.lower() == "aws:sourceip" and answers.private_ranges:
            return (
                f"In {near.statement}, name the public address that the requests come from, or use "
                "aws:SourceVpc or aws:VpcSourceIp: AWS never sees a private source address."
            )
    (first, *others) = near.misses
    tag = "" if others else _tag(answers, first)
    return tag or _met_or_corrected(near)


def _by_condition(answers: Answers) -> list[NearMiss]:
    """For each blocking layer, the nearest statement that conditions alone keep from it."""
    nearest: dict[Layer, NearMiss] = {}
    for near in answers.decision.unmet if answers.decision is not None else ():
        nearest.setdefault(near.layer, near)
    return list(nearest.values())


_NO_SECOND_FACTOR: Final = (
    "A feed cannot give a second factor: use an identity that needs none, or have the statement's "
    "author exempt this one."
)
_MEET: Final = {
    "aws:sourceip": "Send the requests from such an address, or have the statement's author add "
    "theirs. Through a VPC endpoint AWS sees no address.",
    "aws:sourcevpce": "Send the requests through that VPC endpoint.",
    "aws:sourcevpc": "Send the requests through a VPC endpoint of that VPC.",
    "aws:requestedregion": "Set the feed's region to such a region, or have the statement's author "
    "add the feed's.",
    "aws:multifactorauthpresent": _NO_SECOND_FACTOR,
    "aws:multifactorauthage": _NO_SECOND_FACTOR,
}


def _met_or_corrected(near: NearMiss) -> str:
    said = " and ".join(str(miss) for miss in near.misses)
    keys = (miss.key.lower() for miss in near.misses)
    advice = dict.fromkeys(_MEET[key] for key in keys if key in _MEET)
    return " ".join((f"Meet or correct the condition in {near.statement}: {said}.", *advice))


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


def _tag(answers: Answers, miss: Miss) -> str:
    """The command that sets the one tag value that the condition wants; "" where there is none."""
    name = miss.key.partition("/")[2]
    plain = miss.operator in ("StringEquals", "StringLike") and not set("*?$") & set(miss.expected)
    plain = plain and miss.found != "unknown"  # the tag may be there, with another value
    plain = plain and ":*:" not in answers.resource  # an account that is not known
    if not name or not plain or " or " in miss.expected:
        return ""
    tag = shlex.quote(f"Key={name},Value={miss.expected}")
    if miss.key.lower().startswith(RESOURCE_TAG_KEYS):
        return f"aws ecr tag-resource --resource-arn {answers.resource} --tags {tag}"
    decision = None if answers.unnamed else answers.decision
    if not miss.key.lower().startswith(_PRINCIPAL_TAG) or decision is None:
        return ""
    kind, _, path = str(decision.request.principal).rpartition(":")[2].partition("/")
    owner = shlex.quote(path.rpartition("/")[2])
    return f"aws iam tag-user --user-name {owner} --tags {tag}" if kind == "user" else ""
