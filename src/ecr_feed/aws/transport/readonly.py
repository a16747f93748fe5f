"""The written list of operations that may leave this process, and the guard that holds to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Made for the sake of the answer: none of these changes anything in an account.
READS: Final[Mapping[str, frozenset[str]]] = {
    "ecr": frozenset(
        {
            "DescribeImages",
            "DescribePullThroughCacheRules",
            "DescribeRepositories",
            "DescribeRepositoryCreationTemplates",
            "GetAuthorizationToken",
            "GetLifecyclePolicy",
            "GetRegistryPolicy",
            "GetRepositoryPolicy",
            "ListImages",
            "ListTagsForResource",
        }
    ),
    "sts": frozenset({"GetCallerIdentity"}),
    "iam": frozenset(
        {
            "GetAccessKeyLastUsed",
            "GetAccountAuthorizationDetails",
            "GetAccountSummary",
            "GetGroupPolicy",
            "GetLoginProfile",
            "GetOpenIDConnectProvider",
            "GetPolicy",
            "GetPolicyVersion",
            "GetRole",
            "GetRolePolicy",
            "GetUser",
            "GetUserPolicy",
            "ListAccessKeys",
            "ListAttachedGroupPolicies",
            "ListAttachedRolePolicies",
            "ListAttachedUserPolicies",
            "ListGroupPolicies",
            "ListGroupsForUser",
            "ListOpenIDConnectProviders",
            "ListRolePolicies",
            "ListUserPolicies",
            "SimulatePrincipalPolicy",
        }
    ),
    "account": frozenset({"GetRegionOptStatus", "ListRegions"}),
    "organizations": frozenset(
        {"DescribeOrganization", "DescribePolicy", "ListParents", "ListPoliciesForTarget"}
    ),
}
# How a credential provider turns what the caller has into a session: AWS hands out credentials and
# keeps nothing that a later call could see. OIDC feeds and profiles cannot be judged without.
EXCHANGES: Final[Mapping[str, frozenset[str]]] = {
    "sts": frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "signin": frozenset({"CreateOAuth2Token"}),
}
SERVICES: Final = frozenset(READS) | frozenset(EXCHANGES)


class GuardError(Exception):
    """An operation that is not on the written list was about to be called."""

    def __init__(self, service: str, operation: str) -> None:
        super().__init__(
            f"{service}:{operation} is not on the list of reads (ecr_feed/aws/readonly.py):"
            " nothing was sent"
        )
        self.service = service
        self.operation = operation


def is_allowed(service: str, operation: str) -> bool:
    """Whether an operation, by its API name, is on the list."""
    return operation in READS.get(service, ()) or operation in EXCHANGES.get(service, ())


def install(events: Any) -> None:
    """Hook the guard into a session's event emitter; clients made afterwards inherit it.

    `provide-client-params` comes first for every operation, presigned URLs and paginators
    included; `before-call` is the last event before a request is signed and sent.
    """
    for event in ("provide-client-params", "before-call"):
        events.register_first(event, _refuse, unique_id=f"ecr-feed-read-only-{event}")


def _refuse(model: Any, **_: object) -> None:
    service, operation = model.service_model.service_id.hyphenize(), model.name
    if not is_allowed(service, operation):
        raise GuardError(service, operation)
