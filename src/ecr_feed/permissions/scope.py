"""What an identity may do beyond the needs of a feed, for the least-privilege rules."""

from __future__ import annotations

from ecr_feed.facts.iam import Organization, Principal
from ecr_feed.iam import Finding, Group, PolicyError, breadth
from ecr_feed.outcomes import expect, not_applicable, not_assessed
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.evaluation import Evidence, policies_of
from ecr_feed.permissions.fixes import needs

_SHOWN = 20


def expect_nothing_of(rights: Rights, principal: Principal, *groups: Group) -> None:
    """Not met where the identity's policies grant anything of these groups."""
    if principal.kind == "root":
        not_applicable("No IAM policy limits the root user (IDENT-3).")
    if not principal.policies and principal.unread:
        not_assessed(f"The identity's policies could not be read: {principal.unread[0].summary}")
    found = [each for each in _breadth(rights, principal) if each.group in groups]
    if not found and principal.unread:
        not_assessed(f"Not every policy could be read: {principal.unread[0].summary}")
    expect(
        not found,
        f"The identity may do more than a feed needs: {'; '.join(f.summary for f in found)}.",
        expected="the actions that a feed needs",
        found=[str(ref) for each in found for ref in each.statements] or None,
        evidence={str(each.group): _actions(each) for each in found},
    )


def _breadth(rights: Rights, principal: Principal) -> tuple[Finding, ...]:
    """The organisation's limits are left out: they are not this identity's own policies."""
    try:
        policies = policies_of(Evidence(principal, Organization(member=False)))
    except PolicyError as error:
        not_assessed(f"A policy is malformed at {error.path}: {error.reason}")
    return breadth(policies, needs(rights))


def _actions(finding: Finding) -> list[str]:
    names = list(finding.actions)
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    reasons = {each.action: each.reason for each in finding.excess if each.reason}
    return [f"{n}: {reasons[n]}" if n in reasons else n for n in names[:_SHOWN]] + more
