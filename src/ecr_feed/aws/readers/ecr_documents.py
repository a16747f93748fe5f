"""A registry's documents: policies, lifecycle, cache rules, creation templates, tags.

Each function returns None (or an empty result) for the error code by which ECR says that there is
none. Every other error, a missing repository included, raises ReadError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ecr_feed.aws.readers.ecr import PAGE
from ecr_feed.aws.readers.registry_items import AskedRegistry
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import ReadError
from ecr_feed.facts.iam import CacheRule, CreationTemplate, LifecyclePolicy, PolicyDocument

# ECR returns these errors instead of an empty list.
_NO_RULES: Final = "PullThroughCacheRuleNotFoundException"
_NO_TEMPLATES: Final = "TemplateNotFoundException"
_SCOPE: Final = "REGISTRY_POLICY_SCOPE"
_SCOPES: Final = ("V1", "V2")


def repository_policy(
    client: Client, asked: AskedRegistry, repository: str
) -> PolicyDocument | None:
    """ecr:GetRepositoryPolicy; None where the repository has no policy."""
    answer = _call_unless(
        client,
        "GetRepositoryPolicy",
        "RepositoryPolicyNotFoundException",
        repositoryName=repository,
    )
    if answer is None:
        return None
    text = _checked(client, asked, "GetRepositoryPolicy", answer, repository).require(
        answer, "policyText", str
    )
    return PolicyDocument(f"policy of repository {repository}", "resource", text)


def registry_policy(client: Client, asked: AskedRegistry) -> PolicyDocument | None:
    """ecr:GetRegistryPolicy; None where the registry has no policy."""
    answer = _call_unless(client, "GetRegistryPolicy", "RegistryPolicyNotFoundException")
    if answer is None:
        return None
    text = _checked(client, asked, "GetRegistryPolicy", answer).require(answer, "policyText", str)
    return PolicyDocument(f"registry policy in {client.region}", "registry", text)


def registry_policy_scope(client: Client, _asked: AskedRegistry) -> str:
    """ecr:GetAccountSetting: `V1` or `V2`, which calls the registry policy governs."""
    operation = "GetAccountSetting"
    read = ResponseReader(client, operation)
    found = read.require(client.call(operation, name=_SCOPE), "value", str)
    if found not in _SCOPES:
        raise read.wrong(f"{_SCOPE} is {found!r}, expected {' or '.join(_SCOPES)}")
    return found


def lifecycle_policy(
    client: Client, asked: AskedRegistry, repository: str
) -> LifecyclePolicy | None:
    """ecr:GetLifecyclePolicy; None where the repository has none."""
    operation = "GetLifecyclePolicy"
    answer = _call_unless(
        client, operation, "LifecyclePolicyNotFoundException", repositoryName=repository
    )
    if answer is None:
        return None
    return LifecyclePolicy(
        _checked(client, asked, operation, answer, repository).require(
            answer, "lifecyclePolicyText", str
        )
    )


def cache_rules(client: Client, asked: AskedRegistry) -> tuple[CacheRule, ...]:
    """ecr:DescribePullThroughCacheRules, every page."""
    operation = "DescribePullThroughCacheRules"
    read = ResponseReader(client, operation)
    return tuple(
        CacheRule(
            prefix=read.require(item, "ecrRepositoryPrefix", str),
            upstream=read.text(item, "upstreamRegistryUrl"),
        )
        for item in _listed(
            client, asked, operation, "pullThroughCacheRules", "ecrRepositoryPrefix", _NO_RULES
        )
    )


def creation_templates(client: Client, asked: AskedRegistry) -> tuple[CreationTemplate, ...]:
    """ecr:DescribeRepositoryCreationTemplates, every page."""
    operation = "DescribeRepositoryCreationTemplates"
    read = ResponseReader(client, operation)
    return tuple(
        CreationTemplate(read.require(item, "prefix", str), _applied(read, item))
        for item in _listed(
            client, asked, operation, "repositoryCreationTemplates", "prefix", _NO_TEMPLATES
        )
    )


def _applied(read: ResponseReader, item: Mapping[str, Any]) -> tuple[str, ...]:
    read.require(item, "appliedFor", list)
    return read.texts(item, "appliedFor")


def repository_tags(client: Client, asked: AskedRegistry, repository_arn: str) -> Mapping[str, str]:
    """ecr:ListTagsForResource: the values of `aws:ResourceTag/KEY`."""
    operation = "ListTagsForResource"
    answer = client.call(operation, resourceArn=repository_arn)
    read = _checked(client, asked, operation, answer)
    tags: dict[str, str] = {}
    for tag in read.items(answer, "tags"):
        key, value = read.require(tag, "Key", str), tag.get("Value")
        if key in tags or not isinstance(value, str):
            raise read.wrong(f"tag {key} is there twice, or has no value")
        tags[key] = value
    return tags


def _call_unless(
    client: Client, operation: str, none: str, **parameters: Any
) -> dict[str, Any] | None:
    """The response, or None for the error code that means that there is none."""
    try:
        return client.call(operation, **parameters)
    except ReadError as error:
        if error.failure.code == none:
            return None
        raise


def _checked(
    client: Client,
    asked: AskedRegistry,
    operation: str,
    answer: Mapping[str, Any],
    repository: str = "",
) -> ResponseReader:
    """What reads the answer, which must be about the registry (and repository) that was asked."""
    read = ResponseReader(client, operation)
    asked.check(read, answer, repository)
    return read


def _listed(
    client: Client, asked: AskedRegistry, operation: str, key: str, name: str, none: str
) -> list[Mapping[str, Any]]:
    """The items under `key` of every page, each `name` once; none for the error code `none`."""
    read = ResponseReader(client, operation)
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for page in client.pages(operation, maxResults=PAGE):
            asked.check(read, page)
            for item in read.items(page, key):
                asked.check(read, item)
                if found.setdefault(read.require(item, name, str), item) is not item:
                    raise read.wrong(f"the answer has {item[name]} twice")
    except ReadError as error:
        if error.failure.code != none:
            raise
    return list(found.values())
