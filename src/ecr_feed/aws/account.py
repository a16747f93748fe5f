"""One feed's AWS account, as checks are given it: each fact is read once, when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.readers import identity, repositories
from ecr_feed.aws.readers.ecr import (
    ACTION_DESCRIBE,
    ACTION_IMAGES,
    ACTION_LIST,
    ACTION_TOKEN,
    ImageReader,
    denied,
    no_repository,
    probe_list,
    probe_unnamed_list,
    probed,
    read_token,
)
from ecr_feed.aws.readers.other_regions import OtherRegions, RegionSearch, search_regions
from ecr_feed.aws.readers.regions import KnownRegions, is_aws_host, known_regions
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.aws.transport.client import Client, utcnow
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Feed
from ecr_feed.facts.aws import (
    Access,
    Answer,
    AuthorizationToken,
    Failure,
    Identity,
    Image,
    Permission,
    ReadError,
    Trouble,
)
from ecr_feed.naming import is_repository_name
from ecr_feed.once import Once

T = TypeVar("T")


class Account:
    """Facts of one feed, each a lazy value or the ReadError that reading it ended in.

    Once AWS refused the credentials, what depends on them raises that same failure without
    another call. A region that botocore does not list is never called: every fact raises
    `UnknownRegion`.
    """

    def __init__(
        self,
        feed: Feed,
        sessions: Sessions,
        clock: Callable[[], datetime] = utcnow,
        *,
        regions: KnownRegions | None = None,
    ) -> None:
        self.feed = feed
        self._sessions = sessions
        self._clock = clock
        self._regions = regions
        self._who = identity.IdentityReader(sessions, feed.credentials, feed.endpoint_url)
        self._names = tuple(dict.fromkeys(package.id for package in feed.packages))
        self._received = self._shared("received", self._receive)
        self._access = Once(self._read_access)
        self._token = self._shared("token", self._read_token)
        self._ecr = Once(self._open_ecr)
        self._self_audit = Once(self._open_self_audit)
        self._reader = self._shared("reader", lambda: ImageReader(self._ecr.get()))
        self._inventory = Once(self._read_inventory)
        self._listing = Once(lambda: probe_unnamed_list(self._ecr.get()))
        self._elsewhere = Once(self._look_elsewhere)
        self._images: dict[str, Once[tuple[Image, ...]]] = {
            name: self._shared("images", partial(self._read_images, name), name)
            for name in self._names
        }
        self._lists: dict[str, Once[None]] = {
            name: self._shared("list", partial(self._probe_list, name), name)
            for name in self._names
        }
        self._prefetched = Once(self._prefetch)

    def self_audit(self) -> DocumentReader:
        """The account's documents as far as the feed's own credentials may read them."""
        return self._self_audit.get()

    def _open_self_audit(self) -> DocumentReader:
        feed = self.feed
        return DocumentReader(
            self._sessions,
            feed.credentials,
            feed.region,
            endpoint_url=feed.endpoint_url,
        )

    @property
    def threads(self) -> int:
        """How many reads may be under way at once."""
        return self._sessions.threads

    def access(self) -> Access:
        """How AWS received the credentials; raises ReadError for a region nobody knows."""
        return self._access.get()

    def identity(self) -> Identity:
        """Who the credentials are; raises ReadError with the refusal where nobody could tell."""
        access = self.access()
        if access.identity is not None:
            return access.identity
        raise ReadError(access.failure or self._unknown("GetCallerIdentity"))

    def access_key_id(self) -> str:
        """The ID of the key that the credentials hold, accepted or not; "" where they have none."""
        feed = self.feed
        return self._sessions.session_credentials(
            feed.credentials, feed.region, feed.endpoint_url
        ).access_key_id

    def known(self) -> tuple[Access | None, AuthorizationToken | None]:
        """What was learnt so far, without asking: for reports."""
        return self._access.peek(), self._token.peek()

    def token(self) -> AuthorizationToken:
        """ecr:GetAuthorizationToken in the feed's region."""
        return self._token.get()

    def inventory(self) -> Inventory:
        """The registry's repositories, as far as the feed's packages need them."""
        return self._inventory.get()

    def images(self, package_id: str) -> tuple[Image, ...]:
        """Every image of a package's repository; the first question reads all packages at once.

        Raises ReadError, with NOT_FOUND where there is no such repository.
        """
        self._prefetched.get()
        return self._images[package_id].get()

    def is_at_aws(self) -> bool:
        """Calls go to a host of AWS itself (a VPC endpoint is one), not to a test endpoint.

        Raises ReadError where no client could be made.
        """
        return is_aws_host(self._ecr.get().host)

    @property
    def active_only(self) -> bool:
        """The endpoint would not be asked for archived images: `images` holds active ones only."""
        return self._reader.get().active_only

    def permission(self, action: str, package_id: str | None = None) -> Permission:
        """The probe's word on one of the four actions, by making the call.

        Undetermined where the package has no repository to probe on, and for actions that are not
        probed (reading a manifest would count as a pull). With ecr:DescribeRepositories and no
        package: the list without names. Raises ReadError where the probe could not be made.
        """
        if action == ACTION_TOKEN:
            return self._probe(action, "*", self._token.get)
        if action == ACTION_DESCRIBE:
            return self._describe(package_id)
        if action not in (ACTION_IMAGES, ACTION_LIST) or package_id is None:
            return Permission(
                action,
                package_id or "*",
                Answer.UNDETERMINED,
                "this action is not probed",
                "probe",
            )
        self._prefetched.get()
        resource = self.inventory().resource(package_id)
        cell: Once[Any] = (self._images if action == ACTION_IMAGES else self._lists)[package_id]
        return self._probe(action, resource, cell.get)

    def other_regions(self, package_id: str) -> OtherRegions:
        """The partition's other regions that hold the package's repository, as really read there.

        The first question asks every region for every package that is not in the feed's region.
        """
        return self._elsewhere.get().of(package_id)

    def _shared(self, what: str, read: Callable[[], T], name: str = "") -> Once[T]:
        """A cell of the run: another feed with these credentials and this region has the same."""
        feed = self.feed
        key = (what, feed.credentials, feed.region, feed.endpoint_url, name)
        return self._sessions.shared(key, read)

    def _describe(self, package_id: str | None) -> Permission:
        inventory = self.inventory()
        if package_id is not None:
            return inventory.permission(package_id)
        return inventory.listing or self._listing.get()

    def _probe(self, action: str, resource: str, call: Callable[[], object]) -> Permission:
        try:
            call()
        except ReadError as error:
            if error.failure.trouble == Trouble.DENIED:
                return denied(action, resource, error.failure)
            if error.failure.trouble == Trouble.NOT_FOUND:
                return no_repository(action, resource, error.failure)
            raise
        return probed(action, resource)

    def _unknown(self, operation: str) -> Failure:
        return Failure(
            Trouble.OTHER,
            "sts",
            operation,
            self.feed.region,
            code="UnknownRegion",
            message="not called: the region does not exist (REGION-1)",
        )

    def _receive(self) -> Access:
        regions = self._regions or known_regions()
        if self.feed.region not in regions.names:
            raise ReadError(self._unknown("GetCallerIdentity"))
        return identity.read_access(self._who, self.feed.region)

    def _open_ecr(self) -> Client:
        """The ECR client, unless the credentials were refused already."""
        access = self._received.get()
        if access.failure is not None and _closes(access.failure):
            raise ReadError(access.failure)
        return self._client_in(self.feed.region)

    def _read_token(self) -> AuthorizationToken:
        token = read_token(self._ecr.get(), self._clock)
        self._sessions.on_secret(token.token)
        return token

    def _read_access(self) -> Access:
        access = self._received.get()
        if access.failure is not None and _closes(access.failure):
            return access
        try:
            self._token.get()
        except ReadError as error:
            if _closes(error.failure):
                return identity.access_after_token(access, error.failure, self.feed.region)
            if error.failure.trouble != Trouble.DENIED:
                return access
        # ECR knows the caller, whatever STS said: the region is on.
        return replace(access, region_enabled=True)

    def _accepted(self) -> None:
        """Raise the refusal, if AWS refused the credentials in this region."""
        failure = self.access().failure
        if failure is not None and _closes(failure):
            raise ReadError(failure)

    def _registry(self) -> str:
        """The account whose registry is read: the caller's own."""
        identity = self.access().identity
        return identity.account if identity else self.feed.account or ""

    def _read_inventory(self) -> Inventory:
        self._accepted()
        with self._pool() as pool:
            return repositories.read_inventory(
                self._ecr.get(), self._names, pool, account=self._registry()
            )

    def _read_images(self, name: str) -> tuple[Image, ...]:
        return self._reader.get().images(name)

    def _probe_list(self, name: str) -> None:
        probe_list(self._ecr.get(), name)

    def _prefetch(self) -> None:
        """Read images and probe ListImages of every package that may exist, in parallel, once."""
        inventory = self.inventory()
        self._reader.get()
        cells: list[Once[Any]] = []
        for name in self._names:
            if self._absent(inventory, name):
                self._fail(name, inventory)
            else:
                cells += [self._images[name], self._lists[name]]
        with self._pool() as pool:
            for error in pool.map(_ask, cells):
                if error is not None and not isinstance(error, ReadError):
                    raise error

    def _absent(self, inventory: Inventory, name: str) -> bool:
        try:
            return inventory.repository(name) is None
        except ReadError:
            return False  # whether it exists is unknown: the probes may tell

    def _fail(self, name: str, inventory: Inventory) -> None:
        failure = inventory.missing.get(name) or Failure(
            Trouble.NOT_FOUND,
            "ecr",
            "DescribeRepositories",
            self.feed.region,
            message=f"{name!r} is not a name that a repository can have"
            if not is_repository_name(name)
            else "",
        )

        def gone() -> Any:
            raise ReadError(failure)

        self._images[name] = Once(gone)
        self._lists[name] = Once(gone)

    def _look_elsewhere(self) -> RegionSearch:
        inventory = self.inventory()
        names = [n for n in self._names if is_repository_name(n) and self._absent(inventory, n)]
        regions = (self._regions or known_regions()).others_with_ecr(self.feed.region)
        with self._pool() as pool:
            return search_regions(self._client_in, regions if names else (), names, pool)

    def _client_in(self, region: str) -> Client:
        feed = self.feed
        return self._sessions.client(
            feed.credentials, "ecr", region, feed.endpoint_url, via=feed.region
        )

    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            max_workers=self._sessions.threads, thread_name_prefix="ecr-feed-reader"
        )


def _closes(failure: Failure) -> bool:
    """After this nothing that needs the credentials in this region is worth a call."""
    return failure.trouble.credentials or failure.trouble in (Trouble.CLOCK, Trouble.REGION_OFF)


def _ask(cell: Once[Any]) -> BaseException | None:
    """Fill a cell; the error stays in it and is handed back, for errors that are no ReadError."""
    try:
        cell.get()
    except Exception as error:  # noqa: BLE001 - kept in the cell; the caller raises ours
        return error
    return None
