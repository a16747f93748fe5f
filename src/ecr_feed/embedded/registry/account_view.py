"""The embedded account's core as the registry server sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from ecr_feed.embedded.core.core import Core
from ecr_feed.embedded.core.faults import Asked, Fault
from ecr_feed.embedded.ecr.state import Registry
from ecr_feed.embedded.identity.tokens import TokenHolder


class CoreState:
    """The same state, permissions and faults that the account's API has.

    A token opens every registry of its region that its holder has permission for, so what is asked
    is judged by the registry's account, not by the token's.
    """

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
        self._core.permit(replace(holder, account=registry.account), operation, repository)

    def call(
        self, holder: TokenHolder, registry: Registry, operation: str, params: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The operation in the holder's name, permissions included."""
        return self._core.call_as(replace(holder, account=registry.account), operation, params)

    def fault(self, asked: Asked) -> Fault | None:
        """The fault in force for a request, counted as used."""
        return self._core.faults.take(asked)


class State(Protocol):
    """The embedded account as a registry sees it."""

    def now(self) -> datetime:
        """AWS's time."""

    def holder(self, password: str) -> TokenHolder | None:
        """Whose token the password is, expired or not; None for one that was never issued."""

    def registry(self, account: str, region: str) -> Registry:
        """The registry of an account in a region."""

    def check(
        self, holder: TokenHolder, registry: Registry, operation: str, repository: str | None
    ) -> None:
        """Raises AccessDeniedException unless the holder may, now; None asks for any repository."""

    def call(
        self, holder: TokenHolder, registry: Registry, operation: str, params: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The ECR operation in the holder's name, permissions included; raises `ServiceError`."""

    def fault(self, asked: Asked) -> Fault | None:
        """The fault in force for a request, counted as used."""
