"""May this caller do this? Asked of our own evaluator, answered in AWS's words."""

from __future__ import annotations

from dataclasses import dataclass

from ecr_feed.embedded.core.world import World
from ecr_feed.embedded.iam.principals import Principals
from ecr_feed.embedded.identity.callers import Caller
from ecr_feed.embedded.identity.context import Deed, about_call, deeds, tags
from ecr_feed.embedded.protocol.protocol import Call
from ecr_feed.embedded.protocol.wire import ServiceError
from ecr_feed.iam import Decision, Document, Outcome, Policies, Request, combine, decide

_ENDPOINT = "VPC endpoint policy"
_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a deed is not allowed: the kind of policy, and whether it said so."""

    explicit: bool
    policy_type: str


@dataclass(slots=True)
class Guard:
    """Judges every call of one world."""

    world: World
    principals: Principals

    @classmethod
    def of(cls, world: World) -> Guard:
        """The guard of a world."""
        return cls(world, Principals(world.directory, world.environment))

    def check(self, call: Call, caller: Caller) -> None:
        """Raise AWS's denial unless everything that the call does is allowed."""
        if caller.unbound:
            return
        agent = call.request.headers.get("user-agent", "")
        for deed in deeds(self.world, call, caller):
            denial = self.denial(deed, caller, call.region, agent)
            if denial is not None:
                raise denied(call.service, caller, deed, denial)

    def denial(self, deed: Deed, caller: Caller, region: str, agent: str = "") -> Denial | None:
        """None where the deed is allowed."""
        if caller.unbound:
            return None
        self.principals.environment = self.world.environment
        request = self._request(deed, caller, region, agent)
        if (stopped := self._endpoint(request, caller, deed)) is not None:
            return stopped
        decision = decide(request, self.principals.policies(caller, self._resource_policy(deed)))
        return None if decision.allowed else _why(decision)

    def decision(self, deed: Deed, caller: Caller, region: str) -> Decision:
        """The evaluator's own decision, for those who want its reasons."""
        self.principals.environment = self.world.environment
        request = self._request(deed, caller, region, "")
        return decide(request, self.principals.policies(caller, self._resource_policy(deed)))

    def _request(self, deed: Deed, caller: Caller, region: str, agent: str) -> Request:
        world = self.world
        context = about_call(world.environment, caller, region, world.clock.now(), agent)
        entity = self.principals.entity(caller)
        owned = dict(entity.tags) if entity else {}
        owned |= dict(caller.session.tags) if caller.session else {}
        context |= tags("aws:PrincipalTag", owned)
        principal = caller.arn if caller.account else None
        return Request(
            principal,
            deed.action,
            deed.resource,
            {**context, **deed.context},
            resource_account=deed.account or None,
        )

    def _resource_policy(self, deed: Deed) -> Document | None:
        """Repository and registry policy together."""
        parsed, found = self.principals.parsed, []
        if deed.repository is not None and deed.repository.policy:
            found.append(parsed.document(deed.repository.policy, "resource", "repository policy"))
        if deed.registry is not None and deed.registry.policy:
            found.append(parsed.document(deed.registry.policy, "registry", "registry policy"))
        return combine(found)

    def _endpoint(self, request: Request, caller: Caller, deed: Deed) -> Denial | None:
        """ECR's VPC endpoint lets through what its policy allows, whoever would allow the rest."""
        environment = self.world.environment
        text = environment.endpoint_policy
        if not text or not environment.vpce or not deed.action.startswith("ecr:"):
            return None
        policy = self.principals.parsed.document(text, "registry", "endpoint policy")
        # In another account's registry the caller's own side is asked too: not here.
        crosses = deed.account != caller.account
        own = (self.principals.parsed.document(_ALL, "identity", "everything"),) if crosses else ()
        decision = decide(request, Policies(identity=own, resource=policy))
        if decision.allowed:
            return None
        return Denial(decision.outcome is Outcome.EXPLICIT_DENY, _ENDPOINT)


def _why(decision: Decision) -> Denial:
    return Denial(decision.outcome is Outcome.EXPLICIT_DENY, decision.denial_layer)


def denied(service: str, caller: Caller, deed: Deed, denial: Denial) -> ServiceError:
    """AccessDenied as the service's protocol words it; ECR's comes as HTTP 400."""
    text = f"User: {caller.arn} is not authorized to perform: {deed.action} on resource: "
    kind = denial.policy_type
    if denial.explicit:
        article = "an" if kind.startswith("identity") else "a"
        text += f"{deed.resource} with an explicit deny in {article} {kind}"
    else:
        text += f"{deed.resource} because no {kind} allows the {deed.action} action"
    if service in ("iam", "sts"):
        return ServiceError("AccessDenied", text, 403)
    return ServiceError("AccessDeniedException", text)
