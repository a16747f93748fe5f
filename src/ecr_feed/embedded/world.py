"""The state of the embedded account: what its services store, its network, regions and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ecr_feed.embedded.ecr.registry_state import StoredRegistries
from ecr_feed.embedded.iam.store import Directory, IamStore
from ecr_feed.embedded.identity.callers import (
    ApiCaller,
    KeyRing,
    TokenBook,
    is_root,
    owned_by,
    unknown_key,
)
from ecr_feed.embedded.protocol.botocore_data import known_partition, regions
from ecr_feed.embedded.protocol.operation_calls import ApiCall

SCP: Final = "SERVICE_CONTROL_POLICY"
RCP: Final = "RESOURCE_CONTROL_POLICY"
POLICY_TYPES_ON: Final = {SCP: "ENABLED", RCP: "ENABLED"}


@dataclass(slots=True)
class Environment:
    """Condition context and policies that no IAM call returns.

    source_ip        the address AWS sees; not set in the context when a VPC endpoint is used
    vpce, vpc        the VPC endpoint the calls come through, and its VPC
    endpoint_policy  that endpoint's policy document (JSON text); "" for the default, full access
    organization     aws:PrincipalOrgID; "" where the account is in none
    delegated        the account is a delegated administrator of AWS Organizations
    policy_types     type of organisation policy -> status, as ListRoots shows it; absent: off
    scps, rcps       policy documents per level, root first; None: no organisation policies
    """

    source_ip: str = "203.0.113.10"
    vpce: str = ""
    vpc: str = ""
    endpoint_policy: str = ""
    organization: str = ""
    delegated: bool = True
    policy_types: Mapping[str, str] = field(default_factory=lambda: dict(POLICY_TYPES_ON))
    scps: tuple[tuple[str, ...], ...] | None = None
    rcps: tuple[tuple[str, ...], ...] | None = None


# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
DEFAULT_REGIONS: Final = frozenset(
    {
        "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1",
        "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
        "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1",
    }
)  # fmt: skip


@dataclass(slots=True)
class AccountRegions:
    """Which regions one account may use: `extra` are opted in, `disabled` switched off."""

    partition: str = "aws"
    extra: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)

    def enabled(self, region: str) -> bool:
        """Whether the account's keys are accepted in the region."""
        if known_partition(region) != self.partition or region in self.disabled:
            return False
        return self.partition != "aws" or region in DEFAULT_REGIONS | self.extra

    def status(self, region: str) -> str:
        """account:GetRegionOptStatus of a region of the account's partition."""
        if region in DEFAULT_REGIONS or self.partition != "aws":
            return "ENABLED_BY_DEFAULT"
        return "ENABLED" if self.enabled(region) else "DISABLED"

    def all(self) -> list[str]:
        """Every region of the account's partition."""
        return sorted(name for name, where in regions().items() if where == self.partition)


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Clock:
    """`now()` is AWS's time. `signing_now()` is the time a client is expected to sign with.

    `advance` moves AWS's time, and with it what is expected of clients, so that a test may look at
    tomorrow with today's signatures. `client_off` is by how much clients are *really* wrong: AWS's
    time differs from theirs, and beyond 15 minutes their signatures are refused.
    """

    def __init__(self, base: Callable[[], datetime] = utc_now) -> None:
        self._base = base
        self._moved = timedelta()
        self.client_off = timedelta()

    def now(self) -> datetime:
        """AWS's time, in UTC."""
        return self._base() + self._moved - self.client_off

    def signing_now(self) -> datetime:
        """The time that signatures are checked against: this machine's, minus `client_off`."""
        return utc_now() - self.client_off

    def advance(self, step: timedelta) -> None:
        """Move AWS's time, forwards or back."""
        self._moved += step

    @contextmanager
    def ago(self, age: timedelta) -> Iterator[None]:
        """Within this context AWS's time is `age` earlier, so that new objects are that old."""
        self._moved -= age
        try:
            yield
        finally:
            self._moved += age


@dataclass(slots=True)
class World:
    """State of all accounts. An account exists from its root's first call.

    `quotas`: IAM's quotas other than the defaults, by their names in GetAccountSummary.
    """

    partition: str = "aws"
    clock: Clock = field(default_factory=Clock)
    keys: KeyRing = field(default_factory=KeyRing)
    tokens: TokenBook = field(default_factory=TokenBook)
    registries: StoredRegistries = field(default_factory=StoredRegistries)
    environment: Environment = field(default_factory=Environment)
    quotas: dict[str, int] = field(default_factory=dict)
    regions: AccountRegions = field(init=False)
    iam: IamStore = field(init=False)
    directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        self.regions = AccountRegions(self.partition)
        self.iam = IamStore(self.partition)
        self.directory = Directory(self.iam)

    def caller(self, key_id: str, service: str) -> ApiCaller:
        """The principal of a verified access key. Raises ServiceError if its user is gone."""
        if account := owned_by(key_id):
            root = f"arn:{self.partition}:iam::{account}:root"
            return ApiCaller("root", account, root, "", account, key_id, unrestricted=True)
        if is_root(key_id):
            return ApiCaller(
                "root", key_id, f"arn:{self.partition}:iam::{key_id}:root", "", key_id, key_id
            )
        if session := self.keys.sessions.get(key_id):
            name = session.issuer.rsplit("/", 1)[-1]
            return ApiCaller(
                session.kind, session.account, session.arn, name, session.user_id, key_id, session
            )
        key = self.keys.keys[key_id]
        user = self.directory.details(key.account).users.get(key.user)
        if user is None:
            raise unknown_key(service)
        return ApiCaller("user", key.account, user.arn, user.name, user.entity_id, key_id)

    def names_behind(self, key_id: str) -> tuple[str, ...]:
        """The key ID and its user's or role's name, unverified; for matching faults."""
        if session := self.keys.sessions.get(key_id):
            return key_id, session.issuer.rsplit("/", 1)[-1]
        key = self.keys.keys.get(key_id)
        return (key_id, key.user) if key else (key_id,)


@dataclass(frozen=True, slots=True)
class AuthenticatedCall:
    """One call of an authenticated caller, and the world it acts on."""

    world: World
    caller: ApiCaller
    api_call: ApiCall

    @property
    def params(self) -> dict[str, Any]:
        """The call's parameters."""
        return self.api_call.params
