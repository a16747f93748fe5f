"""How many AWS calls and registry requests a run makes, computed: see docs/aws-calls.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from ecr_feed.aws.readers.ecr import MOST_NAMES, PAGE


def planned_calls(
    packages: int,
    repositories: int,
    images: int | Sequence[int] = 1,
    *,
    missing: int = 0,
    listing: bool = False,
) -> Mapping[str, int]:
    """Calls of one feed whose identity may do all it needs, by IAM action.

    `packages` counts the distinct legal package IDs, `missing` those of them without a repository,
    `repositories` all repositories of the registry, `images` the digests of each package's
    repository (one figure for all, or one each), `listing` whether a check asks for the list
    without names. Operations that are not called are left out.
    """
    present = packages - missing
    counts = [images] * present if isinstance(images, int) else list(images)
    if len(counts) != present:
        raise ValueError(f"{len(counts)} image counts for {present} repositories")
    calls = {
        "sts:GetCallerIdentity": 1,
        "ecr:GetAuthorizationToken": 1,
        "ecr:DescribeRepositories": _describe(packages, repositories, missing, listing=listing),
        "ecr:DescribeImages": sum(max(1, ceil(count / PAGE)) for count in counts),
        "ecr:ListImages": present,
    }
    return {action: count for action, count in calls.items() if count}


def _describe(packages: int, repositories: int, missing: int, *, listing: bool) -> int:
    pages = max(1, ceil(repositories / PAGE))
    batches = ceil(packages / MOST_NAMES)
    present = ceil((packages - missing) / MOST_NAMES)
    if batches <= 1:
        first = batches
        # The batch failed: the list, then a batch of those that are there.
        calls = first + (pages + present if missing else 0)
        listed = missing > 0 and batches == 1
    elif pages <= batches:
        calls, listed = pages + present, True
    elif not missing:
        # The list is dearer than the batches: as many pages as there are batches are tried.
        calls, listed = batches + batches, True
    else:
        raise ValueError("a registry larger than its packages' batches: missing names are searched")
    return calls + (1 if listing and not listed else 0)


def requests_of(*, pages: int = 1, index: bool = False, layers: int = 0, deep: bool = False) -> int:
    """Requests that one package costs where nothing is repeated and blobs are redirected."""
    shallow = pages + 1
    return shallow + (1 + index + 2 + 2 * layers if deep else 0)
