"""Organisation policies of a plan, as far as they are known to apply to the feed's account."""

from __future__ import annotations

from typing import Any, Final

from ecr_feed.facts.iam import Effect
from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.plan_policies import PlanPolicies

FileTable = dict[str, Any]
ORGANIZATION: Final = "organization"
_KINDS: Final = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}


def organization_policies(policies: PlanPolicies) -> dict[str, list[FileTable]]:
    """The `scp` and `rcp` tables: policies that the plan attaches to the feed's own account.

    A table has the document and what the plan calls it: its name, else its address.

    One for the root, an organisational unit or an unknown target may apply to it: that is open.
    """
    tables: dict[str, list[FileTable]] = {"scp": [], "rcp": []}
    plan = policies.plan
    listed = {each.address: each for each in plan.of("aws_organizations_policy")}
    for each in plan.of("aws_organizations_policy_attachment"):
        target = each.text("target_id")
        if len(target) == 12 and target.isdigit() and target != policies.scope.account:
            continue
        policy = _policy(policies, each, listed)
        kind = "SERVICE_CONTROL_POLICY" if policy is None else policy.text("type")
        name = _KINDS.get(kind or "SERVICE_CONTROL_POLICY")
        if name is None:
            continue
        text = None if policy is None else policies.text(policy, "content", ORGANIZATION)
        known = text is not None and target == policies.scope.account and policies.scope.stated
        if policy is None or not known:
            policies.open.add(
                f"{each.address}: whether and how it limits the feed's account is not known.",
                ORGANIZATION,
                Effect.LIMITS,
            )
        else:
            called = policy.text("name") or policy.address
            tables[name].append({"document": text, "called": called})
    return tables


def _policy(
    policies: PlanPolicies, attachment: Instance, listed: dict[str, Instance]
) -> Instance | None:
    """The policy that is attached, where the plan has it."""
    if known := attachment.text("policy_id"):
        return next((each for each in listed.values() if each.text("id") == known), None)
    written = policies.plan.expression(attachment, "policy_id")
    targets = [each.address for each in policies.plan.targets(attachment, written)]
    return listed.get(targets[0]) if len(targets) == 1 else None
