"""What was read, as frozen records: the only thing a rule is given.

Times are aware datetimes in UTC, sizes are bytes, durations are `timedelta`s. Nothing here calls
AWS, reads the clock or knows pytest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MASK: Final = "********"


class Secret:
    """A text that no `repr`, `str`, format or pickle shows. `reveal()` is the one way in."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself; callers hand it to a protocol, never to an output."""
        return self.__text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __len__(self) -> int:
        return len(self.__text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a secret is not pickled")


class Trouble(StrEnum):
    """Why a read failed, told apart by AWS error code (never by HTTP status)."""

    DENIED = "denied"
    UNKNOWN_KEY = "unknown key"  # or deleted, or inactive; a region not enabled too
    EXPIRED = "session expired"
    SIGNATURE = "wrong signature"  # wrong secret
    CLOCK = "clock"  # a signature fault that the measured clock offset explains
    NO_CREDENTIALS = "no credentials"
    REGION_OFF = "region not enabled"  # said in so many words, by STS
    LOGIN_REFUSED = "login refused"  # a registry did not take user and password
    NOT_FOUND = "not found"
    THROTTLED = "throttled"
    DNS = "name not resolved"
    REFUSED = "connection refused"
    TLS = "TLS"
    PROXY = "proxy"
    TIMEOUT = "timeout"
    RESET = "connection lost"
    MALFORMED = "malformed answer"
    OTHER = "other"

    @property
    def credentials(self) -> bool:
        """The credentials themselves were refused (a clock that is off is not the credentials')."""
        return self in _CREDENTIALS

    @property
    def unreachable(self) -> bool:
        """No answer came from the service at all."""
        return self in _UNREACHABLE


_CREDENTIALS = frozenset(
    {
        Trouble.UNKNOWN_KEY,
        Trouble.EXPIRED,
        Trouble.SIGNATURE,
        Trouble.NO_CREDENTIALS,
        Trouble.LOGIN_REFUSED,
    }
)
_UNREACHABLE = frozenset(
    {Trouble.DNS, Trouble.REFUSED, Trouble.TLS, Trouble.PROXY, Trouble.TIMEOUT, Trouble.RESET}
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call, classified once.

    `code` is AWS's error code ("" where no AWS answer came), `message` the service's own words
    (redacted), `offset` this machine's clock minus AWS's where the answer carried a Date.
    """

    trouble: Trouble
    service: str
    operation: str
    region: str
    code: str = ""
    message: str = ""
    request_id: str = ""
    attempts: int = 1
    offset: timedelta | None = None
    host: str = ""

    @property
    def action(self) -> str:
        """The IAM action of the call, such as `ecr:ListImages`."""
        return f"{self.service}:{self.operation}"

    @property
    def summary(self) -> str:
        """One line: what failed and what the service said."""
        what = self.code or self.trouble.value
        tail = f": {self.message}" if self.message else ""
        tries = f" ({self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.action} in {self.region}: {what}{tail}{tries}"


class ReadError(Exception):
    """A fact could not be had; carries the classified `Failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.summary)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Call:
    """One API operation as made: the evidence that the suite only read. `latency` is in seconds."""

    service: str
    operation: str
    region: str
    status: int
    attempts: int
    latency: float
    request_id: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """sts:GetCallerIdentity. `arn` is the session's for a role; `account` 12 digits as text."""

    arn: str
    account: str
    access_key_id: str = ""
    expires_at: datetime | None = None  # of temporary credentials, where the provider says so
    source: str = ""  # how the credentials were obtained, such as "profile octopus"

    @property
    def is_root(self) -> bool:
        """The account's root user."""
        return self.arn.endswith(":root")

    @property
    def is_temporary(self) -> bool:
        """Temporary credentials: a session's ARN, or an access key ID that begins with ASIA."""
        session = ":assumed-role/" in self.arn or ":federated-user/" in self.arn
        return session or self.access_key_id.startswith("ASIA")


@dataclass(frozen=True, slots=True)
class Access:
    """How AWS received the feed's credentials in the feed's region.

    `identity` is there when some region accepted them; `failure` says how the feed's own region
    refused; `region_enabled` is None where nothing tells; `accepted_in` names the region that
    accepted what the feed's region refused.
    """

    identity: Identity | None
    region_enabled: bool | None
    failure: Failure | None = None
    accepted_in: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """One item of ecr:DescribeRepositories."""

    name: str
    arn: str
    registry_id: str
    tag_mutability: str = "MUTABLE"
    mutability_exclusions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """One item of ecr:DescribeImages: one per digest."""

    digest: str
    tags: tuple[str, ...] = ()
    pushed_at: datetime | None = None
    media_type: str = ""
    artifact_media_type: str = ""
    last_pulled_at: datetime | None = None
    subject_digest: str = ""
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class AuthorizationToken:
    """ecr:GetAuthorizationToken, not yet judged. `fetched_at` is AWS's time where it said one."""

    token: Secret = field(repr=False)
    expires_at: datetime
    proxy_endpoint: str
    fetched_at: datetime


class Answer(StrEnum):
    """Whether the principal may make a call."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Permission:
    """One answer about one action on one resource (`*` where the action has none)."""

    action: str
    resource: str
    answer: Answer
    because: str
    witness: str  # "probe", "simulation" or "evaluation"
    evidence: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None
