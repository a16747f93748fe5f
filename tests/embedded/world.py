"""What these tests share: an account from TOML, and clients of its callers."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_feed.aws.transport.backend import SigningKey
from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.seeding.account_file import AccountFile, from_tables, load
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed import Seeded, core_for, fill

ACCOUNT = "123456789012"
OTHER = "210987654321"
REGION = "eu-west-1"
HEALTHY = Path(__file__).parents[2] / "fixtures" / "accounts" / "healthy.toml"


@dataclass
class World:
    """A filled core and clients by key label; "" is the account's root user."""

    core: EmbeddedAws
    seeded: Seeded
    owner: Owner
    made: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, label: str = "", region: str = REGION) -> Any:
        """A client that signs with the key of a label."""
        known = (service, label, region)
        if known not in self.made:
            self.made[known] = self._client(*known)
        return self.made[known]

    def _client(self, service: str, label: str, region: str) -> Any:
        key = self.seeded.keys[label or "root"]
        return self.owner.as_key(service, region, parts(key))


def parts(key: SigningKey) -> tuple[str, str, str | None]:
    """A key as botocore takes it."""
    token = key.session_token.reveal() if key.session_token else None
    return key.access_key_id, key.secret.reveal(), token


def account(text: str) -> AccountFile:
    """An account file from TOML text."""
    return from_tables(tomllib.loads(text), "test")


def world(text: str | AccountFile = "") -> World:
    """A world filled from TOML."""
    file = account(text) if isinstance(text, str) else text
    core = core_for(file)
    return World(core, fill(core, file), Owner(core, partition=file.partition))


def healthy() -> World:
    """The healthy account."""
    return world(load(HEALTHY))


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    said = caught.value.response
    status = said["ResponseMetadata"]["HTTPStatusCode"]
    return said["Error"]["Code"], said["Error"]["Message"], status


def rows(client: Any, operation: str, key: str, **params: Any) -> list[Any]:
    """Every row of every page."""
    pages = client.get_paginator(operation).paginate(**params)
    return [row for page in pages for row in page[key]]
