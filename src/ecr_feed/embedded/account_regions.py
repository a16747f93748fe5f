"""Which regions exist, and which of them an account has enabled."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final

from ecr_feed.embedded.protocol.service_models import models
from ecr_feed.naming.regions import PARTITIONS

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
DEFAULT_REGIONS: Final = frozenset(
    {
        "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1",
        "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
        "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1",
    }
)  # fmt: skip
# The region that requests to a partition's one IAM endpoint are signed for.
_GLOBAL_REGIONS: Final = {
    "aws": "us-east-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-north-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}


@cache
def _partitions() -> dict[str, str]:
    return {
        region: partition.name
        for partition in PARTITIONS
        for region in models().get_available_regions("ecr", partition_name=partition.name)
    }


def partition_of(region: str) -> str:
    """The partition of a region that has ECR, or "" for a region that botocore does not list."""
    return _partitions().get(region, "")


def global_region(partition: str) -> str:
    """The region that a partition's IAM is signed for."""
    return _GLOBAL_REGIONS.get(partition, "us-east-1")


@dataclass(slots=True)
class AccountRegions:
    """Which regions one account may use: `extra` are opted in, `disabled` switched off."""

    partition: str = "aws"
    extra: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)

    def enabled(self, region: str) -> bool:
        """The account's keys are accepted there."""
        if partition_of(region) != self.partition or region in self.disabled:
            return False
        return self.partition != "aws" or region in DEFAULT_REGIONS | self.extra

    def status(self, region: str) -> str:
        """account:GetRegionOptStatus of a region of the account's partition."""
        if region in DEFAULT_REGIONS or self.partition != "aws":
            return "ENABLED_BY_DEFAULT"
        return "ENABLED" if self.enabled(region) else "DISABLED"

    def all(self) -> list[str]:
        """Every region of the account's partition."""
        return sorted(name for name, where in _partitions().items() if where == self.partition)
