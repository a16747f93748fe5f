"""Which calls an ECR registry policy governs: all of ECR's (V2) or only three (V1).

Source: Amazon ECR User Guide, "Private registry permissions". Accounts made before V2 keep V1 until
they switch (the account setting REGISTRY_POLICY_SCOPE).
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from ecr_feed.iam.document import Document
from ecr_feed.iam.reading import in_doubt
from ecr_feed.iam.statement import Statement

SCOPE_FACT: Final = "the scope of the registry policy (V1 or V2)"
"""The open fact that stands for a scope that was not read."""

_V1: Final = frozenset(
    {"ecr:replicateimage", "ecr:batchimportupstreamimage", "ecr:createrepository"}
)


class RegistryScope(StrEnum):
    """The account setting REGISTRY_POLICY_SCOPE, or that it was not read."""

    V1 = "V1"
    V2 = "V2"
    UNREAD = "unread"


def within_scope(document: Document, scope: RegistryScope) -> Document:
    """The registry policy as far as its scope reaches; beyond V1 undetermined if it is unread."""
    if scope is RegistryScope.V2:
        return document
    narrow = tuple(map(_within_v1, document.statements))
    wide: tuple[Statement, ...] = ()
    if scope is RegistryScope.UNREAD:
        wide = tuple(in_doubt(each, SCOPE_FACT) for each in document.statements)
    return Document(document.name, document.kind, document.version, narrow + wide)


def _within_v1(statement: Statement) -> Statement:
    return replace(statement, actions=replace(statement.actions, only=_V1))
