"""The embedded account's core as the registry server sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecr_feed.embedded.core import Core
from ecr_feed.embedded.ecr import HANDLERS, Context
from ecr_feed.embedded.ecr.state import Registry
from ecr_feed.embedded.faults import Asked, Fault
from ecr_feed.embedded.tokens import TokenHolder


class CoreState:
    """The same state, permissions and faults that the account's API has."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def now(self) -> datetime:
        """AWS's time."""
        return self._core.now()

    def holder(self, password: str) -> TokenHolder | None:
        """Whose token the password is, expired or not."""
        return self._core.token_caller(password)

    def registry(self, account: str, region: str) -> Registry:
        """The registry of an account in a region."""
        return self._core.registry(account, region)

    def check(
        self, holder: TokenHolder, registry: Registry, operation: str, repository: str | None
    ) -> None:
        """Raises AccessDeniedException unless the holder may, now."""

    def call(
        self, holder: TokenHolder, registry: Registry, operation: str, params: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The operation in the holder's name, permissions included."""
        self.check(holder, registry, operation, params.get("repositoryName"))
        world = self._core.world
        context = Context(
            world.registries, world.tokens, holder.caller, registry.region, self.now()
        )
        return HANDLERS[operation](context, {**params, "registryId": registry.account})

    def fault(self, asked: Asked) -> Fault | None:
        """The fault in force for a request, counted as used."""
        return self._core.faults.take(asked)
