"""The policies that apply to a caller, and whether they allow a call; denials worded as AWS's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_feed.embedded.iam.store import Details, Directory, Entity
from ecr_feed.embedded.identity.callers import ApiCaller
from ecr_feed.embedded.identity.required_permissions import (
    RequiredPermission,
    about_call,
    required_permissions,
    tags,
)
from ecr_feed.embedded.protocol.operation_calls import ApiCall
from ecr_feed.embedded.protocol.wire import ServiceError
from ecr_feed.embedded.world import Environment, World
from ecr_feed.iam import (
    Decision,
    Document,
    Outcome,
    Policies,
    RegistryScope,
    Request,
    combine,
    decide,
    parse,
    within_scope,
)

# A boundary whose policy is gone allows nothing.
_NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


@dataclass(slots=True)
class ParsedPolicies:
    """Parsed documents by text: each is parsed once."""

    _kept: dict[tuple[str, str, str], Document] = field(default_factory=dict)

    def document(self, text: str, kind: str, name: str) -> Document:
        """The parsed document. Raises PolicyError (services refuse such documents)."""
        key = (kind, name, text)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = parse(text, kind=kind, name=name, from_aws=True)
        return found

    def levels(
        self, texts: tuple[tuple[str, ...], ...] | None, kind: str
    ) -> tuple[tuple[Document, ...], ...] | None:
        """Organisation policies, level by level."""
        if texts is None:
            return None
        return tuple(
            tuple(self.document(t, kind, f"{kind}-{level}-{n}") for n, t in enumerate(listed))
            for level, listed in enumerate(texts)
        )


@dataclass(slots=True)
class CallerPolicies:
    """The policies of callers and IAM entities, in the evaluator's form."""

    directory: Directory
    environment: Environment
    parsed: ParsedPolicies = field(default_factory=ParsedPolicies)

    def policies(self, caller: ApiCaller, resource: Document | None) -> Policies:
        """Everything that applies to a caller on a resource with this policy (or none)."""
        scps = self.parsed.levels(self.environment.scps, "scp")
        rcps = self.parsed.levels(self.environment.rcps, "rcp")
        entity = self.entity(caller)
        if entity is None:
            return Policies(resource=resource, scps=scps, rcps=rcps)
        details = self.directory.details(caller.account)
        return Policies(
            identity=self.identity(details, entity),
            boundary=self.boundary(details, entity),
            resource=resource,
            scps=scps,
            rcps=rcps,
            session=self._session(caller),
        )

    def entity(self, caller: ApiCaller) -> Entity | None:
        """The user or role behind a caller; None for root, and if it is gone."""
        if caller.kind not in ("user", "role"):
            return None
        details = self.directory.details(caller.account)
        found = details.roles if caller.kind == "role" else details.users
        return found.get(caller.name)

    def identity(self, details: Details, entity: Entity) -> tuple[Document, ...]:
        """Inline and attached policies, its own and its groups'."""
        owners = (entity, *(details.groups[name] for name in entity.groups))
        return tuple(doc for owner in owners for doc in self._own(details, owner))

    def _own(self, details: Details, owner: Entity) -> Iterable[Document]:
        for name, text in owner.inline:
            yield self.parsed.document(text, "identity", name)
        for arn in owner.attached:
            if arn in details.policies:
                yield self.parsed.document(details.policies[arn], "identity", arn)

    def boundary(self, details: Details, entity: Entity) -> Document | None:
        """The permissions boundary."""
        if not entity.boundary:
            return None
        text = details.policies.get(entity.boundary, _NOTHING)
        return self.parsed.document(text, "boundary", entity.boundary)

    def _session(self, caller: ApiCaller) -> Document | None:
        if caller.session is None or not caller.session.policies:
            return None
        texts = enumerate(caller.session.policies)
        return combine(self.parsed.document(t, "session", f"session-{n}") for n, t in texts)


_ENDPOINT = "VPC endpoint policy"
_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@dataclass(frozen=True, slots=True)
class PolicyDenial:
    """Why a permission is denied: the type of policy, and whether it denies explicitly."""

    explicit: bool
    policy_type: str


@dataclass(slots=True)
class Authoriser:
    """Authorises every call of one world."""

    world: World
    principals: CallerPolicies

    @classmethod
    def of(cls, world: World) -> Authoriser:
        """The authoriser of a world."""
        return cls(world, CallerPolicies(world.directory, world.environment))

    def check(self, call: ApiCall, caller: ApiCaller) -> None:
        """Raise AWS's denial unless the caller has every permission that the call needs."""
        if caller.unrestricted:
            return
        agent = call.request.headers.get("user-agent", "")
        for permission in required_permissions(self.world, call, caller):
            denial = self.denial(permission, caller, call.region, agent)
            if denial is not None:
                raise denied(call.service, caller, permission, denial)

    def denial(
        self, permission: RequiredPermission, caller: ApiCaller, region: str, agent: str = ""
    ) -> PolicyDenial | None:
        """The first denial; None where the caller has the permission."""
        if caller.unrestricted:
            return None
        self.principals.environment = self.world.environment
        request = self._request(permission, caller, region, agent)
        if (stopped := self._endpoint(request, caller, permission)) is not None:
            return stopped
        decision = decide(
            request, self.principals.policies(caller, self._resource_policy(permission))
        )
        return None if decision.allowed else _why(decision)

    def _request(
        self, permission: RequiredPermission, caller: ApiCaller, region: str, agent: str
    ) -> Request:
        world = self.world
        context = about_call(world.environment, caller, region, world.clock.now(), agent)
        entity = self.principals.entity(caller)
        owned = dict(entity.tags) if entity else {}
        owned |= dict(caller.session.tags) if caller.session else {}
        context |= tags("aws:PrincipalTag", owned)
        principal = caller.arn if caller.account else None
        return Request(
            principal,
            permission.action,
            permission.resource,
            {**context, **permission.context},
            resource_account=permission.account or None,
        )

    def _resource_policy(self, permission: RequiredPermission) -> Document | None:
        """Repository and registry policy combined."""
        parsed, found = self.principals.parsed, []
        if permission.repository is not None and permission.repository.policy:
            found.append(
                parsed.document(permission.repository.policy, "resource", "repository policy")
            )
        if permission.registry is not None and permission.registry.policy:
            policy = parsed.document(permission.registry.policy, "registry", "registry policy")
            found.append(within_scope(policy, RegistryScope(permission.registry.policy_scope)))
        return combine(found)

    def _endpoint(
        self, request: Request, caller: ApiCaller, permission: RequiredPermission
    ) -> PolicyDenial | None:
        """The denial of ECR's VPC endpoint policy, which must allow every call too."""
        environment = self.world.environment
        text = environment.endpoint_policy
        if not text or not environment.vpce or not permission.action.startswith("ecr:"):
            return None
        policy = self.principals.parsed.document(text, "registry", "endpoint policy")
        # Cross-account, the evaluator also needs an identity policy that allows.
        crosses = permission.account != caller.account
        own = (self.principals.parsed.document(_ALL, "identity", "everything"),) if crosses else ()
        decision = decide(request, Policies(identity=own, resource=policy))
        if decision.allowed:
            return None
        return PolicyDenial(decision.outcome is Outcome.EXPLICIT_DENY, _ENDPOINT)


def _why(decision: Decision) -> PolicyDenial:
    return PolicyDenial(decision.outcome is Outcome.EXPLICIT_DENY, decision.denial_layer)


def denied(
    service: str, caller: ApiCaller, permission: RequiredPermission, denial: PolicyDenial
) -> ServiceError:
    """The AccessDenied error in the service's form; ECR's has HTTP status 400."""
    text = f"User: {caller.arn} is not authorized to perform: {permission.action} on resource: "
    kind = denial.policy_type
    if denial.explicit:
        article = "an" if kind.startswith("identity") else "a"
        text += f"{permission.resource} with an explicit deny in {article} {kind}"
    else:
        text += f"{permission.resource} because no {kind} allows the {permission.action} action"
    if service in ("iam", "sts"):
        return ServiceError("AccessDenied", text, 403)
    return ServiceError("AccessDeniedException", text)
