"""ECR: the repository operations, policies and tags included."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ecr_feed.embedded.ecr.registry_state import (
    EcrCall,
    StoredRepository,
    invalid,
    named,
)
from ecr_feed.embedded.protocol.wire import Params, Result, ServiceError
from ecr_feed.iam import PolicyError, parse, quota


def describe_repositories(call: EcrCall, params: Params) -> Result:
    """The requested repositories; one missing name fails the whole batch."""
    registry = call.registry(params)
    names = params.get("repositoryNames")
    if names is None:
        return {"repositories": [row(each) for each in registry.repositories.values()]}
    if "maxResults" in params or "nextToken" in params:
        raise invalid(
            "Invalid parameter: 'maxResults' and 'nextToken' cannot be used with 'repositoryNames'"
        )
    return {"repositories": [row(named(registry, name)) for name in dict.fromkeys(names)]}


def row(repository: StoredRepository) -> Result:
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


def _filters(repository: StoredRepository) -> list[Result]:
    return [{"filterType": "WILDCARD", "filter": each} for each in repository.exclusions]


def create_repository(call: EcrCall, params: Params) -> Result:
    """A new, empty repository."""
    registry, name = call.registry(params), params["repositoryName"]
    if name in registry.repositories:
        raise ServiceError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id "
            f"'{registry.account}'",
        )
    mutability = _mutability(params)
    made = registry.create(name, call.now)
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


def delete_repository(call: EcrCall, params: Params) -> Result:
    """Delete a repository; one with images only with `force`."""
    found = call.repository(params)
    if found.images and not params.get("force"):
        raise ServiceError(
            "RepositoryNotEmptyException",
            f"The repository with name '{found.name}' in registry with id '{found.account}' cannot "
            "be deleted because it still contains images",
        )
    del call.registry(params).repositories[found.name]
    return {"repository": row(found)}


def _about(repository: StoredRepository) -> Result:
    return {"registryId": repository.account, "repositoryName": repository.name}


def set_policy(call: EcrCall, params: Params) -> Result:
    """Store a repository policy; ECR refuses Resource elements and the token action."""
    found = call.repository(params)
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
        parse(text, kind="resource", limit=quota("resource"))
    except PolicyError:
        raise wrong from None
    statements = json.loads(text)["Statement"]
    listed = [statements] if isinstance(statements, dict) else statements
    if not all(map(_fits_repository, listed)):
        raise wrong


def _fits_repository(statement: Mapping[str, Any]) -> bool:
    """Whether ECR accepts the statement: no Resource, no registry-level token action."""
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


def get_policy(call: EcrCall, params: Params) -> Result:
    """The repository policy's text."""
    found = call.repository(params)
    _need(found.policy, "RepositoryPolicyNotFoundException", "Repository policy", found)
    return _about(found) | {"policyText": found.policy}


def delete_policy(call: EcrCall, params: Params) -> Result:
    """Remove the repository policy."""
    answer = get_policy(call, params)
    call.repository(params).policy = ""
    return answer


def _need(text: str, code: str, what: str, repository: StoredRepository) -> None:
    if not text:
        raise ServiceError(
            code,
            f"{what} does not exist for the repository with name '{repository.name}' in the "
            f"registry with id '{repository.account}'",
        )


def put_lifecycle(call: EcrCall, params: Params) -> Result:
    """Store a lifecycle policy; it is never run."""
    found, text = call.repository(params), params["lifecyclePolicyText"]
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


def get_lifecycle(call: EcrCall, params: Params) -> Result:
    """The lifecycle policy's text."""
    found = call.repository(params)
    _need(found.lifecycle, "LifecyclePolicyNotFoundException", "Lifecycle policy", found)
    return _about(found) | {"lifecyclePolicyText": found.lifecycle}


def of_arn(call: EcrCall, params: Params) -> StoredRepository:
    """The repository of `resourceArn`."""
    parts = params["resourceArn"].split(":", 5)
    if len(parts) != 6 or not parts[5].startswith("repository/"):
        raise invalid(f"Invalid parameter at 'resourceArn': '{params['resourceArn']}'")
    registry = call.registries.get(parts[4], parts[3])
    return named(registry, parts[5].removeprefix("repository/"))


def list_tags(call: EcrCall, params: Params) -> Result:
    """The tags of the repository itself (not of images)."""
    tags = of_arn(call, params).resource_tags
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tag(call: EcrCall, params: Params) -> Result:
    """Add or change tags."""
    of_arn(call, params).resource_tags.update({t["Key"]: t["Value"] for t in params["tags"]})
    return {}


HANDLERS: Final[Mapping[str, Callable[[EcrCall, Params], Result]]] = {
    "DescribeRepositories": describe_repositories,
    "CreateRepository": create_repository,
    "DeleteRepository": delete_repository,
    "SetRepositoryPolicy": set_policy,
    "GetRepositoryPolicy": get_policy,
    "DeleteRepositoryPolicy": delete_policy,
    "PutLifecyclePolicy": put_lifecycle,
    "GetLifecyclePolicy": get_lifecycle,
    "ListTagsForResource": list_tags,
    "TagResource": tag,
}
