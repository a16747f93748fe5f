"""Combine the results of all policy layers into one decision, in three-valued logic.

Sources: IAM User Guide, "How AWS enforcement code logic evaluates requests", "Policy evaluation
for requests within a single account", "Cross-account policy evaluation logic"; Organizations User
Guide, "SCP evaluation" and "RCP evaluation"; STS API reference, GetCallerIdentity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ecr_feed.iam.decision import Block, Decision, Layer, Outcome
from ecr_feed.iam.layers import (
    NO_POLICY,
    OPEN,
    LayerResult,
    PreparedRequest,
    ResourceResult,
    bound_by_rcps,
    bound_by_scps,
    layer_result,
    prepare,
    resource_result,
)
from ecr_feed.iam.match import Truth, all_of, both, either
from ecr_feed.iam.principal_matching import CallerKind
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.statement import StatementRef
from ecr_feed.iam.variables import Env

UNDENIABLE = "sts:getcalleridentity"


class LayerResults(NamedTuple):
    """The result of every layer for one request.

    `named`: whether the resource's policy allows the caller under any of its names. `base`: within
    the account, what boundary and session policy can still limit. `limits`: whether both of these
    allow. `grant`: whether the caller has the permission, SCPs and RCPs not counted.
    """

    prepared: PreparedRequest
    rcps: tuple[LayerResult, ...]
    scps: tuple[LayerResult, ...]
    resource: ResourceResult
    identity: LayerResult
    boundary: LayerResult
    session: LayerResult
    named: Truth
    base: Truth
    limits: Truth
    grant: Truth

    @property
    def answer(self) -> Truth:
        """Whether every layer that must allow does, explicit denials not counted."""
        grant = self.grant
        if not self.rcps and not self.scps:
            return grant
        levels = (*self.rcps, *self.scps)
        return both(all_of(verdict.allows for verdict in levels), grant)

    @property
    def nothing_denies(self) -> bool:
        """Whether certainly no layer denies."""
        return (
            self.identity.denies is False
            and self.resource.denies is False
            and self.boundary.denies is False
            and self.session.denies is False
            and (
                not (self.rcps or self.scps)
                or all(verdict.denies is False for verdict in (*self.rcps, *self.scps))
            )
        )

    def denials(self) -> Iterator[tuple[Layer, int | None, Truth, StatementRef | None]]:
        """Every layer with its explicit denial: level, truth and statement."""
        for level, verdict in enumerate(self.rcps):
            yield Layer.RCP, level, verdict.denies, verdict.deny
        for level, verdict in enumerate(self.scps):
            yield Layer.SCP, level, verdict.denies, verdict.deny
        yield Layer.RESOURCE, None, self.resource.denies, self.resource.deny
        yield Layer.IDENTITY, None, self.identity.denies, self.identity.deny
        yield Layer.BOUNDARY, None, self.boundary.denies, self.boundary.deny
        yield Layer.SESSION, None, self.session.denies, self.session.deny

    def allowances(self) -> Iterator[tuple[Layer, int | None, Truth]]:
        """The layers that must allow this request, and whether each does."""
        for level, verdict in enumerate(self.rcps):
            yield Layer.RCP, level, verdict.allows
        for level, verdict in enumerate(self.scps):
            yield Layer.SCP, level, verdict.allows
        if self.grant is not True:
            yield from self._grant_parts()

    def _grant_parts(self) -> Iterator[tuple[Layer, int | None, Truth]]:
        if not self.prepared.caller.has_policies:
            yield Layer.RESOURCE, None, self.resource.direct
            return
        if not self.prepared.same_account:
            yield Layer.RESOURCE, None, self.named
            yield Layer.IDENTITY, None, self.identity.allows
        elif self.prepared.must_allow:
            yield Layer.RESOURCE, None, self.named
            if self.resource.role is not True:
                yield Layer.IDENTITY, None, self.identity.allows
        else:
            yield Layer.NO_GRANT, None, either(self.resource.direct, self.base)
        yield Layer.BOUNDARY, None, self.boundary.allows
        yield Layer.SESSION, None, self.session.allows


def _granted(
    prepared: PreparedRequest,
    resource: ResourceResult,
    named: Truth,
    base: Truth,
    own: Truth,
    limits: Truth,
) -> Truth:
    """Whether the caller has the permission, SCPs and RCPs not counted.

    `own`: identity policies allow.
    """
    caller = prepared.caller
    if not caller.has_policies:
        is_owner = caller.kind is CallerKind.ROOT and prepared.same_account
        return True if is_owner and not prepared.must_allow else resource.direct
    if prepared.same_account:
        return either(resource.direct, both(base, limits))
    return both(both(named, own), limits)


def layer_results(request: Request, policies: Policies, env: Env) -> LayerResults:
    """Evaluate every layer."""
    prepared = prepare(request, policies, env)
    rcps: tuple[LayerResult, ...] = ()
    scps: tuple[LayerResult, ...] = ()
    if policies.rcps is not None and bound_by_rcps(prepared):
        rcps = tuple(layer_result(level, prepared) for level in policies.rcps)
    if policies.scps is not None and bound_by_scps(prepared):
        scps = tuple(layer_result(level, prepared) for level in policies.scps)
    resource = NO_POLICY
    if policies.resource is not None:
        resource = resource_result(policies.resource, prepared)
    identity, boundary, session = OPEN, OPEN, OPEN
    if prepared.caller.has_policies:
        identity = layer_result(policies.identity, prepared)
        if policies.boundary is not None:
            boundary = layer_result((policies.boundary,), prepared)
        if policies.session is not None:
            session = layer_result((policies.session,), prepared)
    own = identity.allows
    limits = both(boundary.allows, session.allows)
    if resource is NO_POLICY and not prepared.must_allow:
        named: Truth = False
        base = own
    else:
        named = either(either(resource.direct, resource.role), resource.account)
        delegated = both(own, resource.account) if prepared.must_allow else own
        base = either(delegated, resource.role)
    grant = _granted(prepared, resource, named, base, own, limits)
    return LayerResults(
        prepared,
        rcps,
        scps,
        resource,
        identity,
        boundary,
        session,
        named,
        base,
        limits,
        grant,
    )


def combine_layers(request: Request, policies: Policies, env: Env) -> Decision:
    """The decision in three-valued logic: unknown where it depends on unknown conditions."""
    results = layer_results(request, policies, env)
    if results.prepared.action == UNDENIABLE and request.principal is not None:
        return Decision(Outcome.ALLOWED, Layer.ALWAYS, request=request, policies=policies)
    answer = results.answer
    if answer is True and results.nothing_denies:
        layer, statement = _granting(results)
        return Decision(
            Outcome.ALLOWED, layer, statement=statement, request=request, policies=policies
        )
    blocks = tuple(_blocks(results))
    certain = [block for block in blocks if block.certain]
    denying = [block for block in certain if block.statement is not None]
    if denying:
        outcome, first = Outcome.EXPLICIT_DENY, denying[0]
    elif answer is False:
        outcome, first = Outcome.IMPLICIT_DENY, certain[0]
    else:
        outcome, first = Outcome.UNDETERMINED, blocks[0]
    return Decision(
        outcome,
        first.layer,
        first.level,
        first.statement,
        blocks,
        request=request,
        policies=policies,
    )


def _blocks(results: LayerResults) -> Iterator[Block]:
    for layer, level, denies, statement in results.denials():
        if denies is not False:
            yield Block(layer, level, statement, certain=denies is True)
    for layer, level, allows in results.allowances():
        if allows is not True:
            yield Block(layer, level, certain=allows is False)


def _granting(results: LayerResults) -> tuple[Layer, StatementRef | None]:
    """The layer and statement that allow; the caller's own policies come first."""
    if results.identity.allow is not None and results.identity.allows is True:
        within = results.base if results.prepared.same_account else results.named
        if within is True and results.limits is True:
            return Layer.IDENTITY, results.identity.allow
    if results.resource.allow is not None:
        return Layer.RESOURCE, results.resource.allow
    return Layer.ROOT_USER, None
