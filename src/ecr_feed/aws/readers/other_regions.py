"""Search the partition's other regions for the repositories of missing packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from ecr_feed.aws.known_regions import is_enabled_by_default
from ecr_feed.aws.readers import repositories
from ecr_feed.aws.readers.registry_items import AskedRegistry
from ecr_feed.aws.transport.client import Client
from ecr_feed.facts.aws import Failure, ReadError, Trouble


@dataclass(frozen=True, slots=True)
class OtherRegions:
    """The other regions that hold a package's repository.

    `failures` has the regions that could not be read; `asked` counts all that were searched.
    """

    package: str
    regions: tuple[str, ...]
    asked: int
    failures: Mapping[str, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionSearch:
    """Which of the packages each region holds, and why a region could not be read."""

    found: Mapping[str, frozenset[str]]
    failures: Mapping[str, Failure]
    asked: int

    def of(self, package: str) -> OtherRegions:
        """The result for one package."""
        regions = tuple(region for region, names in sorted(self.found.items()) if package in names)
        return OtherRegions(package, regions, self.asked, self.failures)


def search_regions(
    client_in: Callable[[str], Client],
    regions: Iterable[str],
    names: list[str],
    pool: Executor,
    account: str = "",
) -> RegionSearch:
    """Read each region's list, or the names where the list is denied; in parallel.

    `account` is the caller's, whose registries are read; "" where it is unknown.
    """
    failures: dict[str, Failure] = {}
    clients: dict[str, Client] = {}
    for region in regions:
        try:
            clients[region] = client_in(region)
        except ReadError as error:
            failures[region] = error.failure
    asked = len(clients) + len(failures)
    results = pool.map(lambda region: _search(clients[region], names, account), clients)
    found: dict[str, frozenset[str]] = {}
    for region, result in zip(clients, results, strict=True):
        if isinstance(result, Failure):
            failures[region] = result
        else:
            found[region] = result
    return RegionSearch(found, failures, asked)


def _search(client: Client, names: list[str], account: str) -> frozenset[str] | Failure:
    # Its own pool: a thread of the shared pool that waits for that pool could block it.
    with ThreadPoolExecutor(max_workers=1) as alone:
        asked = AskedRegistry(account, client.region)
        found = repositories.find_repositories(client, names, alone, asked)
    if isinstance(found, Failure):
        return frozenset() if _is_not_enabled(client.region, found) else found
    return frozenset(name for name in names if name in found.repositories)


def _is_not_enabled(region: str, failure: Failure) -> bool:
    """An opt-in region that rejects a key valid elsewhere is not enabled, and so holds nothing."""
    unknown = failure.trouble in (Trouble.UNKNOWN_KEY, Trouble.REGION_OFF)
    return unknown and not is_enabled_by_default(region)
