"""The permissions that a call needs: actions, resources, and the condition keys for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ecr_feed.embedded.ecr.registry_state import StoredRegistry, StoredRepository
from ecr_feed.embedded.identity.callers import ApiCaller
from ecr_feed.embedded.protocol.operation_calls import ApiCall
from ecr_feed.embedded.world import Environment, World

ConditionContext = dict[str, str | tuple[str, ...]]
_TYPES: Final = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "anonymous": "Anonymous",
}


def about_call(
    environment: Environment, caller: ApiCaller, region: str, now: datetime, agent: str = ""
) -> ConditionContext:
    """The condition keys that do not depend on the resource."""
    moment = now.astimezone(UTC)
    context: ConditionContext = {
        "aws:CurrentTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(moment.timestamp())),
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalType": _TYPES[caller.kind],
        "aws:PrincipalIsAWSService": "false",
        **_network(environment),
        **_principal(environment, caller),
    }
    if agent:
        context["aws:UserAgent"] = agent
    return context


def _network(environment: Environment) -> ConditionContext:
    """A call through a VPC endpoint has no public source address."""
    if not environment.vpce:
        return {"aws:SourceIp": environment.source_ip}
    found: ConditionContext = {"aws:SourceVpce": environment.vpce}
    if environment.vpc:
        found["aws:SourceVpc"] = environment.vpc
    return found


def _principal(environment: Environment, caller: ApiCaller) -> ConditionContext:
    if not caller.account:
        return {}
    session = caller.session
    found: ConditionContext = {
        "aws:PrincipalArn": session.issuer if session else caller.arn,
        "aws:PrincipalAccount": caller.account,
        "aws:userid": caller.user_id,
    }
    if environment.organization:
        found["aws:PrincipalOrgID"] = environment.organization
    if caller.kind == "user":
        found["aws:username"] = caller.name
    if session:
        found["aws:TokenIssueTime"] = session.issued.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found["aws:MultiFactorAuthPresent"] = "false"
        found |= session.web
    return found


def tags(prefix: str, given: Mapping[str, str]) -> ConditionContext:
    """Tag keys, such as `aws:ResourceTag/team`."""
    return {f"{prefix}/{key}": value for key, value in given.items()}


# Actions of a registry as a whole.
_REGISTRY_WIDE: Final = frozenset(
    {
        "GetAuthorizationToken", "PutRegistryPolicy", "GetRegistryPolicy",
        "GetAccountSetting", "PutAccountSetting",
        "DescribePullThroughCacheRules", "CreatePullThroughCacheRule",
        "DescribeRepositoryCreationTemplates", "CreateRepositoryCreationTemplate",
    }
)  # fmt: skip
# Operations that need no permission.
_FREE: Final = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
# Operations that sts_api authorises, by the role's trust policy.
_BY_TRUST: Final = frozenset({"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"})


@dataclass(frozen=True, slots=True)
class RequiredPermission:
    """One action on one resource that a call needs.

    `registry`, `repository`: where set, their resource policies are evaluated too.
    """

    action: str
    resource: str
    account: str
    context: ConditionContext = field(default_factory=dict)
    registry: StoredRegistry | None = None
    repository: StoredRepository | None = None


def required_permissions(
    world: World, call: ApiCall, caller: ApiCaller
) -> Iterator[RequiredPermission]:
    """Every permission that a call needs; it is denied unless it has all of them."""
    if call.action in _FREE | _BY_TRUST:
        return
    if call.service == "ecr":
        yield from _ecr(world, call, caller)
    elif call.service == "iam":
        yield from _iam(world, call, caller)
    elif call.service == "account":
        arn = f"arn:{world.partition}:account::{caller.account}:account"
        yield RequiredPermission(call.action, arn, caller.account)
    else:
        yield RequiredPermission(call.action, "*", caller.account)


def _ecr(world: World, call: ApiCall, caller: ApiCaller) -> Iterator[RequiredPermission]:
    params = call.params
    account = params.get("registryId") or caller.account
    registry = world.registries.get(account, call.region)
    if call.operation in _REGISTRY_WIDE:
        yield RequiredPermission(call.action, "*", caller.account)
        return
    asked = _request_tags(params)
    for name in _names(call):
        yield _on_repository(call.action, registry, name, asked)
    if call.operation == "CreateRepository" and params.get("tags"):
        yield _on_repository("ecr:TagResource", registry, params["repositoryName"], asked)
    if "resourceArn" in params:
        yield _on_arn(world, call.action, params["resourceArn"], asked)


def _names(call: ApiCall) -> list[str]:
    """The repositories that the call names; `*` for a list call without names."""
    params = call.params
    if "repositoryNames" in params:
        return list(dict.fromkeys(params["repositoryNames"]))
    if "repositoryName" in params:
        return [params["repositoryName"]]
    return [] if "resourceArn" in params else ["*"]


def on_repository(registry: StoredRegistry, action: str, name: str) -> RequiredPermission:
    """The permission for an action on one repository, or on `*` for all of them."""
    return _on_repository(action, registry, name, {})


def _on_repository(
    action: str, registry: StoredRegistry, name: str, asked: ConditionContext
) -> RequiredPermission:
    repository = registry.repositories.get(name)
    context = dict(asked)
    if repository is not None:
        context |= tags("aws:ResourceTag", repository.resource_tags)
        context |= tags("ecr:ResourceTag", repository.resource_tags)
    context["aws:ResourceAccount"] = registry.account
    return RequiredPermission(
        action, registry.arn(name), registry.account, context, registry, repository
    )


def _on_arn(world: World, action: str, arn: str, asked: ConditionContext) -> RequiredPermission:
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[5].startswith("repository/"):
        registry = world.registries.get(parts[4], parts[3])
        return _on_repository(action, registry, parts[5].removeprefix("repository/"), asked)
    return RequiredPermission(action, arn, parts[4] if len(parts) > 4 else "", asked)


def _request_tags(params: dict[str, Any]) -> ConditionContext:
    given = params.get("tags") or []
    found = tags("aws:RequestTag", {tag["Key"]: tag.get("Value", "") for tag in given})
    if keys := [tag["Key"] for tag in given] or list(params.get("tagKeys", [])):
        found["aws:TagKeys"] = tuple(keys)
    return found


_IAM_NAMES: Final = (
    ("UserName", "user", "users"),
    ("RoleName", "role", "roles"),
    ("GroupName", "group", "groups"),
)
# The resource of a call that names none: the caller (users only), or all of one type.
_IAM_LISTS: Final = {
    "ListUsers": "user/",
    "ListRoles": "role/",
    "ListGroups": "group/",
    "ListOpenIDConnectProviders": "oidc-provider/*",
}
_SELF: Final = frozenset({"GetUser", "ListAccessKeys", "CreateAccessKey", "UpdateAccessKey",
                          "DeleteAccessKey", "ListMFADevices", "GetLoginProfile"})  # fmt: skip
_IAM_ARNS: Final = ("OpenIDConnectProviderArn", "PolicySourceArn", "PolicyArn", "SAMLProviderArn")


def _iam(world: World, call: ApiCall, caller: ApiCaller) -> Iterator[RequiredPermission]:
    resource, context = _iam_resource(world, call, caller)
    if "PolicyArn" in call.params:
        context["iam:PolicyARN"] = call.params["PolicyArn"]
    if "PermissionsBoundary" in call.params:
        context["iam:PermissionsBoundary"] = call.params["PermissionsBoundary"]
    yield RequiredPermission(call.action, resource, caller.account, context)


def _iam_resource(world: World, call: ApiCall, caller: ApiCaller) -> tuple[str, ConditionContext]:
    params, stem = call.params, f"arn:{world.partition}:iam::{caller.account}:"
    details = world.directory.details(caller.account)
    for param, kind, kept in _IAM_NAMES:
        if param in params:
            entity = getattr(details, kept).get(params[param])
            if entity is None:
                path = params.get("Path", "/")
                return f"{stem}{kind}{path}{params[param]}", {}
            found = tags("aws:ResourceTag", entity.tags) | tags("iam:ResourceTag", entity.tags)
            return entity.arn, found
    for param in _IAM_ARNS:
        if param in params:
            return params[param], {}
    if call.operation == "GetAccessKeyLastUsed":
        return _key_owner(world, call, stem), {}
    if call.operation in _SELF and caller.kind == "user":
        return caller.arn, {}
    if call.operation in _IAM_LISTS:
        return stem + _IAM_LISTS[call.operation], {}
    if call.operation == "CreatePolicy":
        return f"{stem}policy{params.get('Path', '/')}{params.get('PolicyName', '')}", {}
    return "*", {}


def _key_owner(world: World, call: ApiCall, stem: str) -> str:
    key = world.keys.keys.get(call.params["AccessKeyId"])
    users = world.directory.details(key.account).users if key else {}
    owner = users.get(key.user) if key else None
    return owner.arn if owner else f"{stem}user/*"
