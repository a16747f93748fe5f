"""AWS partitions and what a region's name tells. Which regions exist is data handed in.

Partition data: botocore's partitions.json and ECR endpoint rules, and the Amazon ECR user guide's
page on registries (https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from ecr_feed.naming.edits import one_edit_apart


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of AWS: `suffix` ends its registry hosts, `dual_stack` those with IPv6 too.

    `dual_stack` is "" where AWS documents no such registry host.
    """

    name: str
    prefix: str
    suffix: str
    dual_stack: str = ""


# The longer prefix first: us-isob- before us-iso-, every one of them before the rest of aws.
PARTITIONS: Final = (
    Partition("aws-cn", "cn-", "amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com", "on.aws"),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov"),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
    Partition("aws-eusc", "eusc-", "amazonaws.eu"),
    Partition("aws", "", "amazonaws.com", "on.aws"),
)

_SHAPE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[1-9][0-9]*")
_ZONE = re.compile(r"(.*[0-9])[a-z]")
_NEAR_LIMIT = 3


def partition(region: str) -> Partition:
    """The partition of a region by its prefix; aws where no other claims it, as botocore does."""
    return next(each for each in PARTITIONS if region.startswith(each.prefix))


def partition_of(region: str) -> str:
    """The name of the region's partition, such as `aws-cn`; `aws` where no other claims it."""
    return partition(region).name


def looks_like_region(region: str) -> bool:
    """It has the form of a region's name, such as `eu-west-1`; whether it exists is not asked."""
    return _SHAPE.fullmatch(region) is not None


def near_regions(region: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the known regions that `region` may have been meant to be, nearest first.

    Capitals, blanks, separators (`useast1`), an availability zone (`us-east-1a`), the order of the
    parts, one edit; then whatever resembles it. An exact match is not among them.
    """
    names = sorted(set(known) - {region})
    written = region.strip().casefold()
    zone = _ZONE.fullmatch(written)
    forms = {written} | ({zone[1]} if zone else set())
    bare = {_letters(form) for form in forms}
    parts = {tuple(sorted(re.findall(r"[a-z]+|[0-9]+", form))) for form in forms}
    ranked = [
        *(name for name in names if name in forms),
        *(name for name in names if _letters(name) in bare),
        *(name for name in names if any(one_edit_apart(name, form) for form in forms)),
        *(name for name in names if tuple(sorted(re.findall(r"[a-z]+|[0-9]+", name))) in parts),
        *get_close_matches(written, names, n=_NEAR_LIMIT, cutoff=0.5),
    ]
    return tuple(dict.fromkeys(ranked))[:_NEAR_LIMIT]


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text)
