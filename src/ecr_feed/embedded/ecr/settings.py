"""ECR: the token, and what belongs to a registry as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ecr_feed.embedded.ecr.state import Context, Params, Result, invalid
from ecr_feed.embedded.protocol.wire import ServiceError
from ecr_feed.iam import PolicyError, parse


def authorization_token(ctx: Context, params: Params) -> Result:
    """A token per registry asked for; the caller's own registry by default."""
    accounts = params.get("registryIds") or [ctx.caller.account]
    data = []
    for account in accounts:
        token, expires = ctx.tokens.issue(ctx.caller, account, ctx.region, ctx.now)
        data.append(
            {
                "authorizationToken": token,
                "expiresAt": expires,
                "proxyEndpoint": f"https://{ctx.registries.get(account, ctx.region).host}",
            }
        )
    return {"authorizationData": data}


def describe_registry(ctx: Context, params: Params) -> Result:
    """The registry's replication."""
    registry = ctx.registry(params)
    return {"registryId": registry.account, "replicationConfiguration": registry.replication}


def put_replication(ctx: Context, params: Params) -> Result:
    """Store replication rules; nothing is replicated."""
    registry = ctx.registry(params)
    registry.replication = params["replicationConfiguration"]
    return {"replicationConfiguration": registry.replication}


def put_registry_policy(ctx: Context, params: Params) -> Result:
    """Store the registry policy."""
    registry, text = ctx.registry(params), params["policyText"]
    try:
        parse(text, kind="registry")
    except PolicyError:
        raise invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint") from None
    registry.policy = text
    return {"registryId": registry.account, "policyText": text}


def get_registry_policy(ctx: Context, params: Params) -> Result:
    """The registry policy's text."""
    registry = ctx.registry(params)
    if not registry.policy:
        raise ServiceError(
            "RegistryPolicyNotFoundException",
            f"Registry policy does not exist in the registry with id '{registry.account}'",
        )
    return {"registryId": registry.account, "policyText": registry.policy}


def delete_registry_policy(ctx: Context, params: Params) -> Result:
    """Remove the registry policy."""
    answer = get_registry_policy(ctx, params)
    ctx.registry(params).policy = ""
    return answer


def get_scanning(ctx: Context, params: Params) -> Result:
    """The registry's scanning configuration."""
    registry = ctx.registry(params)
    return {"registryId": registry.account, "scanningConfiguration": registry.scanning}


def put_scanning(ctx: Context, params: Params) -> Result:
    """Store the registry's scanning configuration; nothing is scanned."""
    registry = ctx.registry(params)
    registry.scanning = {
        "scanType": params.get("scanType", "BASIC"),
        "rules": params.get("rules", []),
    }
    return {"registryScanningConfiguration": registry.scanning}


def get_setting(ctx: Context, params: Params) -> Result:
    """An account setting."""
    name = params["name"]
    value = ctx.registry(params).settings.get(name)
    if value is None:
        raise ServiceError("ValidationException", f"Invalid account setting name '{name}'")
    return {"name": name, "value": value}


def put_setting(ctx: Context, params: Params) -> Result:
    """Change an account setting."""
    get_setting(ctx, params)
    ctx.registry(params).settings[params["name"]] = params["value"]
    return {"name": params["name"], "value": params["value"]}


def describe_cache_rules(ctx: Context, params: Params) -> Result:
    """Pull-through cache rules; a prefix that has none is an error."""
    registry = ctx.registry(params)
    prefixes = params.get("ecrRepositoryPrefixes")
    if prefixes is None:
        return {"pullThroughCacheRules": list(registry.cache_rules.values())}
    return {"pullThroughCacheRules": [_rule(ctx, params, prefix) for prefix in prefixes]}


def _rule(ctx: Context, params: Params, prefix: str) -> Result:
    registry = ctx.registry(params)
    found = registry.cache_rules.get(prefix)
    if found is None:
        raise ServiceError(
            "PullThroughCacheRuleNotFoundException",
            f"Pull through cache rule with prefix '{prefix}' does not exist in the registry with "
            f"id '{registry.account}'",
        )
    return found


def create_cache_rule(ctx: Context, params: Params) -> Result:
    """A new pull-through cache rule; its upstream is never called."""
    registry, prefix = ctx.registry(params), params["ecrRepositoryPrefix"]
    if prefix in registry.cache_rules:
        raise ServiceError(
            "PullThroughCacheRuleAlreadyExistsException",
            f"A pull through cache rule with prefix '{prefix}' already exists",
        )
    rule = {**params, "registryId": registry.account, "createdAt": ctx.now, "updatedAt": ctx.now}
    registry.cache_rules[prefix] = rule
    return {name: value for name, value in rule.items() if name != "updatedAt"}


def delete_cache_rule(ctx: Context, params: Params) -> Result:
    """Remove a pull-through cache rule."""
    rule = _rule(ctx, params, params["ecrRepositoryPrefix"])
    del ctx.registry(params).cache_rules[params["ecrRepositoryPrefix"]]
    return {name: value for name, value in rule.items() if name != "updatedAt"}


def describe_templates(ctx: Context, params: Params) -> Result:
    """Repository creation templates; a prefix that has none is left out."""
    registry = ctx.registry(params)
    wanted = params.get("prefixes")
    found = [t for p, t in registry.templates.items() if wanted is None or p in wanted]
    return {"registryId": registry.account, "repositoryCreationTemplates": found}


def create_template(ctx: Context, params: Params) -> Result:
    """A new repository creation template."""
    registry, prefix = ctx.registry(params), params["prefix"]
    if prefix in registry.templates:
        raise ServiceError(
            "TemplateAlreadyExistsException", f"A template with prefix '{prefix}' already exists"
        )
    times = {"createdAt": ctx.now, "updatedAt": ctx.now}
    template = {"imageTagMutability": "MUTABLE", **params, **times}
    registry.templates[prefix] = template
    return {"registryId": registry.account, "repositoryCreationTemplate": template}


def delete_template(ctx: Context, params: Params) -> Result:
    """Remove a repository creation template."""
    registry, prefix = ctx.registry(params), params["prefix"]
    if prefix not in registry.templates:
        raise ServiceError(
            "TemplateNotFoundException", f"The template with prefix '{prefix}' does not exist"
        )
    template = registry.templates.pop(prefix)
    return {"registryId": registry.account, "repositoryCreationTemplate": template}


def get_signing(ctx: Context, params: Params) -> Result:
    """Nothing is signed."""
    text = f"Signing configuration does not exist in the registry '{ctx.caller.account}'"
    raise ServiceError("SigningConfigurationNotFoundException", text)


def repository_scanning(ctx: Context, params: Params) -> Result:
    """How each repository is scanned; one that does not exist is a failure in a 200."""
    registry = ctx.registry(params)
    found, failures = [], []
    for name in params["repositoryNames"]:
        repository = registry.repositories.get(name)
        if repository is None:
            code = "REPOSITORY_NOT_FOUND"
            failures.append({"repositoryName": name, "failureCode": code, "failureReason": code})
            continue
        found.append(
            {
                "repositoryArn": repository.arn,
                "repositoryName": name,
                "scanOnPush": repository.scan_on_push,
                "scanFrequency": "SCAN_ON_PUSH" if repository.scan_on_push else "MANUAL",
                "appliedScanFilters": [],
            }
        )
    return {"scanningConfigurations": found, "failures": failures}


HANDLERS: Final[Mapping[str, Callable[[Context, Params], Result]]] = {
    "GetAuthorizationToken": authorization_token,
    "DescribeRegistry": describe_registry,
    "PutReplicationConfiguration": put_replication,
    "PutRegistryPolicy": put_registry_policy,
    "GetRegistryPolicy": get_registry_policy,
    "DeleteRegistryPolicy": delete_registry_policy,
    "GetRegistryScanningConfiguration": get_scanning,
    "PutRegistryScanningConfiguration": put_scanning,
    "BatchGetRepositoryScanningConfiguration": repository_scanning,
    "GetSigningConfiguration": get_signing,
    "GetAccountSetting": get_setting,
    "PutAccountSetting": put_setting,
    "DescribePullThroughCacheRules": describe_cache_rules,
    "CreatePullThroughCacheRule": create_cache_rule,
    "DeletePullThroughCacheRule": delete_cache_rule,
    "DescribeRepositoryCreationTemplates": describe_templates,
    "CreateRepositoryCreationTemplate": create_template,
    "DeleteRepositoryCreationTemplate": delete_template,
}
