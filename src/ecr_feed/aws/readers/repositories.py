"""The repositories of a registry, by page or by batches of names, whichever needs fewer calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from ecr_feed.aws.readers.ecr import (
    ACTION_DESCRIBE,
    MOST_NAMES,
    PAGE,
    denied,
    no_repository,
    probed,
)
from ecr_feed.aws.transport import access_denied, error_codes
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Failure, Permission, ReadError, Repository, Trouble
from ecr_feed.naming import is_repository_name, near, repository_arn

_OPERATION: Final = "DescribeRepositories"


@dataclass(frozen=True)
class Inventory:
    """The registry as read: repositories by name, and who may ask for which.

    `complete`: every page was read, so that an absent name is absent. `list_failure`: how the list
    without names was refused, where it was asked for and refused.
    """

    repositories: Mapping[str, Repository]
    complete: bool
    region: str
    account: str = ""
    list_failure: Failure | None = None
    list_asked: bool = False
    proven: frozenset[str] = frozenset()
    missing: Mapping[str, Failure] = field(default_factory=dict)
    denied: Mapping[str, Failure] = field(default_factory=dict)
    failed: Mapping[str, Failure] = field(default_factory=dict)

    def repository(self, name: str) -> Repository | None:
        """The repository of exactly this name, or None where there is none.

        Raises ReadError where neither a named call nor the list could tell. A name that ECR's
        grammar does not allow is absent without a call.
        """
        if not is_repository_name(name):
            return None
        if name in self.repositories:
            return self.repositories[name]
        if name in self.missing or self.complete:
            return None
        failure = self.denied.get(name) or self.failed.get(name) or self.list_failure
        if failure is None:
            raise KeyError(f"{name} was not asked for")
        raise ReadError(failure)

    def near(self, name: str) -> tuple[str, ...]:
        """Names that were read and resemble `name`; a partial list gives partial evidence."""
        return near(name, self.repositories)

    def resource(self, name: str) -> str:
        """The repository's ARN: as read, or as it would be; `repository/NAME` of no account."""
        known = self.repositories.get(name)
        if known is not None:
            return known.arn
        if not self.account:
            return f"repository/{name}"
        return repository_arn(self.account, self.region, name)

    def permission(self, name: str) -> Permission:
        """The probe's word on ecr:DescribeRepositories for one repository by name.

        Undetermined where there is no such repository; raises ReadError where the probe failed.
        """
        if name in self.failed:
            raise ReadError(self.failed[name])
        resource = self.resource(name)
        if name in self.proven:
            return probed(ACTION_DESCRIBE, resource)
        if name in self.denied:
            return denied(ACTION_DESCRIBE, resource, self.denied[name])
        return no_repository(ACTION_DESCRIBE, resource, self.missing.get(name))

    @property
    def listing(self) -> Permission | None:
        """The probe's word on the list without names; None where nobody needed it."""
        resource = "repository/*"
        if self.list_failure is not None:
            if self.list_failure.trouble == Trouble.DENIED:
                return denied(ACTION_DESCRIBE, resource, self.list_failure)
            raise ReadError(self.list_failure)
        return probed(ACTION_DESCRIBE, resource) if self.list_asked else None


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


def read_inventory(
    client: Client, names: Iterable[str], pool: Executor, *, account: str = ""
) -> Inventory:
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


def find_repositories(client: Client, names: Iterable[str], pool: Executor) -> Inventory | Failure:
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
            read = ResponseReader(self.client, _OPERATION)
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
        read = ResponseReader(self.client, _OPERATION)
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
        asked = self.client.context(_OPERATION)
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
        name = access_denied.parse_denial(failure.message).resource.partition(":repository/")[2]
        return name if name in names else None
    if failure.trouble == Trouble.NOT_FOUND:
        quoted = [name for name in names if f"'{name}'" in failure.message]
        return quoted[0] if len(quoted) == 1 else None
    return None


def read_repository(read: ResponseReader, item: Mapping[str, Any]) -> Repository:
    """One item of DescribeRepositories."""
    exclusions = item.get("imageTagMutabilityExclusionFilters")
    filters = [] if exclusions is None else read.items(item, "imageTagMutabilityExclusionFilters")
    return Repository(
        name=read.require(item, "repositoryName", str),
        arn=read.require(item, "repositoryArn", str),
        registry_id=read.text(item, "registryId"),
        tag_mutability=read.text(item, "imageTagMutability", "MUTABLE"),
        mutability_exclusions=tuple(read.text(one, "filter") for one in filters),
    )
