"""Principals of repository and registry policies that the plan does not have.

ECR refuses a policy that names a principal which does not exist. One that the plan does not have
may exist already: that is not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ecr_feed.naming import account_of
from ecr_feed.planned.terraform.identities import Identities
from ecr_feed.planned.terraform.principals import PlannedPrincipal
from ecr_feed.planned.terraform.scope import PlanScope


def unheld_principals(text: str, found: Identities) -> list[str]:
    """The AWS principals of a resource-based policy that neither plan nor stated account holds."""
    named = dict.fromkeys(_aws_principals(json.loads(text)))
    return [each for each in named if not _is_held(each, found)]


def names_principals(text: str) -> bool:
    """The policy names a user, role or session, rather than accounts or everyone."""
    return any(
        not (each == "*" or each.isdigit() or each.endswith(":root"))
        for each in _aws_principals(json.loads(text))
    )


def _aws_principals(document: Mapping[str, Any]) -> Iterator[str]:
    listed = document["Statement"]
    for statement in listed if isinstance(listed, list) else [listed]:
        for element in ("Principal", "NotPrincipal"):
            named = statement.get(element) or {}
            aws = named.get("AWS", []) if isinstance(named, Mapping) else named
            yield from [aws] if isinstance(aws, str) else map(str, aws)


def _is_held(principal: str, found: Identities) -> bool:
    scope = found.policies.scope
    if principal == "*" or principal in found.policies.derived:
        return True
    account = principal if principal.isdigit() else account_of(principal)
    if account != scope.account or not scope.stated:
        return False
    if principal.isdigit() or principal.endswith(":root"):
        return True
    return any(_is_named(each, principal, scope) for each in found.principals)


def _is_named(each: PlannedPrincipal, principal: str, scope: PlanScope) -> bool:
    """The ARN is the principal's, or a session's of it."""
    if not each.named or each.kind == "group" or each.place != scope.home:
        return False
    own = each.arn(scope.account, scope.partition)
    session = f"arn:{scope.partition}:sts::{scope.account}:assumed-role/{each.name}/"
    return principal == own or (each.kind == "role" and principal.startswith(session))
