"""One feed's AWS account, as checks see it: each fact is read once, at its first use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.known_regions import KnownRegions, is_aws_host, known_regions
from ecr_feed.aws.package_facts import PackageFacts
from ecr_feed.aws.readers import identity, repositories
from ecr_feed.aws.readers.ecr import (
    ACTION_DESCRIBE,
    ACTION_IMAGES,
    ACTION_LIST,
    ACTION_TOKEN,
    ImageReader,
    denied,
    no_repository,
    probe_unnamed_list,
    probed,
    read_token,
)
from ecr_feed.aws.readers.other_regions import OtherRegions, RegionSearch, search_regions
from ecr_feed.aws.readers.registry_items import AskedRegistry
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
    without another call. In a region that does not exist every fact raises a ReadError with code
    UnknownRegion: it is not listed by botocore, and either its name fits no partition, so that it
    is never called, or neither STS nor ECR answered there.
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
        self._asked = self._shared("registry", self._open_asked)
        self._inventory = Once(self._read_inventory)
        self._listing = Once(lambda: probe_unnamed_list(self._ecr.get(), self._asked.get()))
        self._region_search = Once(self._search_other_regions)
        self._packages = PackageFacts(
            self._names,
            self.inventory,
            lambda: ImageReader(self._ecr.get(), self._asked.get()),
            self._shared,
            threads=sessions.threads,
        )

    def self_audit(self) -> DocumentReader:
        """The account's documents as far as the feed's own credentials may read them."""
        return self._self_audit.get()

    def _open_self_audit(self) -> DocumentReader:
        return DocumentReader(
            self._sessions,
            self.feed.credentials,
            self.feed.region,
            endpoint_url=self.feed.endpoint_url,
            registry=lambda: self._asked.get().account,
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
        raise ReadError(access.failure or self._unknown("no answer"))

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

        Raises ReadError, with NOT_FOUND where there is no such repository, and CONTRADICTION where
        the inventory has it and this call says that it does not exist.
        """
        return self._packages.images(package_id)

    def images_again(self, package_id: str) -> tuple[Image, ...]:
        """The same images, read anew: for a first reading that disagrees with the registry's."""
        return self._packages.images_again(package_id)

    def is_at_aws(self) -> bool:
        """Calls go to a host of AWS (VPC endpoints included), not to a test endpoint.

        Raises ReadError where no client could be made.
        """
        return is_aws_host(self._ecr.get().host)

    @property
    def active_only(self) -> bool:
        """The endpoint does not support archived images: `images` has only active ones."""
        return self._packages.active_only

    def permission(self, action: str, package_id: str | None = None) -> Permission:
        """Whether one of the four actions is allowed, found out by making the call.

        Undetermined where the inventory has no repository for the package, and for other actions,
        which are not called (reading a manifest would count as a pull). ecr:DescribeRepositories
        without a package means the list without names. Raises ReadError where the call failed
        otherwise.
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
        inventory = self.inventory()
        resource = inventory.resource(package_id)
        read = self._packages.images if action == ACTION_IMAGES else self._packages.list_one
        try:
            return self._probe(action, resource, lambda: read(package_id))
        except ReadError as error:
            missing = error.failure.trouble is Trouble.NOT_FOUND
            if missing and self._packages.is_absent(inventory, package_id):
                return no_repository(action, resource, error.failure)
            raise

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
            raise
        return probed(action, resource)

    def unshown_region(self) -> Failure | None:
        """Why it is not known that the feed's region exists; None where it is.

        It exists where botocore lists it, or where AWS's STS or ECR answered in it, whatever the
        answer was.
        """
        region = self.feed.region
        if region in self._known.names:
            return None
        try:
            failure = self._sts_access.get().failure
            if not is_aws_host(self._client_in(region).host):
                return self._unknown("the endpoint is not AWS's, and answers for any region")
        except ReadError as error:
            return None if answered(error.failure) else error.failure
        # Where STS alone cannot be reached, ECR has answered: else the read had failed.
        shown = failure is None or failure.trouble.unreachable or answered(failure)
        return None if shown else failure

    @property
    def _known(self) -> KnownRegions:
        return self._regions or known_regions()

    def _unknown(self, why: str) -> Failure:
        region = self.feed.region
        return Failure(
            Trouble.OTHER,
            "sts",
            "GetCallerIdentity",
            region,
            code="UnknownRegion",
            message=f"{region!r} is not a region that is known to exist (REGION-1): {why}",
        )

    def _read_sts_access(self) -> Access:
        region = self.feed.region
        listed = region in self._known.names
        if not listed and not self._known.fitting_partition(region):
            raise ReadError(self._unknown("not called, since its name fits no partition of AWS"))
        access = identity.read_access(self._identities, region)
        failure = access.failure
        if listed or failure is None or not failure.trouble.unreachable:
            return access
        silent = self._silence_of_ecr()
        if silent is None:
            return access
        raise ReadError(self._unknown(f"{failure.summary}; {silent.summary}"))

    def _silence_of_ecr(self) -> Failure | None:
        """Why ECR did not answer in the feed's region; None where it did."""
        try:
            token = read_token(self._client_in(self.feed.region), self._clock)
        except ReadError as error:
            return None if answered(error.failure) else error.failure
        self._sessions.on_secret(token.token)
        return None

    def _open_ecr(self) -> Client:
        """The ECR client; raises the refusal where the credentials were refused already."""
        access = self._sts_access.get()
        if access.failure is not None and access.failure.ends_access:
            raise ReadError(access.failure)
        return self._client_in(self.feed.region)

    def _read_token(self) -> AuthorizationToken:
        token = read_token(self._ecr.get(), self._clock)
        self._sessions.on_secret(token.token)
        return token

    def _read_access(self) -> Access:
        access = self._sts_access.get()
        if access.failure is not None and access.failure.ends_access:
            return access
        try:
            self._token.get()
        except ReadError as error:
            if error.failure.ends_access:
                return identity.access_after_token(access, error.failure, self.feed.region)
            if error.failure.trouble != Trouble.DENIED:
                return access
        # ECR accepted the credentials, whatever STS said: the region is enabled.
        return replace(access, region_enabled=True)

    def _require_access(self) -> None:
        """Raise the refusal where AWS refused the credentials in this region."""
        failure = self.access().failure
        if failure is not None and failure.ends_access:
            raise ReadError(failure)

    def _open_asked(self) -> AskedRegistry:
        """The registry that is read: that of the credentials' account, in the feed's region."""
        identity = self.access().identity
        account = identity.account if identity else self.feed.account or ""
        return AskedRegistry(account, self.feed.region)

    def _read_inventory(self) -> Inventory:
        self._require_access()
        with self._pool() as pool:
            return repositories.read_inventory(
                self._ecr.get(), self._names, pool, self._asked.get()
            )

    def _search_other_regions(self) -> RegionSearch:
        inventory = self.inventory()
        names = [
            n
            for n in self._names
            if self._packages.is_absent(inventory, n) and is_repository_name(n)
        ]
        regions = self._known.others_with_ecr(self.feed.region)
        with self._pool() as pool:
            account = self._asked.get().account
            return search_regions(self._client_in, regions if names else (), names, pool, account)

    def _client_in(self, region: str) -> Client:
        feed = self.feed
        return self._sessions.client(
            feed.credentials, "ecr", region, feed.endpoint_url, via=feed.region
        )

    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            max_workers=self._sessions.threads, thread_name_prefix="ecr-feed-reader"
        )


def answered(failure: Failure) -> bool:
    """AWS itself answered the failed call with one of its error codes."""
    silent = failure.trouble.unreachable or failure.trouble is Trouble.MALFORMED
    return failure.service in ("sts", "ecr") and bool(failure.request_id) and not silent
