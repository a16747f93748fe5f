"""The images of a feed's packages, and whether each may be listed: read once, all in parallel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar

from ecr_feed.aws.readers.ecr import NO_REPOSITORY, ImageReader, contradiction, probe_list
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.facts.aws import Failure, Image, ReadError, Trouble
from ecr_feed.naming import is_repository_name
from ecr_feed.once import Once
from ecr_feed.text.words import many

T = TypeVar("T")


class SharedFacts(Protocol):
    """What gives one `Once` to all feeds with the same credentials, region and endpoint."""

    def __call__(self, what: str, read: Callable[[], T], name: str = "") -> Once[T]:
        """The fact of that kind and name."""


class PackageFacts:
    """DescribeImages and ListImages for each package; the first use reads those of all packages.

    Methods raise ReadError: NOT_FOUND where the package has no repository, CONTRADICTION where the
    inventory and the call do not agree on whether it has one.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        inventory: Callable[[], Inventory],
        reader: Callable[[], ImageReader],
        shared: SharedFacts,
        *,
        threads: int,
    ) -> None:
        self._names = names
        self._inventory = inventory
        self._threads = threads
        self._reader = shared("reader", reader)
        self._images = {
            name: shared("images", partial(self.images_again, name), name) for name in names
        }
        self._lists = {name: shared("list", partial(self._list_one, name), name) for name in names}
        self._prefetched = Once(self._prefetch)

    def images(self, name: str) -> tuple[Image, ...]:
        """Every image of a package's repository."""
        return self._agreeing(name, self._images)

    def images_again(self, name: str) -> tuple[Image, ...]:
        """The same images, read anew."""
        return self._reader.get().images(name)

    def list_one(self, name: str) -> None:
        """ListImages with one result, which only shows whether it is allowed."""
        self._agreeing(name, self._lists)

    @property
    def active_only(self) -> bool:
        """The endpoint does not support archived images: `images` has only active ones."""
        return self._reader.get().active_only

    @staticmethod
    def is_absent(inventory: Inventory, name: str) -> bool:
        """The inventory shows that there is no such repository."""
        try:
            return inventory.repository(name) is None
        except ReadError:
            return False  # unknown: the calls for its images may tell

    def _agreeing(self, name: str, facts: dict[str, Once[T]]) -> T:
        self._prefetched.get()
        inventory = self._inventory()
        if self.is_absent(inventory, name):
            raise ReadError(self._absence(inventory, name))
        try:
            return facts[name].get()
        except ReadError as error:
            known = inventory.repositories.get(name)
            if error.failure.code != NO_REPOSITORY or known is None:
                raise
            failure = contradiction(error.failure, f"ecr:DescribeRepositories returned {known.arn}")
        raise ReadError(failure)

    def _absence(self, inventory: Inventory, name: str) -> Failure:
        """Why there is no repository; a contradiction where another feed has read its images."""
        failure = inventory.missing.get(name) or Failure(
            Trouble.NOT_FOUND,
            "ecr",
            "DescribeRepositories",
            inventory.region,
            message=f"{name!r} is not a name that a repository can have"
            if not is_repository_name(name)
            else "",
        )
        images = self._images[name].peek()
        if images is None:
            return failure
        return contradiction(failure, f"ecr:DescribeImages returned {many(len(images), 'image')}")

    def _list_one(self, name: str) -> None:
        probe_list(self._reader.get().client, name)

    def _prefetch(self) -> None:
        """Read the images and call ListImages for every package that may exist, in parallel."""
        inventory = self._inventory()
        self._reader.get()
        facts: list[Once[Any]] = []
        for name in self._names:
            if not self.is_absent(inventory, name):
                facts += [self._images[name], self._lists[name]]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="ecr-feed-reader") as pool:
            for error in pool.map(_error_of, facts):
                if error is not None and not isinstance(error, ReadError):
                    raise error


def _error_of(fact: Once[Any]) -> BaseException | None:
    """Read a fact, which keeps its error; returns the error too."""
    try:
        fact.get()
    except Exception as error:  # noqa: BLE001 - kept in the fact; the caller raises ours
        return error
    return None
