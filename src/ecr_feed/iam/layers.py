"""The result of each policy layer for a request, before the layers are combined."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ecr_feed.iam.actions import acts_on_resource, rcp_services
from ecr_feed.iam.document import Candidate, Document
from ecr_feed.iam.match import Truth, both
from ecr_feed.iam.policy_rules import Kind
from ecr_feed.iam.principal_matching import Caller, CallerKind, Naming, read_caller
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.statement import Statement, StatementRef
from ecr_feed.iam.variables import Env

_ROLE_OR_KEY = re.compile(r"arn:[^:]+:(?:iam::\d+:role/|kms:[^:]*:\d+:key/)")


class LayerResult(NamedTuple):
    """One layer's result. The statements are those that decide, or that may apply."""

    denies: Truth
    deny: StatementRef | None
    allows: Truth
    allow: StatementRef | None


OPEN = LayerResult(False, None, True, None)
"""The result of a layer that is absent and so limits nothing."""


class ResourceResult(NamedTuple):
    """A resource-based policy's result: denial, and what it allows for each way of naming."""

    denies: Truth
    deny: StatementRef | None
    direct: Truth
    role: Truth
    account: Truth
    allow: StatementRef | None


NO_POLICY = ResourceResult(False, None, False, False, False, None)


class PreparedRequest(NamedTuple):
    """A request reduced to what statements are matched against.

    `action` is in lower case; `resource` is `*` for an action that acts on none. `same_account`:
    the caller belongs to the resource's account. `must_allow`: the resource's own policy has to
    allow even there (role trust, KMS key).
    """

    action: str
    resource: str
    acts_on_resource: bool
    caller: Caller
    same_account: bool
    must_allow: bool
    env: Env
    role_arn: str | None
    has_boundary: bool


def prepare(request: Request, policies: Policies, env: Env) -> PreparedRequest:
    """Prepare a request for matching. Raises ValueError for a principal that is not valid."""
    owner = policies.resource
    fixed = _fixed(
        request.principal,
        request.action,
        request.resource,
        request.resource_account,
        owner is not None and owner.kind in (Kind.TRUST, Kind.KEY),
    )
    role_arn = _role_arn(fixed[3], env)
    return PreparedRequest(*fixed, env, role_arn, policies.boundary is not None)


@lru_cache(maxsize=4096)
def _fixed(
    principal: str | None, action: str, resource: str, account: str | None, must_allow: bool
) -> tuple[str, str, bool, Caller, bool, bool]:
    """The part that does not depend on the context; cached, since few requests recur often."""
    caller = read_caller(principal)
    action = action.lower()
    acts = acts_on_resource(action)
    if not acts:
        resource = "*"
    # An action without a resource takes place in the caller's own account.
    owner = (account or _account_in(resource) or caller.account) if acts else caller.account
    same_account = owner is not None and owner == caller.account
    must_allow = must_allow or _guards_itself(action, resource)
    return action, resource, acts, caller, same_account, must_allow


def _account_in(resource: str) -> str | None:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else None


def _role_arn(caller: Caller, env: Env) -> str | None:
    """The ARN of a session's role, path included, if the context has it."""
    if caller.kind is not CallerKind.SESSION:
        return None
    known = env.values.get("aws:principalarn", ())
    if len(known) != 1 or known[0] == caller.principal_arn or ":role/" not in known[0]:
        return None
    return known[0]


def _guards_itself(action: str, resource: str) -> bool:
    return action.startswith(("sts:", "kms:")) and _ROLE_OR_KEY.match(resource) is not None


def bound_by_rcps(prepared: PreparedRequest) -> bool:
    """Whether RCPs of the resource's account apply: not to service-linked roles."""
    service = prepared.action.partition(":")[0]
    return not _service_linked(prepared) and service in rcp_services()


def bound_by_scps(prepared: PreparedRequest) -> bool:
    """Whether SCPs of the caller's account apply: not to service-linked roles and outsiders."""
    return prepared.caller.account is not None and not _service_linked(prepared)


def _service_linked(prepared: PreparedRequest) -> bool:
    """By the role's path if known, else by the role name in the session's ARN."""
    if prepared.role_arn is not None:
        return ":role/aws-service-role/" in prepared.role_arn
    return prepared.caller.service_linked


def _applies(statement: Statement, waits: bool, prepared: PreparedRequest) -> Truth:
    """Conditions, and the Resource where it waits for variables."""
    truth = statement.holds(prepared.env)
    if waits and truth is not False and statement.resources is not None:
        truth = both(truth, statement.resources.match(prepared.resource, prepared.env))
    return truth


def _decisive(
    candidates: Iterable[Candidate], prepared: PreparedRequest
) -> tuple[Truth, StatementRef | None]:
    """The first statement that applies; failing that, the first that may."""
    doubtful: StatementRef | None = None
    for statement, waits in candidates:
        if not waits and not statement.conditions:
            return True, statement.ref
        truth = _applies(statement, waits, prepared)
        if truth:
            return True, statement.ref
        if truth is None and doubtful is None:
            doubtful = statement.ref
    return (False if doubtful is None else None), doubtful


def layer_result(documents: Iterable[Document], prepared: PreparedRequest) -> LayerResult:
    """The joint result of policies that have no Principal element."""
    denies: Truth = False
    allows: Truth = False
    deny: StatementRef | None = None
    allow: StatementRef | None = None
    for document in documents:
        denying, allowing = document.candidates(prepared.action, prepared.resource)
        if denying and denies is not True:
            truth, ref = _decisive(denying, prepared)
            if truth is True or (truth is None and denies is False):
                denies, deny = truth, ref
        if allowing and allows is not True:
            truth, ref = _decisive(allowing, prepared)
            if truth is True or (truth is None and allows is False):
                allows, allow = truth, ref
    return LayerResult(denies, deny, allows, allow)


def resource_result(document: Document, prepared: PreparedRequest) -> ResourceResult:
    """The result of a resource-based policy for this caller."""
    denying, allowing = document.candidates(prepared.action, prepared.resource)
    by_naming: dict[Naming, list[Candidate]] = {naming: [] for naming in Naming}
    for candidate in allowing:
        by_naming[_naming(candidate[0], prepared)].append(candidate)
    denies, deny = _decisive(
        [each for each in denying if _naming(each[0], prepared) is not Naming.NONE], prepared
    )
    direct, role, account = (
        _decisive(by_naming[naming], prepared)
        for naming in (Naming.DIRECT, Naming.ROLE, Naming.ACCOUNT)
    )
    # A certain Allow explains an answer better than a possible one; then the stronger naming does.
    ranked = sorted((direct, role, account), key=lambda each: each[0] is not True)
    allow = next((ref for truth, ref in ranked if truth is not False), None)
    return ResourceResult(denies, deny, direct[0], role[0], account[0], allow)


def _naming(statement: Statement, prepared: PreparedRequest) -> Naming:
    principals = statement.principals
    if principals is None:
        return Naming.NONE
    return principals.naming(prepared.caller, prepared.role_arn, prepared.has_boundary)
