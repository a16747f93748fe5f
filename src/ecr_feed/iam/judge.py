"""All layers put together, in three-valued logic.

Sources: IAM User Guide, "How AWS enforcement code logic evaluates requests", "Policy evaluation
for requests within a single account", "Cross-account policy evaluation logic"; Organizations User
Guide, "SCP evaluation" and "RCP evaluation"; STS API reference, GetCallerIdentity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ecr_feed.iam.decision import Block, Decision, Layer, Outcome, Policies, Request
from ecr_feed.iam.layers import (
    NO_POLICY,
    OPEN,
    Grants,
    Question,
    Verdict,
    ask,
    ask_resource,
    bound_by_rcps,
    bound_by_scps,
    pose,
)
from ecr_feed.iam.principal import CallerKind
from ecr_feed.iam.statement import StatementRef
from ecr_feed.iam.truth import Truth, all_of, both, either
from ecr_feed.iam.variables import Env

UNDENIABLE = "sts:getcalleridentity"


@dataclass(frozen=True, slots=True)
class Views:
    """Every layer's word on one question."""

    question: Question
    rcps: tuple[Verdict, ...]
    scps: tuple[Verdict, ...]
    resource: Grants
    identity: Verdict
    boundary: Verdict
    session: Verdict

    @property
    def named(self) -> Truth:
        """Whether the resource's policy allows the caller under any of its names."""
        return either(either(self.resource.direct, self.resource.role), self.resource.account)

    @property
    def base(self) -> Truth:
        """Within the account: what boundary and session policy still limit."""
        own = self.identity.allows
        if self.question.must_allow:
            own = both(own, self.resource.account)
        return either(own, self.resource.role)

    @property
    def limits(self) -> Truth:
        """Whether boundary and session policy both allow."""
        return both(self.boundary.allows, self.session.allows)

    @property
    def grant(self) -> Truth:
        """Whether the caller has the permission before the organisation's limits."""
        caller, resource = self.question.caller, self.resource
        if not caller.has_policies:
            is_owner = caller.kind is CallerKind.ROOT and self.question.same_account
            return True if is_owner and not self.question.must_allow else resource.direct
        if self.question.same_account:
            return either(resource.direct, both(self.base, self.limits))
        return both(both(self.named, self.identity.allows), self.limits)

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
            and all(verdict.denies is False for verdict in (*self.rcps, *self.scps))
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


def look(request: Request, policies: Policies, env: Env) -> Views:
    """Ask every layer."""
    question = pose(request, policies, env)
    rcps: tuple[Verdict, ...] = ()
    scps: tuple[Verdict, ...] = ()
    if policies.rcps is not None and bound_by_rcps(question):
        rcps = tuple(ask(level, question) for level in policies.rcps)
    if policies.scps is not None and bound_by_scps(question):
        scps = tuple(ask(level, question) for level in policies.scps)
    resource = NO_POLICY
    if policies.resource is not None:
        resource = ask_resource(policies.resource, question)
    if not question.caller.has_policies:
        return Views(question, rcps, scps, resource, OPEN, OPEN, OPEN)
    return Views(
        question,
        rcps,
        scps,
        resource,
        ask(policies.identity, question),
        OPEN if policies.boundary is None else ask((policies.boundary,), question),
        OPEN if policies.session is None else ask((policies.session,), question),
    )


def judge(request: Request, policies: Policies, env: Env) -> Decision:
    """Decide with three-valued logic: unknown conditions stay unknown where they meet."""
    if request.action.lower() == UNDENIABLE and request.principal is not None:
        return Decision(Outcome.ALLOWED, Layer.ALWAYS, request=request, policies=policies)
    views = look(request, policies, env)
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
