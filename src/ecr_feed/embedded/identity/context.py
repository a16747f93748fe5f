"""What a call is judged by: the resource that it acts on, and its condition keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ecr_feed.embedded.core.environment import Environment
from ecr_feed.embedded.core.world import World
from ecr_feed.embedded.ecr.state import Registry, Repository
from ecr_feed.embedded.identity.callers import Caller
from ecr_feed.embedded.protocol.protocol import Call

Context = dict[str, str | tuple[str, ...]]
_TYPES: Final = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated": "FederatedUser",
    "anonymous": "Anonymous",
}


def about_call(
    environment: Environment, caller: Caller, region: str, now: datetime, agent: str = ""
) -> Context:
    """Keys that every call has, whatever it acts on."""
    moment = now.astimezone(UTC)
    context: Context = {
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


def _network(environment: Environment) -> Context:
    """Through a VPC endpoint there is no public source address."""
    if not environment.vpce:
        return {"aws:SourceIp": environment.source_ip}
    found: Context = {"aws:SourceVpce": environment.vpce}
    if environment.vpc:
        found["aws:SourceVpc"] = environment.vpc
    return found


def _principal(environment: Environment, caller: Caller) -> Context:
    if not caller.account:
        return {}
    session = caller.session
    found: Context = {
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


def tags(prefix: str, given: Mapping[str, str]) -> Context:
    """Tag keys, such as `aws:ResourceTag/team`."""
    return {f"{prefix}/{key}": value for key, value in given.items()}


# Actions of a registry as a whole.
_REGISTRY_WIDE: Final = frozenset(
    {
        "GetAuthorizationToken", "DescribeRegistry", "PutReplicationConfiguration",
        "PutRegistryPolicy", "GetRegistryPolicy", "DeleteRegistryPolicy",
        "GetRegistryScanningConfiguration", "PutRegistryScanningConfiguration",
        "GetAccountSetting", "PutAccountSetting", "DescribePullThroughCacheRules",
        "CreatePullThroughCacheRule", "DeletePullThroughCacheRule",
        "UpdatePullThroughCacheRule", "ValidatePullThroughCacheRule",
        "DescribeRepositoryCreationTemplates", "CreateRepositoryCreationTemplate",
        "DeleteRepositoryCreationTemplate", "UpdateRepositoryCreationTemplate",
        "GetSigningConfiguration", "PutSigningConfiguration", "DeleteSigningConfiguration",
    }
)  # fmt: skip
_ACTIONS: Final = {"ListImageReferrers": "BatchGetImage"}
# No permission is needed for these, and sts judges these itself.
_FREE: Final = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
_JUDGED_THERE: Final = frozenset({"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"})


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to be authorised. `repository` is there where its policy counts too."""

    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)
    registry: Registry | None = None
    repository: Repository | None = None


def deeds(world: World, call: Call, caller: Caller) -> Iterator[Deed]:
    """Everything that a call needs permission for; all of it is needed."""
    if call.action in _FREE | _JUDGED_THERE:
        return
    if call.service == "ecr":
        yield from _ecr(world, call, caller)
    elif call.service == "iam":
        yield from _iam(world, call, caller)
    elif call.service == "account":
        arn = f"arn:{world.partition}:account::{caller.account}:account"
        yield Deed(call.action, arn, caller.account)
    else:
        yield Deed(call.action, "*", caller.account)


def _ecr(world: World, call: Call, caller: Caller) -> Iterator[Deed]:
    params = call.params
    action = f"ecr:{_ACTIONS.get(call.operation, call.operation)}"
    account = params.get("registryId") or caller.account
    registry = world.registries.get(account, call.region)
    if call.operation in _REGISTRY_WIDE:
        yield Deed(action, "*", caller.account)
        return
    asked = _request_tags(params)
    for name in _names(call):
        yield _on_repository(action, registry, name, asked)
    if call.operation == "CreateRepository" and params.get("tags"):
        yield _on_repository("ecr:TagResource", registry, params["repositoryName"], asked)
    if "resourceArn" in params:
        yield _on_arn(world, action, params["resourceArn"], asked)


def _names(call: Call) -> list[str]:
    """Repositories named; `*` for a list without names."""
    params = call.params
    if "repositoryNames" in params:
        return list(dict.fromkeys(params["repositoryNames"]))
    if "repositoryName" in params:
        return [params["repositoryName"]]
    return [] if "resourceArn" in params else ["*"]


def on_repository(registry: Registry, action: str, name: str) -> Deed:
    """A deed on one repository, or on `*` for all of them."""
    return _on_repository(action, registry, name, {})


def _on_repository(action: str, registry: Registry, name: str, asked: Context) -> Deed:
    repository = registry.repositories.get(name)
    context = dict(asked)
    if repository is not None:
        context |= tags("aws:ResourceTag", repository.resource_tags)
        context |= tags("ecr:ResourceTag", repository.resource_tags)
    context["aws:ResourceAccount"] = registry.account
    return Deed(action, registry.arn(name), registry.account, context, registry, repository)


def _on_arn(world: World, action: str, arn: str, asked: Context) -> Deed:
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[5].startswith("repository/"):
        registry = world.registries.get(parts[4], parts[3])
        return _on_repository(action, registry, parts[5].removeprefix("repository/"), asked)
    return Deed(action, arn, parts[4] if len(parts) > 4 else "", asked)


def _request_tags(params: dict[str, Any]) -> Context:
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
# What a call with no name means: the caller (users only), or a kind of thing as a whole.
_IAM_LISTS: Final = {
    "ListUsers": "user/",
    "ListRoles": "role/",
    "ListGroups": "group/",
    "ListOpenIDConnectProviders": "oidc-provider/*",
}
_SELF: Final = frozenset({"GetUser", "ListAccessKeys", "CreateAccessKey", "UpdateAccessKey",
                          "DeleteAccessKey", "ListMFADevices", "GetLoginProfile"})  # fmt: skip
_IAM_ARNS: Final = ("OpenIDConnectProviderArn", "PolicySourceArn", "PolicyArn", "SAMLProviderArn")


def _iam(world: World, call: Call, caller: Caller) -> Iterator[Deed]:
    resource, context = _iam_resource(world, call, caller)
    if "PolicyArn" in call.params:
        context["iam:PolicyARN"] = call.params["PolicyArn"]
    if "PermissionsBoundary" in call.params:
        context["iam:PermissionsBoundary"] = call.params["PermissionsBoundary"]
    yield Deed(call.action, resource, caller.account, context)


def _iam_resource(world: World, call: Call, caller: Caller) -> tuple[str, Context]:
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


def _key_owner(world: World, call: Call, stem: str) -> str:
    key = world.keys.keys.get(call.params["AccessKeyId"])
    users = world.directory.details(key.account).users if key else {}
    owner = users.get(key.user) if key else None
    return owner.arn if owner else f"{stem}user/*"
