"""The list of operations that the suite may call, and the guard that refuses all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# None of these changes anything in an account.
READS: Final[Mapping[str, frozenset[str]]] = {
    "ecr": frozenset(
        {
            "DescribeImages",
            "DescribePullThroughCacheRules",
            "DescribeRepositories",
            "DescribeRepositoryCreationTemplates",
            "GetAccountSetting",
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
    "organizations": frozenset(
        {
            "DescribeOrganization",
            "DescribePolicy",
            "ListParents",
            "ListPoliciesForTarget",
            "ListRoots",
        }
    ),
}
# How credential providers obtain session credentials, for OIDC feeds and for profiles. They change
# nothing in an account either.
CREDENTIAL_CALLS: Final[Mapping[str, frozenset[str]]] = {
    "sts": frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "signin": frozenset({"CreateOAuth2Token"}),
}
SERVICES: Final = frozenset(READS) | frozenset(CREDENTIAL_CALLS)


class GuardError(Exception):
    """An operation that is not on the list was called; nothing was sent."""

    def __init__(self, service: str, operation: str) -> None:
        super().__init__(f"{service}:{operation} is not on the list of reads: nothing was sent")
        self.service = service
        self.operation = operation


def is_allowed(service: str, operation: str) -> bool:
    """Whether an operation, by its API name, is on the list."""
    return operation in READS.get(service, ()) or operation in CREDENTIAL_CALLS.get(service, ())


def install(events: Any) -> None:
    """Register the guard on a session's event emitter, for all clients made afterwards.

    `provide-client-params` is the first event of every operation, presigned URLs and paginators
    included; `before-call` is the last one before a request is signed and sent.
    """
    for event in ("provide-client-params", "before-call"):
        events.register_first(event, _refuse, unique_id=f"ecr-feed-read-only-{event}")


def _refuse(model: Any, **_: object) -> None:
    service, operation = model.service_model.service_id.hyphenize(), model.name
    if not is_allowed(service, operation):
        raise GuardError(service, operation)
