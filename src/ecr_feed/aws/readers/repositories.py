"""The repositories of a registry: by page or in batches of names, whichever needs fewer calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from ecr_feed.aws.readers.ecr import (
    ACTION_DESCRIBE,
    MOST_NAMES,
    NO_REPOSITORY,
    PAGE,
    contradiction,
    denied,
    no_repository,
    probed,
)
from ecr_feed.aws.readers.registry_items import AskedRegistry, read_repositories
from ecr_feed.aws.transport import access_denied, error_codes
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Failure, Permission, ReadError, Repository, Trouble
from ecr_feed.naming import is_repository_name, near, repository_arn

_OPERATION: Final = "DescribeRepositories"


@dataclass(frozen=True)
class Inventory:
    """The registry as read: its repositories by name, and which calls by name succeeded.

    `complete`: every page was read, so that a name not in it does not exist. `list_failure`: why
    the list without names could not be read. `proven` names were described by name; `missing`,
    `denied` and `failed` are why others were not.
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
        """The repository of exactly this name, or None where it does not exist.

        Raises ReadError where neither a call by name nor the list shows whether it exists, or where
        one has it and the other does not. A name that ECR does not allow does not exist, without a
        call.
        """
        if not is_repository_name(name):
            return None
        self._require_agreement(name)
        if name in self.repositories:
            return self.repositories[name]
        if name in self.missing or self.complete:
            return None
        failure = self.denied.get(name) or self.failed.get(name) or self.list_failure
        if failure is None:
            raise KeyError(f"{name} was not asked for")
        raise ReadError(failure)

    def near(self, name: str) -> tuple[str, ...]:
        """Names like `name` among those that were read."""
        return near(name, self.repositories)

    def resource(self, name: str) -> str:
        """The repository's ARN, as read or as it would be; `repository/NAME` without an account."""
        known = self.repositories.get(name)
        if known is not None:
            return known.arn
        if not self.account:
            return f"repository/{name}"
        return repository_arn(self.account, self.region, name)

    def permission(self, name: str) -> Permission:
        """Whether ecr:DescribeRepositories by this name is allowed, according to the calls made.

        Undetermined where it does not exist; raises ReadError where the call failed otherwise.
        """
        if name in self.failed:
            raise ReadError(self.failed[name])
        self._require_agreement(name)
        resource = self.resource(name)
        if name in self.proven:
            return probed(ACTION_DESCRIBE, resource)
        if name in self.denied:
            return denied(ACTION_DESCRIBE, resource, self.denied[name])
        return no_repository(ACTION_DESCRIBE, resource, self.missing.get(name))

    def _require_agreement(self, name: str) -> None:
        """Raise where the list has a repository that does not exist by name."""
        if name in self.repositories and name in self.missing:
            raise ReadError(
                contradiction(self.missing[name], f"the list has {self.repositories[name].arn}")
            )

    @property
    def listing(self) -> Permission | None:
        """Whether the list without names is allowed; None where it was not read."""
        resource = "repository/*"
        if self.list_failure is not None:
            if self.list_failure.trouble == Trouble.DENIED:
                return denied(ACTION_DESCRIBE, resource, self.list_failure)
            raise ReadError(self.list_failure)
        return probed(ACTION_DESCRIBE, resource) if self.list_asked else None


@dataclass(slots=True)
class _Found:
    """What the calls have shown so far. A name is in at most one of the last four."""

    listed: dict[str, Repository] = field(default_factory=dict)
    complete: bool = False
    list_failure: Failure | None = None
    list_asked: bool = False
    proven: set[str] = field(default_factory=set)
    missing: dict[str, Failure] = field(default_factory=dict)
    denied: dict[str, Failure] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)


def read_inventory(
    client: Client, names: Iterable[str], pool: Executor, asked: AskedRegistry
) -> Inventory:
    """Read whether each of the names exists in the registry, in as few calls as possible."""
    wanted = [name for name in dict.fromkeys(names) if is_repository_name(name)]
    reader = _InventoryReader(client, pool, _Found(), asked)
    batches = ceil(len(wanted) / MOST_NAMES)
    if batches == 1:
        _read_one_batch(reader, wanted)
    elif batches > 1:
        _read_many_batches(reader, wanted, batches)
    return reader.inventory()


def find_repositories(
    client: Client, names: Iterable[str], pool: Executor, asked: AskedRegistry
) -> Inventory:
    """Which of the names a region holds: from its list, or by name where the list is denied."""
    wanted = [name for name in dict.fromkeys(names) if is_repository_name(name)]
    reader = _InventoryReader(client, pool, _Found(), asked)
    reader.list_all()
    failure = reader.found.list_failure
    if failure is not None and failure.trouble is Trouble.DENIED:
        reader.describe([wanted])
    return reader.inventory()


def _read_one_batch(reader: _InventoryReader, wanted: list[str]) -> None:
    """Up to a hundred names: one call if all exist; the list only if that call fails."""
    failure = reader.batch(wanted)
    if failure is None:
        return
    if not _concerns_one_name(failure):
        reader.found.failed.update(dict.fromkeys(wanted, failure))
        return
    reader.list_all()
    reader.settle(wanted, failure)


def _read_many_batches(reader: _InventoryReader, wanted: list[str], batches: int) -> None:
    """More names: the list first, up to as many pages as there are batches, then the batches."""
    pages = reader.pages()
    for _, _ in zip(range(batches), pages, strict=False):
        pass
    asked = [name for name in wanted if not reader.found.complete or name in reader.found.listed]
    chunks = [asked[i : i + MOST_NAMES] for i in range(0, len(asked), MOST_NAMES)]
    failures = list(reader.pool.map(reader.batch, chunks))
    if any(f is not None and f.trouble == Trouble.NOT_FOUND for f in failures):
        for _ in pages:
            pass
    for chunk, failure in zip(chunks, failures, strict=True):
        if failure is None:
            continue
        if _concerns_one_name(failure):
            reader.settle(chunk, failure)
        else:
            reader.found.failed.update(dict.fromkeys(chunk, failure))
    reader.mark_absent(wanted)


def _concerns_one_name(failure: Failure) -> bool:
    """Whether one name may have made the whole batch fail; smaller batches show which."""
    return (
        failure.trouble in (Trouble.NOT_FOUND, Trouble.DENIED)
        or failure.code in error_codes.INVALID_PARAMETER
    )


class _InventoryReader:
    """Makes the calls, and collects what they show."""

    def __init__(self, client: Client, pool: Executor, found: _Found, asked: AskedRegistry) -> None:
        self.client = client
        self.pool = pool
        self.found = found
        self.asked = asked

    def inventory(self) -> Inventory:
        """The result so far."""
        found = self.found
        return Inventory(
            repositories=found.listed,
            complete=found.complete,
            region=self.client.region,
            account=self.asked.account,
            list_failure=found.list_failure,
            list_asked=found.list_asked,
            proven=frozenset(found.proven),
            missing=found.missing,
            denied=found.denied,
            failed=found.failed,
        )

    def batch(self, names: list[str]) -> Failure | None:
        """One call by names. Its success proves each name; its failure is returned."""
        try:
            answer = self.client.call(_OPERATION, repositoryNames=names)
            read = ResponseReader(self.client, _OPERATION)
            repositories = read_repositories(read, answer, self.asked)
            described = {repository.name: repository for repository in repositories}
            foreign = [name for name in described if name not in names]
            if foreign:
                raise read.wrong(f"the answer has {foreign[0]}, which was not asked for")
        except ReadError as error:
            return error.failure
        for name in names:
            if name in described:
                self.found.listed[name] = described[name]
                self.found.proven.add(name)
            else:
                incomplete = self.client.malformed(_OPERATION, f"the answer lacks {name}")
                self.found.failed[name] = incomplete.failure
        return None

    def pages(self) -> Iterator[None]:
        """The list without names, page by page; after a failure it ends and keeps that."""
        self.found.list_asked = True
        read = ResponseReader(self.client, _OPERATION)
        try:
            for page in self.client.pages(_OPERATION, maxResults=PAGE):
                for repository in read_repositories(read, page, self.asked):
                    if self.found.listed.setdefault(repository.name, repository) != repository:
                        raise read.wrong(f"two answers contradict each other: {repository.name}")
                self.found.complete = page.get("nextToken") is None
                yield
        except ReadError as error:
            self.found.complete = False
            self.found.list_failure = error.failure

    def list_all(self) -> None:
        """Every page of the list."""
        for _ in self.pages():
            pass

    def mark_absent(self, wanted: list[str]) -> None:
        """Names that are not in a complete list do not exist."""
        if self.found.complete:
            for name in wanted:
                if name not in self.found.listed:
                    self.found.missing.setdefault(name, self._not_listed(name))

    def _not_listed(self, name: str) -> Failure:
        call = self.client.context(_OPERATION)
        message = f"{name} is not among the registry's repositories"
        return call.failure(Trouble.NOT_FOUND, "", message)

    def settle(self, names: list[str], failure: Failure) -> None:
        """Find out which names of a failed batch made it fail."""
        if len(names) == 1:
            self._keep(names[0], failure)
            return
        if self.found.complete:
            present = [name for name in names if name in self.found.listed]
            named = _name_in_message(names, failure)
            if named is not None and named not in present:
                self._keep(named, failure)
            self.mark_absent(names)
            if len(present) < len(names):
                self.describe([present])
                return
        self.describe(_split(names, failure, self._keep))

    def describe(self, batches: Iterable[list[str]]) -> None:
        """Call by names, in parallel; a batch that fails for one name is split and called again."""
        waiting = [batch for batch in batches if batch]
        while waiting:
            failures = list(self.pool.map(self.batch, waiting))
            again: list[list[str]] = []
            for names, failure in zip(waiting, failures, strict=True):
                if failure is None:
                    continue
                if len(names) == 1 or not _concerns_one_name(failure):
                    for name in names:
                        self._keep(name, failure)
                else:
                    again += _split(names, failure, self._keep)
            waiting = [batch for batch in again if batch]

    def _keep(self, name: str, failure: Failure) -> None:
        if failure.code == NO_REPOSITORY:
            self.found.missing[name] = failure
        elif failure.trouble == Trouble.DENIED:
            self.found.denied[name] = failure
        else:
            self.found.failed[name] = failure


def _split(
    names: list[str], failure: Failure, keep: Callable[[str, Failure], None]
) -> list[list[str]]:
    """Smaller batches: without the name that AWS's message gives, else two halves."""
    named = _name_in_message(names, failure)
    if named is None:
        middle = len(names) // 2
        return [names[:middle], names[middle:]]
    keep(named, failure)
    rest = [name for name in names if name != named]
    middle = len(rest) // 2
    return [rest[:middle], rest[middle:]]


def _name_in_message(names: list[str], failure: Failure) -> str | None:
    """The name that AWS's message is about, if it names exactly one of the batch."""
    if failure.trouble == Trouble.DENIED:
        name = access_denied.parse_denial(failure.message).resource.partition(":repository/")[2]
        return name if name in names else None
    if failure.trouble == Trouble.NOT_FOUND:
        quoted = [name for name in names if f"'{name}'" in failure.message]
        return quoted[0] if len(quoted) == 1 else None
    return None
