"""Frozen records of what was read from AWS: rules are given these and nothing else.

Times are aware datetimes in UTC, durations are `timedelta`s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MASK: Final = "********"


class Secret:
    """A text that `repr`, `str` and format mask and that cannot be pickled; see `reveal()`."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, to send in a request; never to show."""
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
        raise TypeError("a secret cannot be pickled")


class Trouble(StrEnum):
    """Why a read failed, according to the AWS error code, not to the HTTP status."""

    DENIED = "denied"
    UNKNOWN_KEY = "unknown key"  # or deleted, or inactive, or the region is not enabled
    EXPIRED = "session expired"
    SIGNATURE = "wrong signature"  # wrong secret
    CLOCK = "clock"  # a signature error that the clock offset explains
    NO_CREDENTIALS = "no credentials"
    MALFORMED_KEY = "malformed credentials"  # seen in the fields themselves, before any call
    LOGIN_ENDED = "login ended"  # of a profile: no credentials could be obtained to call AWS with
    REGION_OFF = "region not enabled"  # stated by STS or ECR
    LOGIN_REFUSED = "login refused"  # a registry did not accept user and password
    NOT_FOUND = "not found"
    THROTTLED = "throttled"
    DNS = "name not resolved"
    REFUSED = "connection refused"
    TLS = "TLS"
    PROXY = "proxy"
    TIMEOUT = "timeout"
    RESET = "connection lost"
    MALFORMED = "malformed answer"
    CONTRADICTION = "contradicting answers"  # two answers of AWS that cannot both be true
    OTHER = "other"

    @property
    def credentials(self) -> bool:
        """The credentials themselves were refused; a wrong clock does not count as that."""
        return self in _CREDENTIALS

    @property
    def unreachable(self) -> bool:
        """The service sent no response at all."""
        return self in _UNREACHABLE


_CREDENTIALS = frozenset(
    {
        Trouble.UNKNOWN_KEY,
        Trouble.EXPIRED,
        Trouble.SIGNATURE,
        Trouble.NO_CREDENTIALS,
        Trouble.MALFORMED_KEY,
        Trouble.LOGIN_REFUSED,
    }
)
_UNREACHABLE = frozenset(
    {Trouble.DNS, Trouble.REFUSED, Trouble.TLS, Trouble.PROXY, Trouble.TIMEOUT, Trouble.RESET}
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call.

    `code` is AWS's error code ("" without a response from AWS), `message` the service's message
    without secrets, `offset` this machine's clock minus AWS's where the response had a Date.
    `login` is the command that renews the login behind the credentials, where they have one;
    `by_auditor` tells that they are the auditor's, not the feed's.
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
    login: str = ""
    by_auditor: bool = False

    @property
    def action(self) -> str:
        """The IAM action of the call, such as `ecr:ListImages`."""
        return f"{self.service}:{self.operation}"

    @property
    def ends_access(self) -> bool:
        """After this failure, no call with the credentials in this region can succeed."""
        ending = (Trouble.CLOCK, Trouble.REGION_OFF, Trouble.LOGIN_ENDED)
        return self.trouble.credentials or self.trouble in ending

    @property
    def summary(self) -> str:
        """One line: the call, the error code and the message."""
        what = self.code or self.trouble.value
        tail = f": {self.message}" if self.message else ""
        tries = f" ({self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.action} in {self.region}: {what}{tail}{tries}"


class ReadError(Exception):
    """A fact could not be read; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.summary)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Call:
    """One API call that was made. `latency` is in seconds, `status` 0 without a response."""

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
    """Who the credentials are. For a role, `arn` is the session's; `account` has 12 digits."""

    arn: str
    account: str
    access_key_id: str = ""
    expires_at: datetime | None = None  # of temporary credentials, if known
    source: str = ""  # how the credentials were obtained, such as "profile octopus"

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root user."""
        return self.arn.endswith(":root")

    @property
    def is_temporary(self) -> bool:
        """Whether the ARN is a session's, or the access key ID begins with ASIA."""
        session = ":assumed-role/" in self.arn or ":federated-user/" in self.arn
        return session or self.access_key_id.startswith("ASIA")


@dataclass(frozen=True, slots=True)
class Access:
    """Whether AWS accepts the feed's credentials in the feed's region.

    `identity` is set if any region accepted them. `failure` is the refusal of the feed's region,
    `accepted_in` another region that accepted them. `region_enabled` is None where that is unknown.
    """

    identity: Identity | None
    region_enabled: bool | None
    failure: Failure | None = None
    accepted_in: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository, from ecr:DescribeRepositories."""

    name: str
    arn: str
    registry_id: str
    tag_mutability: str = "MUTABLE"
    mutability_exclusions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """One image (one digest), from ecr:DescribeImages. Texts are "" where ECR gives none."""

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
    """The first entry of ecr:GetAuthorizationToken. `fetched_at` is AWS's time, if it is known."""

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
    """Whether one action is allowed on one resource (`*` for actions that have none)."""

    action: str
    resource: str
    answer: Answer
    because: str
    witness: str  # "probe", "simulation" or "evaluation"
    evidence: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None
