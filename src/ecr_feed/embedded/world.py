"""The state of the embedded account: what its services store, its network and its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ecr_feed.embedded.account_regions import AccountRegions
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


@dataclass(slots=True)
class Environment:
    """Condition context and policies that no IAM call shows.

    source_ip        the address AWS sees; not set in the context when a VPC endpoint is used
    vpce, vpc        the VPC endpoint the calls come through, and its VPC
    endpoint_policy  that endpoint's policy document (JSON text); "" for the default, full access
    organization     aws:PrincipalOrgID; "" where the account is in none
    scps, rcps       policy documents per level, root first; None: no organisation policies
    """

    source_ip: str = "203.0.113.10"
    vpce: str = ""
    vpc: str = ""
    endpoint_policy: str = ""
    organization: str = ""
    scps: tuple[tuple[str, ...], ...] | None = None
    rcps: tuple[tuple[str, ...], ...] | None = None


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
        """The time a client's signature is compared with: the machine's, by which clients sign."""
        return utc_now() - self.client_off

    def advance(self, step: timedelta) -> None:
        """Let time pass, or run back."""
        self._moved += step

    @contextmanager
    def ago(self, age: timedelta) -> Iterator[None]:
        """Do things in the past: what is made inside is `age` old afterwards."""
        self._moved -= age
        try:
            yield
        finally:
            self._moved += age


@dataclass(slots=True)
class World:
    """State of all accounts. An account needs no making: its root's first call is enough."""

    partition: str = "aws"
    clock: Clock = field(default_factory=Clock)
    keys: KeyRing = field(default_factory=KeyRing)
    tokens: TokenBook = field(default_factory=TokenBook)
    registries: StoredRegistries = field(default_factory=StoredRegistries)
    environment: Environment = field(default_factory=Environment)
    regions: AccountRegions = field(init=False)
    iam: IamStore = field(init=False)
    directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        self.regions = AccountRegions(self.partition)
        self.iam = IamStore(self.partition)
        self.directory = Directory(self.iam)

    def caller(self, key_id: str, service: str) -> ApiCaller:
        """The principal behind an access key that was verified before."""
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
        """The key ID and who it belongs to, for matching; nothing is verified."""
        if session := self.keys.sessions.get(key_id):
            return key_id, session.issuer.rsplit("/", 1)[-1]
        key = self.keys.keys.get(key_id)
        return (key_id, key.user) if key else (key_id,)
