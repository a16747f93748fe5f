"""What the registry server asks of the embedded account: one state, the same permissions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from ecr_feed.embedded.ecr.state import Registry
from ecr_feed.embedded.faults import Asked, Fault
from ecr_feed.embedded.tokens import TokenHolder


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
