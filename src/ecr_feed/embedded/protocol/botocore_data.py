"""Botocore's own data (service models, pages, regions), read once per process.

botocore is imported when it is first needed: a Terraform plan is read before any account is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from ecr_feed.naming.regions import PARTITIONS

# Ignore this machine's settings: no profile, no configuration or credentials file.
_NOTHING: Final = (None, None, None, None)
_ALONE: Final = {"profile": _NOTHING, "config_file": _NOTHING, "credentials_file": _NOTHING}


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
def loader() -> Any:
    """The data shipped with botocore; ~/.aws/models is not read."""
    import botocore.loaders

    kind = botocore.loaders.Loader
    return kind([kind.BUILTIN_DATA_PATH], include_default_search_paths=False)


def new_session() -> Any:
    """A session without credentials; sessions share the loaded data."""
    import botocore.session

    session = botocore.session.Session(session_vars=_ALONE)
    session.register_component("data_loader", loader())
    return session


@cache
def models() -> Any:
    """The session that service models are read from."""
    return new_session()


@cache
def model(service: str) -> Any:
    """Botocore's model of a service."""
    return models().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> Any:
    """Botocore's model of one operation."""
    return model(service).operation_model(operation)


@cache
def paginators(service: str) -> Mapping[str, Mapping[str, Any]]:
    """Operation -> botocore's paginator settings."""
    found = models().get_paginator_model(service)
    names = model(service).operation_names
    pages: dict[str, Mapping[str, Any]] = {}
    for name in names:
        try:
            pages[name] = found.get_paginator(name)
        except ValueError:  # botocore: this operation has no pages
            continue
    return pages


@cache
def regions() -> Mapping[str, str]:
    """Region -> partition, for every region in which botocore lists ECR."""
    return {
        region: partition.name
        for partition in PARTITIONS
        for region in models().get_available_regions("ecr", partition_name=partition.name)
    }


def known_partition(region: str) -> str:
    """The partition of a region that has ECR, or "" for a region that botocore does not list."""
    return regions().get(region, "")


def global_region(partition: str) -> str:
    """The region that requests to a partition's IAM are signed for."""
    return _GLOBAL_REGIONS.get(partition, "us-east-1")
