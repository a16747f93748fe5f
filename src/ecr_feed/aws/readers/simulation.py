"""IAM's policy simulation, in as few calls as possible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ecr_feed.aws.readers.identity_policies import iam_pages
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.facts.iam import Principal

_OPERATION: Final = "SimulatePrincipalPolicy"
_WITNESS: Final = "simulation"
_MOST_RESOURCES: Final = 100
_ANSWERS: Final = {
    "allowed": Answer.ALLOWED,
    "explicitDeny": Answer.DENIED,
    "implicitDeny": Answer.DENIED,
}
_KEY_TYPES: Final = {
    "aws:multifactorauthage": "numeric",
    "aws:multifactorauthpresent": "boolean",
    "aws:sourceip": "ip",
    "aws:tokenissuetime": "date",
    "aws:vpcsourceip": "ip",
}
"""Types of condition keys, in lower case, whose values are not texts."""
_NOT_SIMULATED: Final = (
    "resource control policies, registry policies, session policies and VPC endpoint policies"
)


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """Actions to simulate on resources (`*` for actions that have none).

    `resource_policies` maps a resource's ARN to its policy's text, which IAM accepts for users
    only. `context` has the condition keys with the values to assume.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    resource_policies: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[object, ...]:
        """The request as a hashable value."""
        policies, context = sorted(self.resource_policies.items()), self.context.items()
        return self.actions, self.resources, tuple(policies), frozenset(context)


def simulate(
    client: Client, principal: Principal, request: SimulationRequest
) -> tuple[Permission, ...]:
    """One `Permission` for each action and resource, in the request's order. Raises ReadError.

    One call for each hundred resources and each distinct resource policy, and one for each resource
    for which IAM returned no result of its own. A result that depends on a condition key without a
    value is undetermined, whatever IAM decides.
    """
    if principal.kind == "root":
        return tuple(
            _undetermined(action, resource, "IAM does not simulate the root user")
            for action in request.actions
            for resource in request.resources
        )
    answers: dict[tuple[str, str], Permission] = {}
    for batch, policy in _batches(principal, request):
        answers.update(_call(client, principal, request, batch, policy))
    return tuple(
        answers[action, resource] for action in request.actions for resource in request.resources
    )


def _batches(
    principal: Principal, request: SimulationRequest
) -> Iterable[tuple[tuple[str, ...], str | None]]:
    """Resources that one call can simulate: those with the same resource policy, or with none."""
    by_policy: defaultdict[str | None, list[str]] = defaultdict(list)
    for resource in dict.fromkeys(request.resources):
        text = request.resource_policies.get(resource) if principal.kind == "user" else None
        by_policy[text].append(resource)
    for text, resources in by_policy.items():
        for start in range(0, len(resources), _MOST_RESOURCES):
            yield tuple(resources[start : start + _MOST_RESOURCES]), text


def _call(
    client: Client,
    principal: Principal,
    request: SimulationRequest,
    resources: tuple[str, ...],
    policy: str | None,
) -> dict[tuple[str, str], Permission]:
    results: dict[tuple[str, str], Permission] = {}
    read = ResponseReader(client, _OPERATION)
    parameters = _parameters(principal, request, resources, policy)
    for page in iam_pages(client, _OPERATION, **parameters):
        for result in read.items(page, "EvaluationResults"):
            action = _requested_action(read, result, request.actions)
            results.update(_result(read, result, action, resources))
    without_result = [
        (action, resource)
        for action in request.actions
        for resource in resources
        if (action, resource) not in results
    ]
    if without_result and len(resources) == 1:
        raise read.wrong(f"no result for {without_result[0][0]} on {without_result[0][1]}")
    for resource in dict.fromkeys(resource for _, resource in without_result):
        results.update(_call(client, principal, request, (resource,), policy))
    return results


def _parameters(
    principal: Principal,
    request: SimulationRequest,
    resources: tuple[str, ...],
    policy: str | None,
) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "PolicySourceArn": principal.arn,
        "ActionNames": list(request.actions),
        "ResourceArns": list(resources),
    }
    if policy is not None:
        parameters["ResourcePolicy"] = policy
        parameters["CallerArn"] = principal.arn
    if request.context:
        parameters["ContextEntries"] = [_entry(k, v) for k, v in request.context.items()]
    return parameters


def _entry(key: str, value: str | tuple[str, ...]) -> dict[str, object]:
    kind = _KEY_TYPES.get(key.lower(), "string")
    values = [value] if isinstance(value, str) else list(value)
    many = "" if isinstance(value, str) else "List"
    return {"ContextKeyName": key, "ContextKeyValues": values, "ContextKeyType": f"{kind}{many}"}


def _requested_action(
    read: ResponseReader, result: Mapping[str, Any], actions: Sequence[str]
) -> str:
    """The action as requested: IAM may return it in another case."""
    name = read.require(result, "EvalActionName", str)
    for action in actions:
        if action.lower() == name.lower():
            return action
    raise read.wrong(f"a result for {name}, which was not requested")


def _result(
    read: ResponseReader, result: Mapping[str, Any], action: str, resources: tuple[str, ...]
) -> dict[tuple[str, str], Permission]:
    """The results per resource, or the action's where that holds for one or for all resources."""
    specific = result.get("ResourceSpecificResults")
    if specific:
        return {
            (action, name): _permission(read, action, name, item, "EvalResourceDecision", result)
            for item in read.items(result, "ResourceSpecificResults")
            if (name := read.text(item, "EvalResourceName")) in resources
        }
    name = read.text(result, "EvalResourceName")
    if len(resources) == 1:
        about: tuple[str, ...] = resources
    elif name in resources and name != "*":
        about = (name,)
    elif result.get("EvalDecision") == "allowed" and not result.get("MissingContextValues"):
        about = resources  # the strictest over all of them
    else:
        return {}
    return {
        (action, one): _permission(read, action, one, result, "EvalDecision", result)
        for one in about
    }


def _permission(
    read: ResponseReader,
    action: str,
    resource: str,
    item: Mapping[str, Any],
    key: str,
    result: Mapping[str, Any],
) -> Permission:
    decision = read.require(item, key, str)
    if decision not in _ANSWERS:
        raise read.wrong(f"the decision {decision!r} is not one that IAM documents")
    missing = sorted(
        {*read.texts(item, "MissingContextValues"), *read.texts(result, "MissingContextValues")}
    )
    if missing:
        because = f"depends on {', '.join(missing)}, for which the simulation has no value"
        return _undetermined(action, resource, because, {"depends_on": missing})
    evidence = _evidence(read, item, result, decision)
    return Permission(
        action, resource, _ANSWERS[decision], _because(decision, evidence), _WITNESS, evidence
    )


def _evidence(
    read: ResponseReader, item: Mapping[str, Any], result: Mapping[str, Any], decision: str
) -> dict[str, object]:
    holder = item if item.get("MatchedStatements") is not None else result
    statements = read.items(holder, "MatchedStatements") if "MatchedStatements" in holder else []
    matched = [read.text(statement, "SourcePolicyId") for statement in statements]
    return {
        "decision": decision,
        "statements": [name for name in matched if name],
        "boundary_allows": _flag(
            read, item, result, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"
        ),
        "organization_allows": _flag(
            read, item, result, "OrganizationsDecisionDetail", "AllowedByOrganizations"
        ),
        "does_not_see": _NOT_SIMULATED,
    }


def _flag(
    read: ResponseReader, item: Mapping[str, Any], result: Mapping[str, Any], key: str, inner: str
) -> bool | None:
    detail = read.maybe(item, key, dict) or read.maybe(result, key, dict)
    return None if detail is None else read.require(detail, inner, bool)


def _because(decision: str, evidence: Mapping[str, object]) -> str:
    if decision == "allowed":
        return "the simulation allows it"
    if evidence["boundary_allows"] is False:
        return "the permissions boundary does not allow it"
    if evidence["organization_allows"] is False:
        return "the organisation's policies do not allow it"
    return "an explicit deny" if decision == "explicitDeny" else "no policy allows it"


def _undetermined(
    action: str, resource: str, because: str, evidence: Mapping[str, object] | None = None
) -> Permission:
    return Permission(action, resource, Answer.UNDETERMINED, because, _WITNESS, evidence or {})
