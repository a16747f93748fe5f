"""The repositories of a registry, by page or by batches of names, whichever needs fewer calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from ecr_feed.aws.readers.ecr import (
    ACTION_DESCRIBE,
    MOST_NAMES,
    PAGE,
    denied,
    probed,
    read_repository,
)
from ecr_feed.aws.readers.inventory import Inventory
from ecr_feed.aws.transport import access_denied, error_codes
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import Reader
from ecr_feed.facts.aws import Failure, Permission, ReadError, Repository, Trouble
from ecr_feed.naming import is_repository_name


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


_OPERATION: Final = "DescribeRepositories"


@dataclass(slots=True)
class _Found:
    """What the calls told so far. A name is in at most one of the last four."""

    listed: dict[str, Repository] = field(default_factory=dict)
    complete: bool = False
    list_failure: Failure | None = None
    list_asked: bool = False
    proven: set[str] = field(default_factory=set)
    missing: dict[str, Failure] = field(default_factory=dict)
    denied: dict[str, Failure] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)


def take(client: Client, names: Iterable[str], pool: Executor, *, account: str = "") -> Inventory:
    """Read what is needed to know each of the names, in as few calls as their number allows.

    `account` is the registry's, where it is known, for the ARN of what could not be read.
    """
    wanted = [name for name in dict.fromkeys(names) if is_repository_name(name)]
    reading = _Reading(client, pool, _Found())
    batches = ceil(len(wanted) / MOST_NAMES)
    if batches == 1:
        _few(reading, wanted)
    elif batches > 1:
        _many(reading, wanted, batches)
    return reading.inventory(account)


def look_up(client: Client, names: Iterable[str], pool: Executor) -> Inventory | Failure:
    """Which of the names a region holds: by its list, and by name where the list is denied."""
    wanted = [name for name in dict.fromkeys(names) if is_repository_name(name)]
    reading = _Reading(client, pool, _Found())
    reading.list_all()
    failure = reading.found.list_failure
    if failure is None:
        return reading.inventory("")
    if failure.trouble != Trouble.DENIED:
        return failure
    reading.ask([wanted])
    refused = [*reading.found.denied.values(), *reading.found.failed.values()]
    return reading.inventory("") if reading.found.listed or not refused else refused[0]


def _few(reading: _Reading, wanted: list[str]) -> None:
    """Up to a hundred names: one call where all are there, the list only where it fails."""
    failure = reading.batch(wanted)
    if failure is None:
        return
    if not _tells_of_one(failure):
        reading.found.failed.update(dict.fromkeys(wanted, failure))
        return
    reading.list_all()
    reading.settle(wanted, failure)


def _many(reading: _Reading, wanted: list[str], batches: int) -> None:
    """More names: the list first while it is no dearer than the batches, then the batches."""
    pages = reading.pages()
    for _, _ in zip(range(batches), pages, strict=False):
        pass
    asked = [name for name in wanted if not reading.found.complete or name in reading.found.listed]
    chunks = [asked[i : i + MOST_NAMES] for i in range(0, len(asked), MOST_NAMES)]
    failures = list(reading.pool.map(reading.batch, chunks))
    if any(f is not None and f.trouble == Trouble.NOT_FOUND for f in failures):
        for _ in pages:
            pass
    for chunk, failure in zip(chunks, failures, strict=True):
        if failure is None:
            continue
        if _tells_of_one(failure):
            reading.settle(chunk, failure)
        else:
            reading.found.failed.update(dict.fromkeys(chunk, failure))
    reading.absent(wanted)


def _tells_of_one(failure: Failure) -> bool:
    """The batch failed for the sake of a name in it; smaller batches can tell which."""
    return (
        failure.trouble in (Trouble.NOT_FOUND, Trouble.DENIED)
        or failure.code in error_codes.INVALID_PARAMETER
    )


class _Reading:
    """The calls, and what they told."""

    def __init__(self, client: Client, pool: Executor, found: _Found) -> None:
        self.client = client
        self.pool = pool
        self.found = found

    def inventory(self, account: str) -> Inventory:
        """What was found, frozen."""
        found = self.found
        return Inventory(
            repositories=found.listed,
            complete=found.complete,
            region=self.client.region,
            account=account,
            list_failure=found.list_failure,
            list_asked=found.list_asked,
            proven=frozenset(found.proven),
            missing=found.missing,
            denied=found.denied,
            failed=found.failed,
        )

    def batch(self, names: list[str]) -> Failure | None:
        """One named call. Its success proves each name; its failure is handed back."""
        try:
            answer = self.client.call(_OPERATION, repositoryNames=names)
            read = Reader(self.client, _OPERATION)
            repositories = [read_repository(read, i) for i in read.items(answer, "repositories")]
        except ReadError as error:
            return error.failure
        told = {repository.name: repository for repository in repositories}
        for name in names:
            if name in told:
                self.found.listed[name] = told[name]
                self.found.proven.add(name)
            else:
                lacking = self.client.malformed(_OPERATION, f"the answer lacks {name}")
                self.found.failed[name] = lacking.failure
        return None

    def pages(self) -> Iterator[None]:
        """The list without names, page by page; ends early, with the reason kept, on failure."""
        self.found.list_asked = True
        read = Reader(self.client, _OPERATION)
        try:
            for page in self.client.pages(_OPERATION, maxResults=PAGE):
                for item in read.items(page, "repositories"):
                    repository = read_repository(read, item)
                    self.found.listed.setdefault(repository.name, repository)
                self.found.complete = page.get("nextToken") is None
                yield
        except ReadError as error:
            self.found.complete = False
            self.found.list_failure = error.failure

    def list_all(self) -> None:
        """Every page of the list."""
        for _ in self.pages():
            pass

    def absent(self, wanted: list[str]) -> None:
        """Once the list is complete, what is not in it is not there."""
        if self.found.complete:
            for name in wanted:
                if name not in self.found.listed:
                    self.found.missing.setdefault(name, self._not_listed(name))

    def _not_listed(self, name: str) -> Failure:
        asked = self.client.asked(_OPERATION)
        return Failure(
            Trouble.NOT_FOUND,
            asked.service,
            asked.operation,
            asked.region,
            message=f"{name} is not among the registry's repositories",
        )

    def settle(self, names: list[str], failure: Failure) -> None:
        """Find out, for each name of a batch that failed, which of them made it fail."""
        if len(names) == 1:
            self._keep(names[0], failure)
            return
        if self.found.complete:
            present = [name for name in names if name in self.found.listed]
            blamed = _blamed(names, failure)
            if blamed is not None and blamed not in present:
                self._keep(blamed, failure)
            self.absent(names)
            if len(present) < len(names):
                self.ask([present])
                return
        self.ask(_split(names, failure, self._keep))

    def ask(self, batches: Iterable[list[str]]) -> None:
        """Named calls, those that fail for a name in them again in smaller batches."""
        waiting = [batch for batch in batches if batch]
        while waiting:
            failures = list(self.pool.map(self.batch, waiting))
            again: list[list[str]] = []
            for names, failure in zip(waiting, failures, strict=True):
                if failure is None:
                    continue
                if len(names) == 1 or not _tells_of_one(failure):
                    for name in names:
                        self._keep(name, failure)
                else:
                    again += _split(names, failure, self._keep)
            waiting = [batch for batch in again if batch]

    def _keep(self, name: str, failure: Failure) -> None:
        if failure.trouble == Trouble.NOT_FOUND:
            self.found.missing[name] = failure
        elif failure.trouble == Trouble.DENIED:
            self.found.denied[name] = failure
        else:
            self.found.failed[name] = failure


def _split(
    names: list[str], failure: Failure, keep: Callable[[str, Failure], None]
) -> list[list[str]]:
    """Smaller batches of one that failed: without the name that AWS blames, else in halves."""
    blamed = _blamed(names, failure)
    if blamed is None:
        middle = len(names) // 2
        return [names[:middle], names[middle:]]
    keep(blamed, failure)
    rest = [name for name in names if name != blamed]
    middle = len(rest) // 2
    return [rest[:middle], rest[middle:]]


def _blamed(names: list[str], failure: Failure) -> str | None:
    """The one name of the batch that AWS's message is about, if it names exactly one."""
    if failure.trouble == Trouble.DENIED:
        name = access_denied.parse(failure.message).resource.partition(":repository/")[2]
        return name if name in names else None
    if failure.trouble == Trouble.NOT_FOUND:
        quoted = [name for name in names if f"'{name}'" in failure.message]
        return quoted[0] if len(quoted) == 1 else None
    return None


def listing(client: Client) -> Permission:
    """The probe of the list without names, by itself: one small page. Raises ReadError."""
    try:
        answer = client.call(_OPERATION, maxResults=1)
        Reader(client, _OPERATION).items(answer, "repositories")
    except ReadError as error:
        if error.failure.trouble == Trouble.DENIED:
            return denied(ACTION_DESCRIBE, "repository/*", error.failure)
        raise
    return probed(ACTION_DESCRIBE, "repository/*")
