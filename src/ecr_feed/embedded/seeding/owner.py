"""The seeder's clients, with the account root's credentials: in process or at an endpoint.

They can write. Only `embedded` uses them; the suite's own clients are read-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.config import Config

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.identity.callers import owner_key
from ecr_feed.embedded.protocol.botocore_data import global_region, new_session
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer


@dataclass(slots=True)
class Owner:
    """Clients of one world: `core` in process, or the AWS-compatible service at `endpoint_url`.

    In process no policy limits them, so that an account can be filled in any order.

    At an endpoint, root is the 12-digit key ID with any secret, as moto and ministack take it.
    """

    core: EmbeddedAws | None = None
    endpoint_url: str | None = None
    partition: str = "aws"
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str, account: str) -> Any:
        """A client of the account's root; created once."""
        at = global_region(self.partition) if service == "iam" else region
        made = self._clients.get((service, at, account))
        if made is None:
            made = self.as_key(service, at, self._key(account))
            self._clients[service, at, account] = made
        return made

    def _key(self, account: str) -> tuple[str, str, None]:
        if self.core is None:
            return account, "root", None
        return owner_key(account), self.core.world.keys.owner_secret, None

    def as_key(self, service: str, region: str, key: tuple[str, str, str | None]) -> Any:
        """A client that signs with a key: ID, secret, session token."""
        session = new_session()
        session.set_credentials(*key)
        if self.core is not None:
            emitter = session.get_component("event_emitter")
            emitter.register_first("before-send", boto3_answer(self.core))
        return session.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            verify=True,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 1},
                ignore_configured_endpoint_urls=True,
                proxies={},
                parameter_validation=True,
            ),
        )

    @contextmanager
    def ago(self, days: float) -> Iterator[None]:
        """Within this context AWS's time is that many days earlier; no effect at an endpoint."""
        if self.core is None or not days:
            yield
            return
        with self.core.world.clock.ago(timedelta(days=days)):
            yield
