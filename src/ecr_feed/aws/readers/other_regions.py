"""Where else a missing package is: the partition's other regions, as really read there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from ecr_feed.aws.readers import repositories
from ecr_feed.aws.readers.regions import is_enabled_by_default
from ecr_feed.aws.transport.client import Client
from ecr_feed.facts.aws import Failure, ReadError, Trouble


@dataclass(frozen=True, slots=True)
class OtherRegions:
    """Where else a package's repository was found; `failures` are regions that did not answer."""

    package: str
    regions: tuple[str, ...]
    asked: int
    failures: Mapping[str, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionSearch:
    """Which of the packages each region holds, and the regions that did not tell."""

    held: Mapping[str, frozenset[str]]
    failures: Mapping[str, Failure]
    asked: int

    def of(self, package: str) -> OtherRegions:
        """The same for one package."""
        regions = tuple(region for region, names in sorted(self.held.items()) if package in names)
        return OtherRegions(package, regions, self.asked, self.failures)


def search_regions(
    client_in: Callable[[str], Client], regions: Iterable[str], names: list[str], pool: Executor
) -> RegionSearch:
    """Ask each region for its list, or for the names where the list is denied; in parallel."""
    failures: dict[str, Failure] = {}
    clients: dict[str, Client] = {}
    for region in regions:
        try:
            clients[region] = client_in(region)
        except ReadError as error:
            failures[region] = error.failure
    asked = len(clients) + len(failures)
    found = pool.map(lambda region: _held(clients[region], names), clients)
    held: dict[str, frozenset[str]] = {}
    for region, one in zip(clients, found, strict=True):
        if isinstance(one, Failure):
            failures[region] = one
        else:
            held[region] = one
    return RegionSearch(held, failures, asked)


def _held(client: Client, names: list[str]) -> frozenset[str] | Failure:
    # A pool of its own: waiting in the shared one for the shared one could end in a deadlock.
    with ThreadPoolExecutor(max_workers=1) as alone:
        found = repositories.find_repositories(client, names, alone)
    if isinstance(found, Failure):
        return frozenset() if _is_off(client.region, found) else found
    return frozenset(name for name in names if name in found.repositories)


def _is_off(region: str, failure: Failure) -> bool:
    """An opt-in region that does not know a key that works elsewhere is not enabled: empty."""
    unknown = failure.trouble in (Trouble.UNKNOWN_KEY, Trouble.REGION_OFF)
    return unknown and not is_enabled_by_default(region)
