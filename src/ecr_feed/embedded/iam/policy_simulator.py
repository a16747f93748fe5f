"""SimulatePrincipalPolicy, with per-resource results.

One result per action, the strictest over all resources; each resource's own answer is in
ResourceSpecificResults. Like AWS's simulator it ignores RCPs, session, endpoint and trust policies
and the real context: keys that policies use and the call lacks are MissingContextValues.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ecr_feed.embedded.iam.iam_api import IamCall
from ecr_feed.embedded.iam.store import Entity
from ecr_feed.embedded.identity.authorise import CallerPolicies
from ecr_feed.embedded.protocol.wire import Result, ServiceError
from ecr_feed.iam import (
    Decision,
    Document,
    Outcome,
    Policies,
    PolicyError,
    Request,
    combine,
    decide,
    parse,
)

_WORDS: Final = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}
_STRICT: Final = ("allowed", "implicitDeny", "explicitDeny")
_TEMPLATE: Final = "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"


@dataclass(frozen=True, slots=True)
class _Simulation:
    """The inputs of a simulation except actions and resources."""

    principal: str
    policies: Policies
    context: Mapping[str, tuple[str, ...]]


def simulate_principal(call: IamCall) -> Result:
    """Simulate calls of a user, group or role."""
    params, source = call.params, call.params["PolicySourceArn"]
    entity = _entity(call, source)
    principals = CallerPolicies(call.world.directory, call.world.environment)
    details = call.world.directory.details(call.account)
    identity = principals.identity(details, entity) + _inputs(params, "PolicyInputList", "identity")
    boundary = _given_boundary(params) or principals.boundary(details, entity)
    policies = Policies(
        identity=identity,
        boundary=boundary,
        resource=_resource_policy(params, entity.kind),
        scps=principals.parsed.levels(call.world.environment.scps, "scp"),
    )
    caller = params.get("CallerArn") or _as_principal(entity)
    return _results(params, _Simulation(caller, policies, _context(params)))


def _entity(call: IamCall, arn: str) -> Entity:
    kind = arn.rpartition(":")[2].partition("/")[0]
    if ":iam::" not in arn or kind not in ("user", "group", "role"):
        raise _invalid(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    found = call.world.directory.details(call.account).by_arn(arn)
    if found is None:
        raise ServiceError("NoSuchEntity", f"The entity {arn} cannot be found.", 404)
    return found


def _as_principal(entity: Entity) -> str:
    """A group makes no calls: its policies are simulated for a user of its name."""
    return entity.arn.replace(":group/", ":user/", 1) if entity.kind == "group" else entity.arn


def _invalid(text: str) -> ServiceError:
    return ServiceError("InvalidInput", text)


def _parse(text: str, kind: str, name: str) -> Document:
    try:
        return parse(text, kind=kind, name=name)
    except PolicyError as error:
        raise _invalid(f"Policy {name} is not valid: {error}") from None


def _inputs(params: Mapping[str, Any], name: str, kind: str) -> tuple[Document, ...]:
    texts = enumerate(params.get(name, []), start=1)
    return tuple(_parse(text, kind, f"{name}.{n}") for n, text in texts)


def _given_boundary(params: Mapping[str, Any]) -> Document | None:
    return combine(_inputs(params, "PermissionsBoundaryPolicyInputList", "boundary"))


def _resource_policy(params: Mapping[str, Any], kind: str) -> Document | None:
    text = params.get("ResourcePolicy")
    if text is None:
        return None
    if kind == "role":
        raise _invalid("Resource-based policies are not supported when simulating a role.")
    return _parse(text, "resource", "ResourcePolicy")


def _context(params: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        entry["ContextKeyName"]: tuple(entry.get("ContextKeyValues", []))
        for entry in params.get("ContextEntries", [])
        if "ContextKeyName" in entry
    }


def _results(params: Mapping[str, Any], simulation: _Simulation) -> Result:
    resources = params.get("ResourceArns") or ["*"]
    return {"EvaluationResults": [_result(simulation, a, resources) for a in params["ActionNames"]]}


def _result(simulation: _Simulation, action: str, resources: list[str]) -> Result:
    if ":" not in action or "*" in action or "?" in action:
        raise _invalid(f"Invalid action: {action}. Actions are named in full, as service:Action.")
    each = [_specific(simulation, action, resource) for resource in dict.fromkeys(resources)]
    strictest = max(each, key=lambda row: _STRICT.index(row["EvalResourceDecision"]))
    result: Result = {
        "EvalActionName": action,
        "EvalResourceName": resources[0] if len(each) == 1 else _TEMPLATE,
        "EvalDecision": strictest["EvalResourceDecision"],
        "MatchedStatements": strictest["MatchedStatements"],
        "MissingContextValues": sorted({k for row in each for k in row["MissingContextValues"]}),
        "ResourceSpecificResults": each,
    }
    if simulation.policies.scps is not None:
        allowed = all(_alone(simulation, action, r, simulation.policies.scps) for r in resources)
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    if "PermissionsBoundaryDecisionDetail" in strictest:
        detail = strictest["PermissionsBoundaryDecisionDetail"]
        result["PermissionsBoundaryDecisionDetail"] = detail
    return result


def _specific(simulation: _Simulation, action: str, resource: str) -> Result:
    decision = _decide(simulation, action, resource, simulation.policies)
    row: Result = {
        "EvalResourceName": resource,
        "EvalResourceDecision": _WORDS[decision.outcome],
        "MatchedStatements": _matched(decision),
        "MissingContextValues": list(decision.absent),
    }
    boundary = simulation.policies.boundary
    if boundary is not None:
        allowed = _alone(simulation, action, resource, ((boundary,),))
        row["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return row


def _decide(simulation: _Simulation, action: str, resource: str, policies: Policies) -> Decision:
    try:
        request = Request(simulation.principal, action, resource, simulation.context)
        return decide(request, policies)
    except ValueError as error:
        raise _invalid(f"Invalid caller: {error}") from None


def _alone(
    simulation: _Simulation, action: str, resource: str, levels: Iterable[tuple[Document, ...]]
) -> bool:
    """Whether every level by itself allows."""
    plain = replace(simulation, policies=Policies())
    return all(
        _decide(plain, action, resource, Policies(identity=level)).allowed for level in levels
    )


def _matched(decision: Decision) -> list[Result]:
    if decision.statement is None:
        return []
    place = {"Line": decision.statement.index + 1, "Column": 1}
    return [
        {
            "SourcePolicyId": decision.statement.policy,
            "SourcePolicyType": _source_type(decision),
            "StartPosition": place,
            "EndPosition": place,
        }
    ]


def _source_type(decision: Decision) -> str:
    name = decision.statement.policy if decision.statement else ""
    if decision.layer == "resource":
        return "resource"
    if ":iam::aws:" in name:
        return "aws-managed"
    return "user-managed" if name.startswith("arn:") else "user"
