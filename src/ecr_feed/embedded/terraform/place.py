"""Where a plan is applied: its account and region, as far as the plan tells."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ecr_feed.embedded.terraform.plan import Instance, Plan, references
from ecr_feed.naming import partition_of

UNTOLD = "123456789012"  # stands for an account that nothing names
_ARN = re.compile(r"arn:aws[a-z-]*:(?:ecr|iam|sts):([a-z0-9-]*):(\d{12}):")


@dataclass(slots=True)
class Place:
    """Where the plan is applied: what ARNs are made of."""

    account: str
    region: str
    partition: str = "aws"


def place_of(plan: Plan, region: str = "", account: str = "") -> tuple[Place, list[str]]:
    """Account and region, and sentences about what had to be assumed."""
    notes = []
    accounts, regions = _arns(plan)
    told = account or _data(plan, "aws_caller_identity", "account_id") or _most(accounts)
    if not told:
        notes.append(f"The plan names no account: {UNTOLD} stands for it.")
    where = region or _provider_region(plan) or _data(plan, "aws_region", "name") or _most(regions)
    if not where:
        notes.append("The plan names no region: us-east-1 is assumed.")
        where = "us-east-1"
    return Place(told or UNTOLD, where, partition_of(where) or "aws"), notes


def _arns(plan: Plan) -> tuple[Counter[str], Counter[str]]:
    text = json.dumps([dict(each.values) for each in plan.instances])
    found = _ARN.findall(text)
    return Counter(a for _, a in found), Counter(r for r, _ in found if r)


def _most(counted: Counter[str]) -> str:
    return counted.most_common(1)[0][0] if counted else ""


def _data(plan: Plan, kind: str, attribute: str) -> str:
    for each in plan.data(kind):
        value = each.get(attribute) or each.get("id")
        if isinstance(value, str) and value:
            return value
    return ""


def region_of(plan: Plan, instance: Instance) -> str:
    """A resource's region: its own attribute (provider 6), or its provider's; "" if untold."""
    own = instance.get("region")
    if isinstance(own, str) and own:
        return own
    key = plan.configuration(instance).get("provider_config_key", "")
    return _provider_region(plan, str(key)) if key else ""


def _provider_region(plan: Plan, key: str = "aws") -> str:
    providers = plan.document.get("configuration", {}).get("provider_config", {})
    written: Any = providers.get(key, {}).get("expressions", {}).get("region", {})
    constant = written.get("constant_value")
    if isinstance(constant, str):
        return constant
    for name in references(written):
        variable = plan.document.get("variables", {}).get(name.removeprefix("var."), {})
        if isinstance(variable.get("value"), str):
            return str(variable["value"])
    return ""
