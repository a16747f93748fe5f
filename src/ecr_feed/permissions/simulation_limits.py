"""Where IAM's simulation is not conclusive: it does not cover every policy that AWS evaluates.

It covers identity policies, boundaries and service control policies, and a repository policy for
users only; no registry, resource control or session policy.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ecr_feed.facts.aws import Answer, Failure, Permission
from ecr_feed.facts.iam import PolicyDocument
from ecr_feed.iam import Decision, Layer, Outcome
from ecr_feed.permissions.evaluation import Evidence

_NEVER_SEEN: Final = frozenset({Layer.RCP, Layer.SESSION})


def within_limits(
    simulation: Permission,
    evaluated: Permission,
    decision: Decision | None,
    evidence: Evidence,
    *,
    called: bool = True,
) -> Permission:
    """The simulation's answer, or "undetermined" where a policy it does not cover may change it.

    `called`: the feed made the call, so that a resource control policy has been applied to it.
    """
    if simulation.answer is Answer.DENIED:
        blind = _may_be_granted(simulation, evaluated, evidence)
    elif simulation.answer is Answer.ALLOWED:
        blind = _may_be_denied(evaluated, decision, evidence)
    else:
        blind = ""
    failure = simulation.failure
    if simulation.answer is Answer.ALLOWED and not blind and not called:
        failure = _unread_controls(evidence)
        blind = f"resource control policies: {failure.summary}" if failure is not None else ""
    if not blind:
        return simulation
    because = f"{simulation.because}, but does not cover everything: {blind}"
    return replace(simulation, answer=Answer.UNDETERMINED, because=because, failure=failure)


def _may_be_granted(simulation: Permission, evaluated: Permission, evidence: Evidence) -> str:
    """What may allow what the simulation denied; "" for nothing, as after an explicit Deny."""
    said = simulation.evidence
    if said.get("decision") == "explicitDeny" or said.get("organization_allows") is False:
        return ""
    if evaluated.answer is Answer.DENIED:
        return ""
    return _named(_unseen(evidence)) or _unread(evidence)


def _may_be_denied(evaluated: Permission, decision: Decision | None, evidence: Evidence) -> str:
    """What denies, or may deny, what the simulation allowed; "" for nothing."""
    if evaluated.answer is Answer.ALLOWED:
        return ""
    if decision is None or decision.outcome is Outcome.UNDETERMINED:
        return evaluated.because
    if evaluated.answer is Answer.UNDETERMINED:
        return _unread(evidence)
    if decision.layer in _NEVER_SEEN:
        return f"the {decision.layer.policy_type}"
    unseen = _unseen(evidence)
    return _named(unseen) if decision.layer is Layer.RESOURCE else ""


def _unseen(evidence: Evidence) -> tuple[PolicyDocument, ...]:
    """The resource policies that the simulation does not take."""
    role = evidence.principal.kind == "role"
    return tuple(each for each in evidence.resource_policies if role or each.kind == "registry")


def _named(policies: tuple[PolicyDocument, ...]) -> str:
    return " and ".join(f"the {policy.name}" for policy in policies)


def _unread_controls(evidence: Evidence) -> Failure | None:
    """Why the resource control policies that may apply were not read; None where they were."""
    above = evidence.organization
    return next(iter(above.unread), None) if above.binds and above.rcps is None else None


def _unread(evidence: Evidence) -> str:
    return "; ".join(dict.fromkeys(failure.summary for failure in evidence.unread))
