"""ECR: the authorization token and the registry-wide operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ecr_feed.embedded.ecr.registry_state import EcrCall, invalid
from ecr_feed.embedded.protocol.wire import Params, Result, ServiceError
from ecr_feed.iam import PolicyError, parse, quota


def authorization_token(call: EcrCall, params: Params) -> Result:
    """A token per requested registry; the caller's own registry by default."""
    accounts = params.get("registryIds") or [call.caller.account]
    data = []
    for account in accounts:
        token, expires = call.tokens.issue(call.caller, account, call.region, call.now)
        data.append(
            {
                "authorizationToken": token,
                "expiresAt": expires,
                "proxyEndpoint": f"https://{call.registries.get(account, call.region).host}",
            }
        )
    return {"authorizationData": data}


def put_registry_policy(call: EcrCall, params: Params) -> Result:
    """Store the registry policy."""
    registry, text = call.registry(params), params["policyText"]
    try:
        parse(text, kind="registry", limit=quota("registry"))
    except PolicyError:
        raise invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint") from None
    registry.policy = text
    return {"registryId": registry.account, "policyText": text}


def get_registry_policy(call: EcrCall, params: Params) -> Result:
    """The registry policy's text."""
    registry = call.registry(params)
    if not registry.policy:
        raise ServiceError(
            "RegistryPolicyNotFoundException",
            f"Registry policy does not exist in the registry with id '{registry.account}'",
        )
    return {"registryId": registry.account, "policyText": registry.policy}


_SCOPE: Final = "REGISTRY_POLICY_SCOPE"


def get_account_setting(call: EcrCall, params: Params) -> Result:
    """The scope of the registry policy, the only setting that is kept."""
    if params["name"] != _SCOPE:
        raise invalid(f"Invalid parameter at 'name': '{params['name']}' is not known here")
    return {"name": _SCOPE, "value": call.registry(params).policy_scope}


def put_account_setting(call: EcrCall, params: Params) -> Result:
    """Set the scope of the registry policy."""
    if params["name"] != _SCOPE or params["value"] not in ("V1", "V2"):
        raise invalid("Invalid parameter at 'name' or 'value' failed to satisfy constraint")
    call.registry(params).policy_scope = params["value"]
    return {"name": _SCOPE, "value": params["value"]}


def describe_cache_rules(call: EcrCall, params: Params) -> Result:
    """Pull-through cache rules; a prefix that has none is an error."""
    registry = call.registry(params)
    prefixes = params.get("ecrRepositoryPrefixes")
    if prefixes is None:
        return {"pullThroughCacheRules": list(registry.cache_rules.values())}
    return {"pullThroughCacheRules": [_rule(call, params, prefix) for prefix in prefixes]}


def _rule(call: EcrCall, params: Params, prefix: str) -> Result:
    registry = call.registry(params)
    found = registry.cache_rules.get(prefix)
    if found is None:
        raise ServiceError(
            "PullThroughCacheRuleNotFoundException",
            f"Pull through cache rule with prefix '{prefix}' does not exist in the registry with "
            f"id '{registry.account}'",
        )
    return found


def create_cache_rule(call: EcrCall, params: Params) -> Result:
    """A new pull-through cache rule; its upstream is never called."""
    registry, prefix = call.registry(params), params["ecrRepositoryPrefix"]
    if prefix in registry.cache_rules:
        raise ServiceError(
            "PullThroughCacheRuleAlreadyExistsException",
            f"A pull through cache rule with prefix '{prefix}' already exists",
        )
    rule = {**params, "registryId": registry.account, "createdAt": call.now, "updatedAt": call.now}
    registry.cache_rules[prefix] = rule
    return {name: value for name, value in rule.items() if name != "updatedAt"}


def describe_templates(call: EcrCall, params: Params) -> Result:
    """Repository creation templates; a prefix that has none is left out."""
    registry = call.registry(params)
    wanted = params.get("prefixes")
    found = [t for p, t in registry.templates.items() if wanted is None or p in wanted]
    return {"registryId": registry.account, "repositoryCreationTemplates": found}


def create_template(call: EcrCall, params: Params) -> Result:
    """A new repository creation template."""
    registry, prefix = call.registry(params), params["prefix"]
    if prefix in registry.templates:
        raise ServiceError(
            "TemplateAlreadyExistsException", f"A template with prefix '{prefix}' already exists"
        )
    times = {"createdAt": call.now, "updatedAt": call.now}
    template = {"imageTagMutability": "MUTABLE", **params, **times}
    registry.templates[prefix] = template
    return {"registryId": registry.account, "repositoryCreationTemplate": template}


HANDLERS: Final[Mapping[str, Callable[[EcrCall, Params], Result]]] = {
    "GetAuthorizationToken": authorization_token,
    "PutRegistryPolicy": put_registry_policy,
    "GetRegistryPolicy": get_registry_policy,
    "GetAccountSetting": get_account_setting,
    "PutAccountSetting": put_account_setting,
    "DescribePullThroughCacheRules": describe_cache_rules,
    "CreatePullThroughCacheRule": create_cache_rule,
    "DescribeRepositoryCreationTemplates": describe_templates,
    "CreateRepositoryCreationTemplate": create_template,
}
