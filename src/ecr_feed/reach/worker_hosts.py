"""The hosts that a worker needs, and the VPC endpoint for each. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ecr_feed.naming import partition
from ecr_feed.naming.hosts import RegistryHost
from ecr_feed.oci.endpoint import registry_origin

PORT: Final = 443
# The region in the name of a partition's IAM host; "" where the name has none.
_IAM: Final = {
    "aws": "",
    "aws-us-gov": "us-gov",
    "aws-cn": "cn-north-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}


class Purpose(StrEnum):
    """What a host is needed for."""

    API = "ECR API"
    REGISTRY = "registry"
    LAYERS = "layer storage"
    STS = "STS"
    IAM = "IAM"


@dataclass(frozen=True, slots=True)
class WorkerHost:
    """A host. `endpoint` is the VPC endpoint service that makes it reachable without internet.

    `gateway`: that endpoint is a gateway (routes), not an interface (private DNS).
    """

    purpose: Purpose
    host: str
    port: int = PORT
    endpoint: str = ""
    gateway: bool = False


def hosts_for(
    region: str,
    account: str | None,
    *,
    registry: str = "",
    sts: bool = True,
    iam: bool = False,
) -> tuple[WorkerHost, ...]:
    """The hosts of a feed in a region.

    The registry's host is that of `registry` (a host, or an address such as the token's), else of
    `account`, and left out without either. `sts` is needed for OIDC credentials and by this audit,
    `iam` by the auditor only. Raises `EndpointError` if `registry` is not a registry's address.
    """
    suffix = partition(region).suffix
    bucket = f"prod-{region}-starport-layer-bucket.s3.{region}.{suffix}"
    found = [
        WorkerHost(Purpose.API, f"api.ecr.{region}.{suffix}", endpoint=_name(region, "ecr.api"))
    ]
    if registry or account:
        found.append(_registry(region, account or "", registry))
    found.append(
        WorkerHost(Purpose.LAYERS, bucket, endpoint=_name(region, "s3"), gateway=True),
    )
    if sts:
        host = f"sts.{region}.{suffix}"
        found.append(WorkerHost(Purpose.STS, host, endpoint=_name(region, "sts")))
    if iam:
        found.append(WorkerHost(Purpose.IAM, _iam(region)))
    return tuple(found)


def _registry(region: str, account: str, named: str) -> WorkerHost:
    origin = registry_origin(named or RegistryHost.for_(account, region).host)
    name = _name(region, "ecr.dkr") if RegistryHost.parse(origin.host).ok else ""
    return WorkerHost(Purpose.REGISTRY, origin.host, origin.port, name)


def _iam(region: str) -> str:
    where = partition(region)
    home = _IAM[where.name]
    return f"iam.{home}.{where.suffix}" if home else f"iam.{where.suffix}"


def _name(region: str, service: str) -> str:
    """The endpoint service's name; outside aws and aws-us-gov only its end is known."""
    if partition(region).name in ("aws", "aws-us-gov"):
        return f"com.amazonaws.{region}.{service}"
    return f"(...).{region}.{service}"
