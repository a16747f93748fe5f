"""A served embedded registry, and ways to ask it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from ecr_feed.embedded.registry import EmbeddedRegistry
from ecr_feed.embedded.registry.embedded_registry import LoopbackAdapter
from ecr_feed.facts.aws import Secret
from ecr_feed.oci import RegistryClient, RegistrySession, Timeouts
from tests.embedded.world import ACCOUNT, REGION, World

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
STORAGE = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"


@dataclass
class Served:
    """A world whose registries are served, and three ways to ask them."""

    world: World
    embedded: EmbeddedRegistry

    def password(self, label: str = "feed", region: str = REGION) -> str:
        """The password of a fresh token of a key."""
        answer = self.world.client("ecr", label, region).get_authorization_token()
        token = answer["authorizationData"][0]["authorizationToken"]
        return base64.b64decode(token).decode().partition(":")[2]

    def registry(
        self, *names: str, label: str = "feed", host: str = HOST, password: str = ""
    ) -> RegistrySession:
        """Our own client's walk."""
        secret = Secret(password or self.password(label))
        network = self.embedded.network(Timeouts(5, 5, 5))
        return RegistrySession(
            RegistryClient(host, "AWS", secret, repositories=set(names), network=network)
        )

    def ask(
        self, method: str, url: str, *, password: str | None = None, user: str = "AWS", **more: Any
    ) -> requests.Response:
        """One raw request; `password` None sends no login."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.embedded.ca_file)
        adapter = self.embedded.network().adapter
        assert isinstance(adapter, LoopbackAdapter)
        session.mount("https://", adapter)
        with session:
            auth = None if password is None else (user, password)
            return session.request(method, url, auth=auth, allow_redirects=False, **more)


Serve = Callable[[World], Served]
