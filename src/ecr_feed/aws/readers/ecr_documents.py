"""A registry's documents: policies, lifecycle, cache rules, creation templates, tags.

Each reader answers None (or nothing) for the one code that ECR documents as "there is none"; a
repository that is missing, and every other fault, raises ReadError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ecr_feed.aws.readers.ecr import PAGE
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import ReadError
from ecr_feed.facts.iam import CacheRule, CreationTemplate, LifecyclePolicy, PolicyDocument

# Two codes mean that none exists even where a list is asked for without names.
_NO_RULES: Final = "PullThroughCacheRuleNotFoundException"
_NO_TEMPLATES: Final = "TemplateNotFoundException"


def repository_policy(client: Client, repository: str) -> PolicyDocument | None:
    """ecr:GetRepositoryPolicy; None where the repository has no policy."""
    answer = _unless(
        client,
        "GetRepositoryPolicy",
        "RepositoryPolicyNotFoundException",
        repositoryName=repository,
    )
    if answer is None:
        return None
    text = ResponseReader(client, "GetRepositoryPolicy").require(answer, "policyText", str)
    return PolicyDocument(f"policy of repository {repository}", "resource", text)


def registry_policy(client: Client) -> PolicyDocument | None:
    """ecr:GetRegistryPolicy; None where the registry has no policy."""
    answer = _unless(client, "GetRegistryPolicy", "RegistryPolicyNotFoundException")
    if answer is None:
        return None
    text = ResponseReader(client, "GetRegistryPolicy").require(answer, "policyText", str)
    return PolicyDocument(f"registry policy in {client.region}", "registry", text)


def lifecycle_policy(client: Client, repository: str) -> LifecyclePolicy | None:
    """ecr:GetLifecyclePolicy; None where the repository has none."""
    operation = "GetLifecyclePolicy"
    answer = _unless(
        client, operation, "LifecyclePolicyNotFoundException", repositoryName=repository
    )
    if answer is None:
        return None
    return LifecyclePolicy(
        ResponseReader(client, operation).require(answer, "lifecyclePolicyText", str)
    )


def cache_rules(client: Client) -> tuple[CacheRule, ...]:
    """ecr:DescribePullThroughCacheRules, every page."""
    operation = "DescribePullThroughCacheRules"
    read = ResponseReader(client, operation)
    return tuple(
        CacheRule(
            prefix=read.require(item, "ecrRepositoryPrefix", str),
            upstream=read.text(item, "upstreamRegistryUrl"),
        )
        for item in _listed(client, operation, "pullThroughCacheRules", _NO_RULES)
    )


def creation_templates(client: Client) -> tuple[CreationTemplate, ...]:
    """ecr:DescribeRepositoryCreationTemplates, every page."""
    operation = "DescribeRepositoryCreationTemplates"
    read = ResponseReader(client, operation)
    return tuple(
        CreationTemplate(read.require(item, "prefix", str), read.texts(item, "appliedFor"))
        for item in _listed(client, operation, "repositoryCreationTemplates", _NO_TEMPLATES)
    )


def repository_tags(client: Client, repository_arn: str) -> Mapping[str, str]:
    """ecr:ListTagsForResource: the values of `aws:ResourceTag/KEY`."""
    operation = "ListTagsForResource"
    answer = client.call(operation, resourceArn=repository_arn)
    read = ResponseReader(client, operation)
    return {
        read.require(tag, "Key", str): read.text(tag, "Value") for tag in read.items(answer, "tags")
    }


def _unless(client: Client, operation: str, none: str, **parameters: Any) -> dict[str, Any] | None:
    """The answer, or None for the code that says there is none."""
    try:
        return client.call(operation, **parameters)
    except ReadError as error:
        if error.failure.code == none:
            return None
        raise


def _listed(client: Client, operation: str, key: str, none: str) -> list[Mapping[str, Any]]:
    read = ResponseReader(client, operation)
    found: list[Mapping[str, Any]] = []
    try:
        for page in client.pages(operation, maxResults=PAGE):
            found += read.items(page, key)
    except ReadError as error:
        if error.failure.code != none:
            raise
    return found
