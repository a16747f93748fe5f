"""AWS partitions, and what a region's name says. The list of existing regions is an argument.

Partition data: botocore's partitions.json and ECR endpoint rules, and the Amazon ECR user guide's
page on registries (https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from ecr_feed.naming.near import one_edit_apart


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of AWS; `suffix` is the end of its registry hosts' names.

    `dual_stack` is the suffix of the hosts with IPv6, "" where AWS documents none.
    """

    name: str
    prefix: str
    suffix: str
    dual_stack: str = ""


# Longer prefixes first (us-isob- before us-iso-); aws last, since its prefix is empty.
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
_RESEMBLES = 0.5  # of 1, by difflib


def partition(region: str) -> Partition:
    """The partition of a region by its prefix; `aws` where no other prefix fits, as in botocore."""
    return next(each for each in PARTITIONS if region.startswith(each.prefix))


def partition_of(region: str) -> str:
    """The name of the region's partition, such as `aws-cn`."""
    return partition(region).name


def looks_like_region(region: str) -> bool:
    """It has the form of a region's name, such as `eu-west-1`; it need not exist."""
    return _SHAPE.fullmatch(region) is not None


def near_regions(region: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the known regions that `region` may have been meant to be, nearest first.

    Understands capitals, blanks, separators (`useast1`), an availability zone (`us-east-1a`), a
    missing number, one edit and another order of the parts. Only where none of these fits, names
    that resemble it. Never `region` itself.
    """
    names = sorted(set(known) - {region})
    written = region.strip().casefold()
    zone = _ZONE.fullmatch(written)
    forms = {written, zone[1]} if zone else {written}
    slips = [
        *(name for name in names if name in forms),
        *(name for name in names if _letters(name) in {_letters(form) for form in forms}),
        *(name for name in names if name.rpartition("-")[0] in forms),
        *(name for name in names if any(one_edit_apart(name, form) for form in forms)),
        *(name for name in names if _parts(name) in {_parts(form) for form in forms}),
    ]
    return tuple(dict.fromkeys(slips or _resembling(written, names)))[:_NEAR_LIMIT]


def _resembling(written: str, names: list[str]) -> list[str]:
    matcher = SequenceMatcher(b=written)
    scored = []
    for name in names:
        matcher.set_seq1(name)
        if matcher.quick_ratio() >= _RESEMBLES:
            scored.append((-matcher.ratio(), name))
    return [name for score, name in sorted(scored) if -score >= _RESEMBLES]


def _parts(text: str) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"[a-z]+|[0-9]+", text)))


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text)
