"""All layers put together, in three-valued logic.

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
    Asked,
    Grants,
    LayerVerdict,
    ask,
    ask_resource,
    bound_by_rcps,
    bound_by_scps,
    pose,
)
from ecr_feed.iam.match import Truth, all_of, both, either
from ecr_feed.iam.principal import CallerKind
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.statement import StatementRef
from ecr_feed.iam.variables import Env

UNDENIABLE = "sts:getcalleridentity"


class Views(NamedTuple):
    """Every layer's word on one question.

    `named`: whether the resource's policy allows the caller under any of its names. `base`: within
    the account, what boundary and session policy still limit. `limits`: whether both of these
    allow. `grant`: whether the caller has the permission before the organisation's limits.
    """

    question: Asked
    rcps: tuple[LayerVerdict, ...]
    scps: tuple[LayerVerdict, ...]
    resource: Grants
    identity: LayerVerdict
    boundary: LayerVerdict
    session: LayerVerdict
    named: Truth
    base: Truth
    limits: Truth
    grant: Truth

    @property
    def answer(self) -> Truth:
        """Whether everything that has to allow does; denials apart."""
        grant = self.grant
        if not self.rcps and not self.scps:
            return grant
        levels = (*self.rcps, *self.scps)
        return both(all_of(verdict.allows for verdict in levels), grant)

    @property
    def quiet(self) -> bool:
        """Whether surely no layer denies."""
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
        """Layers that deny explicitly, or may."""
        for level, verdict in enumerate(self.rcps):
            yield Layer.RCP, level, verdict.denies, verdict.deny
        for level, verdict in enumerate(self.scps):
            yield Layer.SCP, level, verdict.denies, verdict.deny
        yield Layer.RESOURCE, None, self.resource.denies, self.resource.deny
        yield Layer.IDENTITY, None, self.identity.denies, self.identity.deny
        yield Layer.BOUNDARY, None, self.boundary.denies, self.boundary.deny
        yield Layer.SESSION, None, self.session.denies, self.session.deny

    def allowances(self) -> Iterator[tuple[Layer, int | None, Truth]]:
        """Layers that have to allow, with what they say; only those that matter here."""
        for level, verdict in enumerate(self.rcps):
            yield Layer.RCP, level, verdict.allows
        for level, verdict in enumerate(self.scps):
            yield Layer.SCP, level, verdict.allows
        if self.grant is not True:
            yield from self._grant_parts()

    def _grant_parts(self) -> Iterator[tuple[Layer, int | None, Truth]]:
        if not self.question.caller.has_policies:
            yield Layer.RESOURCE, None, self.resource.direct
            return
        if not self.question.same_account:
            yield Layer.RESOURCE, None, self.named
            yield Layer.IDENTITY, None, self.identity.allows
        elif self.question.must_allow:
            yield Layer.RESOURCE, None, self.named
            if self.resource.role is not True:
                yield Layer.IDENTITY, None, self.identity.allows
        else:
            yield Layer.NO_GRANT, None, either(self.resource.direct, self.base)
        yield Layer.BOUNDARY, None, self.boundary.allows
        yield Layer.SESSION, None, self.session.allows


def _granted(
    question: Asked, resource: Grants, named: Truth, base: Truth, own: Truth, limits: Truth
) -> Truth:
    """Whether the caller has the permission, organisation apart; `own`: identity policies allow."""
    caller = question.caller
    if not caller.has_policies:
        is_owner = caller.kind is CallerKind.ROOT and question.same_account
        return True if is_owner and not question.must_allow else resource.direct
    if question.same_account:
        return either(resource.direct, both(base, limits))
    return both(both(named, own), limits)


def look(request: Request, policies: Policies, env: Env) -> Views:
    """Ask every layer."""
    question = pose(request, policies, env)
    rcps: tuple[LayerVerdict, ...] = ()
    scps: tuple[LayerVerdict, ...] = ()
    if policies.rcps is not None and bound_by_rcps(question):
        rcps = tuple(ask(level, question) for level in policies.rcps)
    if policies.scps is not None and bound_by_scps(question):
        scps = tuple(ask(level, question) for level in policies.scps)
    resource = NO_POLICY
    if policies.resource is not None:
        resource = ask_resource(policies.resource, question)
    identity, boundary, session = OPEN, OPEN, OPEN
    if question.caller.has_policies:
        identity = ask(policies.identity, question)
        if policies.boundary is not None:
            boundary = ask((policies.boundary,), question)
        if policies.session is not None:
            session = ask((policies.session,), question)
    own = identity.allows
    limits = both(boundary.allows, session.allows)
    if resource is NO_POLICY and not question.must_allow:
        named: Truth = False
        base = own
    else:
        named = either(either(resource.direct, resource.role), resource.account)
        delegated = both(own, resource.account) if question.must_allow else own
        base = either(delegated, resource.role)
    grant = _granted(question, resource, named, base, own, limits)
    return Views(
        question,
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


def judge(request: Request, policies: Policies, env: Env) -> Decision:
    """Decide with three-valued logic: unknown conditions stay unknown where they meet."""
    views = look(request, policies, env)
    if views.question.action == UNDENIABLE and request.principal is not None:
        return Decision(Outcome.ALLOWED, Layer.ALWAYS, request=request, policies=policies)
    answer = views.answer
    if answer is True and views.quiet:
        layer, statement = _granting(views)
        return Decision(
            Outcome.ALLOWED, layer, statement=statement, request=request, policies=policies
        )
    blocks = tuple(_blocks(views))
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


def _blocks(views: Views) -> Iterator[Block]:
    for layer, level, denies, statement in views.denials():
        if denies is not False:
            yield Block(layer, level, statement, certain=denies is True)
    for layer, level, allows in views.allowances():
        if allows is not True:
            yield Block(layer, level, certain=allows is False)


def _granting(views: Views) -> tuple[Layer, StatementRef | None]:
    """The layer and statement that allow; the caller's own policies come first."""
    if views.identity.allow is not None and views.identity.allows is True:
        within = views.base if views.question.same_account else views.named
        if within is True and views.limits is True:
            return Layer.IDENTITY, views.identity.allow
    if views.resource.allow is not None:
        return Layer.RESOURCE, views.resource.allow
    return Layer.ROOT_USER, None
