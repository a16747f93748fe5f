"""Principals of repository policies that neither a plan nor a stated account holds.

ECR refuses a policy that names a principal which does not exist. One that no document has may exist
already: that is not known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_feed.naming import account_of


@dataclass(frozen=True, slots=True)
class Unheld:
    """A repository policy that names such principals: `remarks` has a sentence for each.

    `doubt` is why nothing that only this policy grants is proven.
    """

    remarks: tuple[str, ...]
    doubt: str


def unheld(text: str, repository: str, account: str, holds: Callable[[str], bool]) -> Unheld | None:
    """What a repository policy names beyond what there is; None for nothing.

    `account` is the stated one, "" without it; `holds` says whether the documents have a principal.
    """
    named = [
        each
        for each in dict.fromkeys(_aws_principals(json.loads(text)))
        if each != "*" and not _is_account(each, account) and not holds(each)
    ]
    if not named:
        return None
    where = f"the policy of {repository}"
    return Unheld(
        tuple(
            f"{where} names {each}, which neither the plan nor a stated account holds: ECR refuses "
            "a policy that names a principal which does not exist."
            for each in named
        ),
        f"only {where} grants it, and ECR refuses that policy unless {named[0]} exists, which "
        "nothing here says",
    )


def names_principals(text: str) -> bool:
    """The policy names a user, role or session, rather than accounts or everyone."""
    return any(
        not (each == "*" or each.isdigit() or each.endswith(":root"))
        for each in _aws_principals(json.loads(text))
    )


def _is_account(principal: str, account: str) -> bool:
    """The principal is the stated account as a whole."""
    whole = principal if principal.isdigit() else ""
    if principal.endswith(":root"):
        whole = account_of(principal)
    return bool(account) and whole == account


def _aws_principals(document: Mapping[str, Any]) -> Iterator[str]:
    listed = document["Statement"]
    for statement in listed if isinstance(listed, list) else [listed]:
        for element in ("Principal", "NotPrincipal"):
            named = statement.get(element) or {}
            aws = named.get("AWS", []) if isinstance(named, Mapping) else named
            yield from [aws] if isinstance(aws, str) else map(str, aws)
