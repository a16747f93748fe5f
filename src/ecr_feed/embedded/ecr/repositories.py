"""ECR: repositories, their settings, policies and tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ecr_feed.embedded.ecr.state import Context, Params, Repository, Result, invalid, named
from ecr_feed.embedded.protocol.wire import ServiceError
from ecr_feed.iam import PolicyError, parse

Handler = Callable[[Context, Params], Result]


def describe_repositories(ctx: Context, params: Params) -> Result:
    """Rows of the repositories asked for; one missing name fails the whole batch."""
    registry = ctx.registry(params)
    names = params.get("repositoryNames")
    if names is None:
        return {"repositories": [row(each) for each in registry.repositories.values()]}
    if "maxResults" in params or "nextToken" in params:
        raise invalid(
            "Invalid parameter: 'maxResults' and 'nextToken' cannot be used with 'repositoryNames'"
        )
    return {"repositories": [row(named(registry, name)) for name in dict.fromkeys(names)]}


def row(repository: Repository) -> Result:
    """One item of DescribeRepositories."""
    found: Result = {
        "repositoryArn": repository.arn,
        "registryId": repository.account,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri,
        "createdAt": repository.created_at,
        "imageTagMutability": repository.mutability,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": dict(repository.encryption),
    }
    if repository.exclusions:
        found["imageTagMutabilityExclusionFilters"] = _filters(repository)
    return found


def _filters(repository: Repository) -> list[Result]:
    return [{"filterType": "WILDCARD", "filter": each} for each in repository.exclusions]


def create_repository(ctx: Context, params: Params) -> Result:
    """A new, empty repository."""
    registry, name = ctx.registry(params), params["repositoryName"]
    if name in registry.repositories:
        raise ServiceError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id "
            f"'{registry.account}'",
        )
    mutability = _mutability(params)
    made = registry.create(name, ctx.now)
    made.mutability, made.exclusions = mutability
    made.scan_on_push = bool(params.get("imageScanningConfiguration", {}).get("scanOnPush"))
    made.encryption = params.get("encryptionConfiguration") or made.encryption
    made.resource_tags = {tag["Key"]: tag["Value"] for tag in params.get("tags", [])}
    return {"repository": row(made)}


def _mutability(params: Params) -> tuple[str, tuple[str, ...]]:
    kind = params.get("imageTagMutability", "MUTABLE")
    exclusions = tuple(f["filter"] for f in params.get("imageTagMutabilityExclusionFilters", []))
    if bool(exclusions) != kind.endswith("_WITH_EXCLUSION"):
        raise invalid(
            "Invalid parameter at 'imageTagMutabilityExclusionFilters': filters are required with, "
            "and only with, a mutability that has exclusions"
        )
    return kind, exclusions


def delete_repository(ctx: Context, params: Params) -> Result:
    """Remove a repository; one that holds images only with `force`."""
    found = ctx.repository(params)
    if found.images and not params.get("force"):
        raise ServiceError(
            "RepositoryNotEmptyException",
            f"The repository with name '{found.name}' in registry with id '{found.account}' cannot "
            "be deleted because it still contains images",
        )
    del ctx.registry(params).repositories[found.name]
    return {"repository": row(found)}


def put_mutability(ctx: Context, params: Params) -> Result:
    """Change what happens to a tag that is pushed again."""
    found = ctx.repository(params)
    found.mutability, found.exclusions = _mutability(params)
    answer: Result = _about(found) | {"imageTagMutability": found.mutability}
    if found.exclusions:
        answer["imageTagMutabilityExclusionFilters"] = _filters(found)
    return answer


def put_scanning(ctx: Context, params: Params) -> Result:
    """Scan on push, or not."""
    found = ctx.repository(params)
    found.scan_on_push = bool(params["imageScanningConfiguration"].get("scanOnPush"))
    setting = {"scanOnPush": found.scan_on_push}
    return _about(found) | {"imageScanningConfiguration": setting}


def _about(repository: Repository) -> Result:
    return {"registryId": repository.account, "repositoryName": repository.name}


def set_policy(ctx: Context, params: Params) -> Result:
    """Store a repository policy; ECR refuses Resource elements and the token action."""
    found = ctx.repository(params)
    text = params["policyText"]
    _check_repository_policy(text)
    found.policy = text
    return _about(found) | {"policyText": text}


def _check_repository_policy(text: str) -> None:
    wrong = ServiceError(
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
        "'Invalid repository policy provided'",
    )
    try:
        parse(text, kind="resource")
    except PolicyError:
        raise wrong from None
    statements = json.loads(text)["Statement"]
    listed = [statements] if isinstance(statements, dict) else statements
    if not all(map(_fits_repository, listed)):
        raise wrong


def _fits_repository(statement: Mapping[str, Any]) -> bool:
    """What the ECR service takes: no resource, no registry-level token action."""
    if {"Resource", "NotResource"} & statement.keys():
        return False
    actions = statement.get("Action", statement.get("NotAction", []))
    listed = [actions] if isinstance(actions, str) else actions
    return all(str(each).lower() != "ecr:getauthorizationtoken" for each in listed)


def _json(text: str, wrong: ServiceError) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise wrong from None


def get_policy(ctx: Context, params: Params) -> Result:
    """The repository policy's text."""
    found = ctx.repository(params)
    _need(found.policy, "RepositoryPolicyNotFoundException", "Repository policy", found)
    return _about(found) | {"policyText": found.policy}


def delete_policy(ctx: Context, params: Params) -> Result:
    """Remove the repository policy."""
    answer = get_policy(ctx, params)
    ctx.repository(params).policy = ""
    return answer


def _need(text: str, code: str, what: str, repository: Repository) -> None:
    if not text:
        raise ServiceError(
            code,
            f"{what} does not exist for the repository with name '{repository.name}' in the "
            f"registry with id '{repository.account}'",
        )


def put_lifecycle(ctx: Context, params: Params) -> Result:
    """Store a lifecycle policy. It is kept, and never run."""
    found, text = ctx.repository(params), params["lifecyclePolicyText"]
    wrong = invalid(
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        "'Lifecycle policy validation failure: no valid rules'"
    )
    document = _json(text, wrong)
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not rules or not all(map(_is_rule, rules)):
        raise wrong
    found.lifecycle = text
    return _about(found) | {"lifecyclePolicyText": text}


def _is_rule(rule: object) -> bool:
    return isinstance(rule, dict) and {"rulePriority", "selection", "action"} <= rule.keys()


def get_lifecycle(ctx: Context, params: Params) -> Result:
    """The lifecycle policy's text."""
    found = ctx.repository(params)
    _need(found.lifecycle, "LifecyclePolicyNotFoundException", "Lifecycle policy", found)
    return _about(found) | {"lifecyclePolicyText": found.lifecycle}


def delete_lifecycle(ctx: Context, params: Params) -> Result:
    """Remove the lifecycle policy."""
    answer = get_lifecycle(ctx, params)
    ctx.repository(params).lifecycle = ""
    return answer


def of_arn(ctx: Context, params: Params) -> Repository:
    """The repository of `resourceArn`."""
    parts = params["resourceArn"].split(":", 5)
    if len(parts) != 6 or not parts[5].startswith("repository/"):
        raise invalid(f"Invalid parameter at 'resourceArn': '{params['resourceArn']}'")
    registry = ctx.registries.get(parts[4], parts[3])
    return named(registry, parts[5].removeprefix("repository/"))


def list_tags(ctx: Context, params: Params) -> Result:
    """The tags of the repository itself (not of images)."""
    tags = of_arn(ctx, params).resource_tags
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tag(ctx: Context, params: Params) -> Result:
    """Add or change tags."""
    of_arn(ctx, params).resource_tags.update({t["Key"]: t["Value"] for t in params["tags"]})
    return {}


def untag(ctx: Context, params: Params) -> Result:
    """Remove tags."""
    tags = of_arn(ctx, params).resource_tags
    for key in params["tagKeys"]:
        tags.pop(key, None)
    return {}


HANDLERS: Final[Mapping[str, Handler]] = {
    "DescribeRepositories": describe_repositories,
    "CreateRepository": create_repository,
    "DeleteRepository": delete_repository,
    "PutImageTagMutability": put_mutability,
    "PutImageScanningConfiguration": put_scanning,
    "SetRepositoryPolicy": set_policy,
    "GetRepositoryPolicy": get_policy,
    "DeleteRepositoryPolicy": delete_policy,
    "PutLifecyclePolicy": put_lifecycle,
    "GetLifecyclePolicy": get_lifecycle,
    "DeleteLifecyclePolicy": delete_lifecycle,
    "ListTagsForResource": list_tags,
    "TagResource": tag,
    "UntagResource": untag,
}
