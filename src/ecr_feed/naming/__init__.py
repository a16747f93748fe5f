"""Package ID, repository name, registry host, ARN, partition. Pure: no call to AWS."""

from ecr_feed.naming.hosts import RegistryHost, account_problem, expected_hosts, is_account_id
from ecr_feed.naming.names import (
    REPOSITORY_NAME,
    NameProblem,
    NameVerdict,
    account_of,
    is_repository_name,
    judge_name,
    other_registry,
    repository_arn,
)
from ecr_feed.naming.near import near
from ecr_feed.naming.places import regions_of_place
from ecr_feed.naming.regions import (
    Partition,
    looks_like_region,
    near_regions,
    partition,
    partition_of,
)

__all__ = [
    "REPOSITORY_NAME",
    "NameProblem",
    "NameVerdict",
    "Partition",
    "RegistryHost",
    "account_of",
    "account_problem",
    "expected_hosts",
    "is_account_id",
    "is_repository_name",
    "judge_name",
    "looks_like_region",
    "near",
    "near_regions",
    "other_registry",
    "partition",
    "partition_of",
    "regions_of_place",
    "repository_arn",
]
