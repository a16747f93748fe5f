"""One feed's AWS account, as checks see it: each fact is read once, at its first use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.known_regions import KnownRegions, is_aws_host, known_regions
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
    """Facts of one feed, each read at its first use; raise the ReadError that the read ended in.

    After AWS has refused the credentials, every fact that depends on them raises the same failure
    without another call. A region that botocore does not list is never called: there every fact
    raises a ReadError with code UnknownRegion.
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
        self._identities = identity.IdentityReader(sessions, feed.credentials, feed.endpoint_url)
        self._names = tuple(dict.fromkeys(package.id for package in feed.packages))
        self._sts_access = self._shared("received", self._read_sts_access)
        self._access = Once(self._read_access)
        self._token = self._shared("token", self._read_token)
        self._ecr = Once(self._open_ecr)
        self._self_audit = Once(self._open_self_audit)
        self._reader = self._shared("reader", lambda: ImageReader(self._ecr.get()))
        self._inventory = Once(self._read_inventory)
        self._listing = Once(lambda: probe_unnamed_list(self._ecr.get()))
        self._region_search = Once(self._search_other_regions)
        self._images: dict[str, Once[tuple[Image, ...]]] = {
            name: self._shared("images", partial(self.images_again, name), name)
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
        """How many reads may run at once."""
        return self._sessions.threads

    def access(self) -> Access:
        """Whether AWS accepts the credentials; raises ReadError for an unknown region."""
        return self._access.get()

    def identity(self) -> Identity:
        """Who the credentials are; raises ReadError where no region accepted them."""
        access = self.access()
        if access.identity is not None:
            return access.identity
        raise ReadError(access.failure or self._unknown("GetCallerIdentity"))

    def access_key_id(self) -> str:
        """The ID of the key that the credentials resolve to, accepted or not; "" without one."""
        feed = self.feed
        return self._sessions.session_credentials(
            feed.credentials, feed.region, feed.endpoint_url
        ).access_key_id

    def known(self) -> tuple[Access | None, AuthorizationToken | None]:
        """Access and token, as far as they were read already; makes no call."""
        return self._access.peek(), self._token.peek()

    def token(self) -> AuthorizationToken:
        """ecr:GetAuthorizationToken in the feed's region."""
        return self._token.get()

    def inventory(self) -> Inventory:
        """The registry's repositories, read as far as the feed's packages need them."""
        return self._inventory.get()

    def images(self, package_id: str) -> tuple[Image, ...]:
        """Every image of a package's repository; the first use reads those of all packages.

        Raises ReadError, with NOT_FOUND where there is no such repository.
        """
        self._prefetched.get()
        return self._images[package_id].get()

    def images_again(self, package_id: str) -> tuple[Image, ...]:
        """The same images, read anew: for a first reading that disagrees with the registry's."""
        return self._reader.get().images(package_id)

    def is_at_aws(self) -> bool:
        """Calls go to a host of AWS (VPC endpoints included), not to a test endpoint.

        Raises ReadError where no client could be made.
        """
        return is_aws_host(self._ecr.get().host)

    @property
    def active_only(self) -> bool:
        """The endpoint does not support archived images: `images` has only active ones."""
        return self._reader.get().active_only

    def permission(self, action: str, package_id: str | None = None) -> Permission:
        """Whether one of the four actions is allowed, found out by making the call.

        Undetermined where the package has no repository, and for other actions, which are not
        called (reading a manifest would count as a pull). ecr:DescribeRepositories without a
        package means the list without names. Raises ReadError where the call failed otherwise.
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
                "this action is not called",
                "probe",
            )
        self._prefetched.get()
        resource = self.inventory().resource(package_id)
        fact: Once[Any] = (self._images if action == ACTION_IMAGES else self._lists)[package_id]
        return self._probe(action, resource, fact.get)

    def other_regions(self, package_id: str) -> OtherRegions:
        """The partition's other regions that hold the package's repository, as read there.

        The first use searches every region for all packages that the feed's region does not have.
        """
        return self._region_search.get().of(package_id)

    def _shared(self, what: str, read: Callable[[], T], name: str = "") -> Once[T]:
        """A fact that feeds with the same credentials, region and endpoint share."""
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

    def _read_sts_access(self) -> Access:
        regions = self._regions or known_regions()
        if self.feed.region not in regions.names:
            raise ReadError(self._unknown("GetCallerIdentity"))
        return identity.read_access(self._identities, self.feed.region)

    def _open_ecr(self) -> Client:
        """The ECR client; raises the refusal where the credentials were refused already."""
        access = self._sts_access.get()
        if access.failure is not None and _ends_access(access.failure):
            raise ReadError(access.failure)
        return self._client_in(self.feed.region)

    def _read_token(self) -> AuthorizationToken:
        token = read_token(self._ecr.get(), self._clock)
        self._sessions.on_secret(token.token)
        return token

    def _read_access(self) -> Access:
        access = self._sts_access.get()
        if access.failure is not None and _ends_access(access.failure):
            return access
        try:
            self._token.get()
        except ReadError as error:
            if _ends_access(error.failure):
                return identity.access_after_token(access, error.failure, self.feed.region)
            if error.failure.trouble != Trouble.DENIED:
                return access
        # ECR accepted the credentials, whatever STS said: the region is enabled.
        return replace(access, region_enabled=True)

    def _require_access(self) -> None:
        """Raise the refusal where AWS refused the credentials in this region."""
        failure = self.access().failure
        if failure is not None and _ends_access(failure):
            raise ReadError(failure)

    def _registry(self) -> str:
        """The account whose registry is read: that of the credentials."""
        identity = self.access().identity
        return identity.account if identity else self.feed.account or ""

    def _read_inventory(self) -> Inventory:
        self._require_access()
        with self._pool() as pool:
            return repositories.read_inventory(
                self._ecr.get(), self._names, pool, account=self._registry()
            )

    def _probe_list(self, name: str) -> None:
        probe_list(self._ecr.get(), name)

    def _prefetch(self) -> None:
        """Read the images and call ListImages for every package that may exist, in parallel."""
        inventory = self.inventory()
        self._reader.get()
        facts: list[Once[Any]] = []
        for name in self._names:
            if self._absent(inventory, name):
                self._mark_absent(name, inventory)
            else:
                facts += [self._images[name], self._lists[name]]
        with self._pool() as pool:
            for error in pool.map(_error_of, facts):
                if error is not None and not isinstance(error, ReadError):
                    raise error

    def _absent(self, inventory: Inventory, name: str) -> bool:
        try:
            return inventory.repository(name) is None
        except ReadError:
            return False  # unknown: the calls for its images may tell

    def _mark_absent(self, name: str, inventory: Inventory) -> None:
        failure = inventory.missing.get(name) or Failure(
            Trouble.NOT_FOUND,
            "ecr",
            "DescribeRepositories",
            self.feed.region,
            message=f"{name!r} is not a name that a repository can have"
            if not is_repository_name(name)
            else "",
        )

        def absent() -> Any:
            raise ReadError(failure)

        self._images[name] = Once(absent)
        self._lists[name] = Once(absent)

    def _search_other_regions(self) -> RegionSearch:
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


def _ends_access(failure: Failure) -> bool:
    """After this failure, no call with the credentials in this region can succeed."""
    return failure.trouble.credentials or failure.trouble in (Trouble.CLOCK, Trouble.REGION_OFF)


def _error_of(fact: Once[Any]) -> BaseException | None:
    """Read a fact, which keeps its error; returns the error too."""
    try:
        fact.get()
    except Exception as error:  # noqa: BLE001 - kept in the fact; the caller raises ours
        return error
    return None
