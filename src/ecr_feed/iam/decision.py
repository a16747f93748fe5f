"""A decision and its reasons, which are computed when first read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.document import Document
from ecr_feed.iam.layers import PreparedRequest, prepare
from ecr_feed.iam.principal_matching import Naming
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.statement import Resources, Statement, StatementRef
from ecr_feed.iam.variables import Env


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


GRANTING = (Layer.IDENTITY, Layer.RESOURCE, Layer.NO_GRANT)
"""The layers that can grant; the others can only limit."""

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
    """An Allow statement that nearly applies, and everything that keeps it from applying."""

    layer: Layer
    statement: StatementRef
    misses: tuple[Miss, ...]

    def __str__(self) -> str:
        return f"{self.statement}: {'; '.join(map(str, self.misses))}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request, and why.

    `depends_on`: the unknown keys that change the answer, in the request's spelling, sorted.
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
        """True only when certainly allowed."""
        return self.outcome is Outcome.ALLOWED

    @property
    def denial_layer(self) -> str:
        """The layer as AWS's access denied messages name it; "" when allowed."""
        return "" if self.allowed else self.layer.policy_type

    @property
    def nearest(self) -> tuple[NearMiss, ...]:
        """The Allow statements of the blocking layers closest to applying, closest first."""
        return tuple(_near_misses(self)[:_SHOWN])

    @property
    def unmet(self) -> tuple[NearMiss, ...]:
        """The Allow statements of the blocking layers that only conditions keep from applying.

        The closest first.
        """
        return tuple(
            near
            for near in _near_misses(self)
            if all(miss.what == "condition" for miss in near.misses)
        )

    @property
    def absent(self) -> tuple[str, ...]:
        """Condition keys that policies use and the request lacks, sorted."""
        return _absent(self)

    @property
    def because(self) -> str:
        """The reason in one sentence."""
        return _because(self)

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


_SHOWN = 3
_WEIGHTS = {"action": 8, "principal": 4, "resource": 2, "condition": 1}


def _near_misses(decision: Decision) -> list[NearMiss]:
    """The Allow statements of the blocking layers that do not apply, the closest first."""
    prepared = prepare(decision.request, decision.policies, decision.request.env)
    found: dict[tuple[Layer, int], tuple[tuple[int, float], NearMiss]] = {}
    for block in decision.blocking:
        if block.statement is not None:
            continue
        for layer, document in _documents(block, decision):
            for statement in document.statements:
                misses = (
                    _as_asked(_misses(statement, prepared), decision) if statement.allows else ()
                )
                if misses:
                    near = NearMiss(layer, statement.ref, misses)
                    found[layer, id(statement)] = (_distance(statement, misses, prepared), near)
    ranked = sorted(found.values(), key=lambda each: each[0])
    return [near for _, near in ranked]


def _as_asked(misses: Iterable[Miss], decision: Decision) -> tuple[Miss, ...]:
    """The misses with the action in the request's spelling instead of lower case."""
    asked = decision.request.action
    return tuple(replace(miss, found=asked) if miss.what == "action" else miss for miss in misses)


def _documents(block: Block, decision: Decision) -> Iterator[tuple[Layer, Document]]:
    policies = decision.policies
    level = block.level or 0
    by_layer: dict[Layer, Iterable[Document | None]] = {
        Layer.IDENTITY: policies.identity,
        Layer.RESOURCE: (policies.resource,),
        Layer.BOUNDARY: (policies.boundary,),
        Layer.SESSION: (policies.session,),
        Layer.SCP: policies.scps[level] if policies.scps else (),
        Layer.RCP: policies.rcps[level] if policies.rcps else (),
    }
    layers = [block.layer]
    if block.layer is Layer.NO_GRANT:
        layers = [Layer.IDENTITY, Layer.RESOURCE]
    for layer in layers:
        for document in by_layer[layer]:
            if document is not None:
                yield layer, document


def _distance(
    statement: Statement, misses: Iterable[Miss], prepared: PreparedRequest
) -> tuple[int, float]:
    """How far a statement is from applying: the weight of its misses, then how texts differ."""
    missing = sum(_WEIGHTS[miss.what] for miss in misses)
    written = statement.actions.written
    likeness = max((_likeness(each.lower(), prepared.action) for each in written), default=0.0)
    if statement.resources is not None:
        patterns = statement.resources.written
        likeness += max((_likeness(each, prepared.resource) for each in patterns), default=0.0)
    return missing, -likeness


def _likeness(one: str, other: str) -> float:
    """The share of the longer text that both begin with."""
    pairs = zip(one, other, strict=False)
    same = next((at for at, (left, right) in enumerate(pairs) if left != right), None)
    if same is None:
        same = min(len(one), len(other))
    return same / max(len(one), len(other), 1)


def _misses(statement: Statement, prepared: PreparedRequest) -> Iterator[Miss]:
    if not statement.actions.match(prepared.action):
        expected = _listed(statement.actions.written, statement.actions.negated)
        yield Miss("action", expected, prepared.action)
    if statement.resources is not None:
        if statement.resources.match(prepared.resource, prepared.env) is not True:
            yield Miss("resource", _resources(statement.resources), prepared.resource)
    elif not prepared.acts_on_resource:
        yield Miss("resource", "an action that acts on this resource", "*")
    if statement.principals is not None:
        yield from _principal(statement, prepared)
    for condition in statement.conditions:
        truth = condition.evaluate(prepared.env)
        if truth is not True:
            yield _condition(condition, prepared.env)


def _principal(statement: Statement, prepared: PreparedRequest) -> Iterator[Miss]:
    principals = statement.principals
    if principals is None:
        return
    naming = principals.naming(prepared.caller, prepared.role_arn, prepared.has_boundary)
    expected = _listed(principals.texts, principals.negated)
    found = prepared.caller.arn or "an unsigned caller"
    if naming is Naming.NONE:
        yield Miss("principal", expected, found)
    elif naming is Naming.ACCOUNT and prepared.same_account and not prepared.must_allow:
        yield Miss("principal", f"{expected} (leaves it to identity policies)", found)


def _resources(resources: Resources) -> str:
    return _listed(resources.written, resources.negated)


def _listed(patterns: Iterable[str], negated: bool) -> str:
    text = " or ".join(patterns) or "(nothing)"
    return f"anything but {text}" if negated else text


def _condition(condition: Condition, env: Env) -> Miss:
    missing = "unknown" if condition.lower in env.unknown else "absent"
    text = ", ".join(env.values.get(condition.lower, ())) or missing
    expected = " or ".join(value.text for value in condition.values) or "(no value)"
    if condition.operator.negated:
        expected = f"not {expected}"
    return Miss("condition", expected, text, condition.key, condition.name)


def _absent(decision: Decision) -> tuple[str, ...]:
    """Condition keys that policies look at and the request lacks, sorted."""
    prepared = prepare(decision.request, decision.policies, decision.request.env)
    missing: dict[str, str] = {}
    for document in decision.policies.documents:
        for side in document.candidates(prepared.action, prepared.resource):
            for statement, _ in side:
                if statement.principals is None or _named(statement, prepared):
                    for lower, spelled in _looked_at(statement):
                        if lower not in prepared.env.values and lower not in prepared.env.unknown:
                            missing.setdefault(lower, spelled)
    return tuple(sorted(missing.values()))


def _named(statement: Statement, prepared: PreparedRequest) -> bool:
    return not any(miss.what == "principal" for miss in _principal(statement, prepared))


def _looked_at(statement: Statement) -> Iterator[tuple[str, str]]:
    for condition in statement.conditions:
        if condition.key not in statement.open_facts:
            yield condition.lower, condition.key
        for variable in condition.variables:
            yield variable.key, variable.spelled
    if statement.resources is not None:
        for variable in statement.resources.variables:
            yield variable.key, variable.spelled


def _because(decision: Decision) -> str:
    """The reason in one sentence."""
    asked = f"{decision.request.action} on {decision.request.resource}"
    if decision.outcome is Outcome.ALLOWED:
        return _allowed(decision, asked)
    kind = decision.layer.policy_type
    level = "" if decision.level is None else f" at level {decision.level}"
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return f"{asked} is denied: explicit deny in the {kind}{level}, {decision.statement}."
    if decision.outcome is Outcome.UNDETERMINED:
        return f"{asked} depends on {', '.join(decision.depends_on)}, which is not known."
    near = decision.nearest
    hint = f"; nearest is {near[0]}" if near else ""
    return f"{asked} is denied: no {kind}{level} allows it{hint}."


def _allowed(decision: Decision, asked: str) -> str:
    if decision.layer is Layer.ALWAYS:
        return f"{asked} needs no permission and cannot be denied."
    if decision.layer is Layer.ROOT_USER:
        return f"{asked} is allowed: the account's root user needs no policy."
    return f"{asked} is allowed by the {decision.layer.policy_type}, {decision.statement}."
