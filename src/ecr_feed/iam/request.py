"""A request, and every policy that applies to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ecr_feed.iam.document import Document
from ecr_feed.iam.principal_matching import Caller, read_caller
from ecr_feed.iam.variables import Env

_EMPTY: Mapping[str, str | tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One call to be judged.

    `principal`: ARN of a user, role, role session, federated user or root user; a service's host
    name; an identity provider's ARN; None for an unsigned call. `context`: condition keys and
    their values, `()` being an empty set. `unknown`: keys that may be present or absent; a key in
    neither is absent. `aws:PrincipalArn` is filled in from the principal unless given.
    `resource_account`: for ARNs without one; else the ARN's, else the caller's.
    Raises ValueError for a principal that is not valid.
    """

    principal: str | None
    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=lambda: _EMPTY)
    unknown: frozenset[str] = frozenset()
    resource_account: str | None = None

    @property
    def caller(self) -> Caller:
        """The parsed principal."""
        return read_caller(self.principal)

    @property
    def env(self) -> Env:
        """What conditions are judged by: lower-case keys, tuples of values."""
        values: dict[str, tuple[str, ...]] = {}
        for key, value in self.context.items():
            values[key.lower()] = (value,) if isinstance(value, str) else tuple(value)
        unknown = self.unknown
        if unknown:
            unknown = frozenset(key.lower() for key in unknown).difference(values)
        if "aws:principalarn" not in values and "aws:principalarn" not in unknown:
            arn = self.caller.principal_arn
            if arn is not None:
                values["aws:principalarn"] = (arn,)
        return Env(values, unknown)


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy that applies to a request.

    `scps`, `rcps`: one tuple of documents for each level (root, organisational units, account);
    None for no organisation, an empty level allows nothing. `resource`: the repository, trust or
    key policy (see `combine` for several).

    A federated user has what its parent and its session policy both allow, so nothing without a
    session policy; `identity` are then its parent's policies, and none means that the parent is not
    known, since a user without any cannot call GetFederationToken.
    """

    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    resource: Document | None = None
    scps: tuple[tuple[Document, ...], ...] | None = None
    rcps: tuple[tuple[Document, ...], ...] | None = None
    session: Document | None = None

    @property
    def condition_keys(self) -> frozenset[str]:
        """Context keys that any of them looks at, in lower case."""
        return frozenset().union(*(document.condition_keys for document in self.documents))

    @property
    def documents(self) -> tuple[Document, ...]:
        """All documents of all layers."""
        single = (self.boundary, self.resource, self.session)
        levels = (*(self.scps or ()), *(self.rcps or ()))
        return (
            *self.identity,
            *(each for each in single if each is not None),
            *(each for level in levels for each in level),
        )
