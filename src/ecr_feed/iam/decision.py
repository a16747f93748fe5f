"""A request, the policies that apply, and the decision with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ecr_feed.iam.document import Document
from ecr_feed.iam.principal import Caller, read_caller
from ecr_feed.iam.statement import StatementRef
from ecr_feed.iam.variables import Env

_EMPTY: Mapping[str, str | tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One call to be judged.

    `principal`: ARN of a user, role, role session, federated user or root user; a service's host
    name; an identity provider's ARN; None for an unsigned call. `context`: condition keys and
    their values, `()` being an empty set. `unknown`: keys that may or may not be there; a key in
    neither is absent. `aws:PrincipalArn` is filled in from the principal unless given.
    `resource_account`: for ARNs without one; else the ARN's, else the caller's.
    Raises ValueError for a principal that is none.
    """

    principal: str | None
    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=lambda: _EMPTY)
    unknown: frozenset[str] = frozenset()
    resource_account: str | None = None

    @property
    def caller(self) -> Caller:
        """The principal taken apart."""
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


class Outcome(StrEnum):
    """What IAM would answer."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"
    UNDETERMINED = "undetermined"


class Layer(StrEnum):
    """Where a decision is made."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    NO_GRANT = "no grant"
    ROOT_USER = "root user"
    ALWAYS = "always allowed"

    @property
    def policy_type(self) -> str:
        """The layer as AWS's access denied messages name it."""
        return _POLICY_TYPES.get(self, "identity-based policy")


_POLICY_TYPES = {
    Layer.RESOURCE: "resource-based policy",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
    Layer.SCP: "service control policy",
    Layer.RCP: "resource control policy",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One layer that keeps a request from being allowed.

    `level`: which SCP or RCP level, from 0. `statement`: the Deny; None when nothing there allows.
    `certain`: false when it depends on unknown keys.
    """

    layer: Layer
    level: int | None = None
    statement: StatementRef | None = None
    certain: bool = True

    def __str__(self) -> str:
        where = f"{self.layer} level {self.level}" if self.level is not None else str(self.layer)
        return f"{where}: {self.statement}" if self.statement else where


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a statement does not apply: `what` is action, resource, principal or condition.

    `expected` is what the statement asks for, `found` what the request has. For a condition, `key`
    and `operator` say which; `found` is "absent" for a key that is not there.
    """

    what: str
    expected: str
    found: str
    key: str = ""
    operator: str = ""

    def __str__(self) -> str:
        if self.what != "condition":
            return f"{self.what} {self.found} is not {self.expected}"
        return f"{self.operator} {self.key} expects {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An Allow statement that came near, and all that keeps it from applying."""

    layer: Layer
    statement: StatementRef
    misses: tuple[Miss, ...]

    def __str__(self) -> str:
        return f"{self.statement}: {'; '.join(map(str, self.misses))}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request, and why.

    `depends_on`: the unknown keys that can turn the answer, as the request spells them, sorted.
    `layer` (and `level` within SCPs or RCPs): where it was decided. `blocking`: every layer that
    does not allow. `statement`: the one that allows or denies; None for an implicit deny.
    """

    outcome: Outcome
    layer: Layer
    level: int | None = None
    statement: StatementRef | None = None
    blocking: tuple[Block, ...] = ()
    depends_on: tuple[str, ...] = ()
    request: Request = field(kw_only=True, repr=False, compare=False)
    policies: Policies = field(kw_only=True, repr=False, compare=False)

    @property
    def allowed(self) -> bool:
        """True only when surely allowed."""
        return self.outcome is Outcome.ALLOWED

    @property
    def denial_layer(self) -> str:
        """The layer as AWS's access denied messages name it; "" when allowed."""
        return "" if self.allowed else self.layer.policy_type

    @property
    def nearest(self) -> tuple[NearMiss, ...]:
        """Allow statements of the blocking layers that came nearest, best first."""
        from ecr_feed.iam.explain import nearest

        return nearest(self)

    @property
    def absent(self) -> tuple[str, ...]:
        """Condition keys that were looked for and are not there, sorted, as policies spell them."""
        from ecr_feed.iam.explain import absent

        return absent(self)

    @property
    def because(self) -> str:
        """One sentence for people."""
        from ecr_feed.iam.explain import because

        return because(self)

    @property
    def evidence(self) -> dict[str, object]:
        """What a report shows, as JSON values."""
        return {
            "action": self.request.action,
            "resource": self.request.resource,
            "principal": self.request.principal,
            "outcome": str(self.outcome),
            "because": self.because,
            "statement": None if self.statement is None else str(self.statement),
            "blocking": [str(block) for block in self.blocking],
            "nearest": [str(near) for near in self.nearest],
            "absent": list(self.absent),
            "depends_on": list(self.depends_on),
        }
