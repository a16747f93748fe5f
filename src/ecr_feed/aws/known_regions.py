"""Which regions botocore lists, and which are enabled by default. No network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from ecr_feed.naming import near_regions, regions_of_place

# "Considerations before enabling and disabling Regions" (AWS Account Management reference guide):
# those introduced before 20 March 2019 are enabled in every account and cannot be disabled.
ENABLED_BY_DEFAULT: Final = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
# Where to ask whether a key is valid at all, in this order. Outside `aws` no region is opt-in.
_DEFAULT_REGIONS: Final = {
    "aws": ("us-east-1", "us-west-2"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
    "aws-iso": ("us-iso-east-1", "us-iso-west-1"),
    "aws-iso-b": ("us-isob-east-1",),
    "aws-iso-e": ("eu-isoe-west-1",),
    "aws-iso-f": ("us-isof-south-1", "us-isof-east-1"),
    "aws-eusc": ("eusc-de-east-1",),
}


@dataclass(frozen=True, slots=True)
class KnownRegions:
    """The regions that the installed botocore lists; a newer region may be missing.

    `partitions` are pairs of region and partition, `patterns` pairs of partition and the regular
    expression that its regions' names fit, `descriptions` pairs of region and AWS's name of it,
    such as "Europe (Ireland)".
    """

    names: frozenset[str]
    with_ecr: frozenset[str]
    partitions: tuple[tuple[str, str], ...]
    botocore: str
    patterns: tuple[tuple[str, str], ...] = ()
    descriptions: tuple[tuple[str, str], ...] = ()

    def partition(self, region: str) -> str:
        """The partition of a region; "" where it is not listed."""
        return dict(self.partitions).get(region, "")

    def fitting_partition(self, region: str) -> str:
        """The partition whose regions have names of this form; "" where none has.

        Such a region may be newer than the list. A name is made of small letters, digits and
        hyphens, which botocore's patterns do not require of all its parts.
        """
        if _NAME.fullmatch(region) is None:
            return ""
        fits = (name for name, form in self.patterns if re.fullmatch(form, region))
        return self.partition(region) or next(fits, "")

    def near(self, region: str) -> tuple[str, ...]:
        """Up to three regions that `region` may have been meant to be, nearest first.

        A place's name (Ireland, "US East (N. Virginia)") is understood too.
        """
        places = regions_of_place(region, dict(self.descriptions))
        partition, of = self.fitting_partition(region), dict(self.partitions)
        # A name that fits a partition was not meant to be in another one.
        known = (name for name in self.names if partition in ("", of[name]))
        return places or near_regions(region, known)

    def others_with_ecr(self, region: str) -> tuple[str, ...]:
        """The other regions of the same partition that have ECR, sorted."""
        partition = self.fitting_partition(region)
        of = dict(self.partitions)
        return tuple(sorted(r for r in self.with_ecr if of[r] == partition and r != region))


_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
# DNS suffixes of botocore's partitions.json, dual-stack ones included.
_AWS_SUFFIXES: Final = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
    ".api.aws.ic.gov",
    ".api.aws.scloud",
    ".api.cloud-aws.adc-e.uk",
    ".api.aws.hci.ic.gov",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
)


def is_aws_host(host: str) -> bool:
    """Whether a host (HOST or HOST:PORT) is in one of AWS's domains, on port 443."""
    name, colon, port = host.partition(":")
    return name.lower().endswith(_AWS_SUFFIXES) and (not colon or port == "443")


def is_enabled_by_default(region: str) -> bool:
    """Whether a region cannot be disabled: it is one of the list, or outside partition `aws`."""
    return region in ENABLED_BY_DEFAULT or known_regions().partition(region) not in ("", "aws")


def other_default_region(region: str) -> str:
    """Another region of the partition that is enabled in every account; "" without one."""
    partition = known_regions().partition(region) or "aws"
    return next((other for other in _DEFAULT_REGIONS.get(partition, ()) if other != region), "")


def commercial_region(region: str) -> str:
    """A region of the commercial partition, for a region outside of it; else ""."""
    partition = known_regions().partition(region)
    return "" if partition in ("", "aws") else _DEFAULT_REGIONS["aws"][0]


@cache
def known_regions() -> KnownRegions:
    """Botocore's regions of every partition, without pseudo-regions such as `aws-global`."""
    import botocore
    import botocore.session

    from ecr_feed.aws.transport.botosession import bundled_data

    session = botocore.session.Session()
    loader = bundled_data()
    session.register_component("data_loader", loader)
    partition_of: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    patterns: list[tuple[str, str]] = []
    with_ecr: set[str] = set()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ecr", partition_name=partition):
            partition_of[region] = partition
            with_ecr.add(region)
    for partition in loader.load_data("partitions")["partitions"]:
        patterns.append((partition["id"], partition["regionRegex"]))
        for region, about in partition["regions"].items():
            if not region.endswith("-global"):
                partition_of.setdefault(region, partition["id"])
                descriptions[region] = about.get("description", "")
    return KnownRegions(
        names=frozenset(partition_of),
        with_ecr=frozenset(with_ecr),
        partitions=tuple(sorted(partition_of.items())),
        botocore=str(botocore.__version__),
        patterns=tuple(patterns),
        descriptions=tuple(sorted(descriptions.items())),
    )
