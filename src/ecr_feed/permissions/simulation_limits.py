"""Where IAM's simulation cannot be believed: it does not see every policy that AWS looks at.

It knows identity policies, boundaries and service control policies, and a repository policy for
users only; no registry, resource control or session policy.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.facts.iam import PolicyDocument
from ecr_feed.iam import Decision, Layer, Outcome
from ecr_feed.permissions.evaluation import Evidence

_NEVER_SEEN: Final = frozenset({Layer.RCP, Layer.SESSION})


def within_limits(
    simulation: Permission, evaluated: Permission, decision: Decision | None, evidence: Evidence
) -> Permission:
    """The simulation's word, or "undetermined" where what it does not see may turn it."""
    if simulation.answer is Answer.DENIED:
        blind = _may_be_granted(simulation, evaluated, evidence)
    elif simulation.answer is Answer.ALLOWED:
        blind = _may_be_denied(evaluated, decision, evidence)
    else:
        blind = ""
    if not blind:
        return simulation
    because = f"{simulation.because}, but does not cover everything: {blind}"
    return replace(simulation, answer=Answer.UNDETERMINED, because=because)


def _may_be_granted(simulation: Permission, evaluated: Permission, evidence: Evidence) -> str:
    """No policy that the simulation saw allows it; another one may. A Deny stands, and an SCP."""
    said = simulation.evidence
    if said.get("decision") == "explicitDeny" or said.get("organization_allows") is False:
        return ""
    if evaluated.answer is Answer.DENIED:
        return ""
    return _named(_unseen(evidence)) or _unread(evidence)


def _may_be_denied(evaluated: Permission, decision: Decision | None, evidence: Evidence) -> str:
    """The policies that the simulation saw allow it; another one denies it, or may."""
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
    """The resource policies that nobody hands to the simulation."""
    role = evidence.principal.kind == "role"
    return tuple(each for each in evidence.resource_policies if role or each.kind == "registry")


def _named(policies: tuple[PolicyDocument, ...]) -> str:
    return " and ".join(f"the {policy.name}" for policy in policies)


def _unread(evidence: Evidence) -> str:
    return "; ".join(dict.fromkeys(failure.summary for failure in evidence.unread))
