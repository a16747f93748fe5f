"""Search the partition's other regions for the repositories of missing packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from ecr_feed.aws.known_regions import is_enabled_by_default
from ecr_feed.aws.readers import repositories
from ecr_feed.aws.readers.registry_items import AskedRegistry
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.aws.transport.client import Client
from ecr_feed.facts.aws import Failure, ReadError, Trouble


@dataclass(frozen=True, slots=True)
class OtherRegions:
    """The other regions that hold a package's repository.

    `failures` has the regions that could not be read for it, `not_enabled` those that rejected the
    key as a region that is not enabled does; `asked` counts all that were searched.
    """

    package: str
    regions: tuple[str, ...]
    asked: int
    failures: Mapping[str, Failure] = field(default_factory=dict)
    not_enabled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionSearch:
    """What each region showed: by region and package, whether it holds it, or why that is unknown.

    A region that could not be asked at all has a `Failure`.
    """

    found: Mapping[str, Mapping[str, bool | Failure] | Failure]

    def of(self, package: str) -> OtherRegions:
        """The result for one package."""
        regions: list[str] = []
        not_enabled: list[str] = []
        failures: dict[str, Failure] = {}
        for region, shown in sorted(self.found.items()):
            said = shown if isinstance(shown, Failure) else shown.get(package, False)
            if isinstance(said, Failure):
                if _is_not_enabled(region, said):
                    not_enabled.append(region)
                else:
                    failures[region] = said
            elif said:
                regions.append(region)
        return OtherRegions(package, tuple(regions), len(self.found), failures, tuple(not_enabled))


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
    found: dict[str, Mapping[str, bool | Failure] | Failure] = {}
    clients: dict[str, Client] = {}
    for region in regions:
        try:
            clients[region] = client_in(region)
        except ReadError as error:
            found[region] = error.failure
    results = pool.map(lambda region: _search(clients[region], names, account), clients)
    return RegionSearch({**found, **dict(zip(clients, results, strict=True))})


def _search(client: Client, names: list[str], account: str) -> dict[str, bool | Failure]:
    # Its own pool: a thread of the shared pool that waits for that pool could block it.
    with ThreadPoolExecutor(max_workers=1) as alone:
        asked = AskedRegistry(account, client.region)
        inventory = repositories.find_repositories(client, names, alone, asked)
    return {name: _holds(inventory, name) for name in names}


def _holds(inventory: Inventory, name: str) -> bool | Failure:
    try:
        return inventory.repository(name) is not None
    except ReadError as error:
        return error.failure


def _is_not_enabled(region: str, failure: Failure) -> bool:
    """An opt-in region that rejects a key valid elsewhere is not enabled."""
    unknown = failure.trouble in (Trouble.UNKNOWN_KEY, Trouble.REGION_OFF)
    return unknown and not is_enabled_by_default(region)
