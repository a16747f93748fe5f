"""Where calls go: to AWS (or any endpoint), or to an account inside this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from ecr_feed.facts.aws import Secret


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An access key. `session_token` is there for temporary credentials."""

    access_key_id: str
    secret: Secret = field(repr=False)
    session_token: Secret | None = field(default=None, repr=False)
    expires_at: datetime | None = None  # of temporary credentials, where it is known


@dataclass(frozen=True, slots=True)
class Backend:
    """`answer` is called for each `before-send` event and returns botocore's AWSResponse.

    `keys` maps the labels that account files use to keys that the seeder made. With kind
    "embedded" no environment variable, profile, proxy or certificate of this machine is read.
    `endpoint_url` takes every call of the suite's clients, AWS_ENDPOINT_URL notwithstanding.
    """

    kind: Literal["aws", "embedded"] = "aws"
    answer: Callable[..., Any] | None = None
    keys: Mapping[str, SigningKey] = field(default_factory=lambda: MappingProxyType({}))
    endpoint_url: str | None = None

    @property
    def embedded(self) -> bool:
        """Nothing leaves this process."""
        return self.kind == "embedded"


AWS: Final = Backend()
