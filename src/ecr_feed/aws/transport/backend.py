"""Where calls go: to AWS or another endpoint, or to an account inside this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from ecr_feed.facts.aws import Secret


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An access key to sign with; temporary credentials have a `session_token`."""

    access_key_id: str
    secret: Secret = field(repr=False)
    session_token: Secret | None = field(default=None, repr=False)
    expires_at: datetime | None = None  # of temporary credentials, where it is known


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the suite's clients send their calls.

    `answer` handles each `before-send` event and returns botocore's AWSResponse. `keys` maps the
    labels of account files to the keys that the seeder made. With kind "embedded", clients read no
    environment variable, profile, proxy or certificate of this machine. `endpoint_url` receives
    every call, even where AWS_ENDPOINT_URL is set.
    """

    kind: Literal["aws", "embedded"] = "aws"
    answer: Callable[..., Any] | None = None
    keys: Mapping[str, SigningKey] = field(default_factory=lambda: MappingProxyType({}))
    endpoint_url: str | None = None

    @property
    def embedded(self) -> bool:
        """The account is in this process: no call leaves it."""
        return self.kind == "embedded"


AWS: Final = Backend()
