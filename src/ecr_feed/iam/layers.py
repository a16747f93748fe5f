"""What each layer of policies says about a request, before they are put together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ecr_feed.iam.actions import acts_on_resource, rcp_services
from ecr_feed.iam.document import Candidate, Document
from ecr_feed.iam.kinds import Kind
from ecr_feed.iam.match import Truth, both
from ecr_feed.iam.principal import Caller, CallerKind, Naming, read_caller
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.statement import Statement, StatementRef
from ecr_feed.iam.variables import Env

_ROLE_OR_KEY = re.compile(r"arn:[^:]+:(?:iam::\d+:role/|kms:[^:]*:\d+:key/)")


class LayerVerdict(NamedTuple):
    """One layer's word. The statements are those that decide, or that nobody can be sure of."""

    denies: Truth
    deny: StatementRef | None
    allows: Truth
    allow: StatementRef | None


OPEN = LayerVerdict(False, None, True, None)
"""A layer that is not there does not limit."""

SILENT = LayerVerdict(False, None, False, None)


class Grants(NamedTuple):
    """A resource-based policy's word: its denial, and what it allows by strength of naming."""

    denies: Truth
    deny: StatementRef | None
    direct: Truth
    role: Truth
    account: Truth
    allow: StatementRef | None


NO_POLICY = Grants(False, None, False, False, False, None)


class Asked(NamedTuple):
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


def pose(request: Request, policies: Policies, env: Env) -> Asked:
    """Prepare a request for matching."""
    owner = policies.resource
    fixed = _fixed(
        request.principal,
        request.action,
        request.resource,
        request.resource_account,
        owner is not None and owner.kind in (Kind.TRUST, Kind.KEY),
    )
    role_arn = _role_arn(fixed[3], env)
    return Asked(*fixed, env, role_arn, policies.boundary is not None)


@lru_cache(maxsize=4096)
def _fixed(
    principal: str | None, action: str, resource: str, account: str | None, must_allow: bool
) -> tuple[str, str, bool, Caller, bool, bool]:
    """What a question takes from the request alone; the same few are asked in many contexts."""
    caller = read_caller(principal)
    action = action.lower()
    acts = acts_on_resource(action)
    if not acts:
        resource = "*"
    # What acts on no resource happens in the caller's own account.
    owner = (account or _account_in(resource) or caller.account) if acts else caller.account
    same_account = owner is not None and owner == caller.account
    must_allow = must_allow or _guards_itself(action, resource)
    return action, resource, acts, caller, same_account, must_allow


def _account_in(resource: str) -> str | None:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else None


def _role_arn(caller: Caller, env: Env) -> str | None:
    """The role of a session with its path, where the context tells it."""
    if caller.kind is not CallerKind.SESSION:
        return None
    told = env.values.get("aws:principalarn", ())
    if len(told) != 1 or told[0] == caller.principal_arn or ":role/" not in told[0]:
        return None
    return told[0]


def _guards_itself(action: str, resource: str) -> bool:
    return action.startswith(("sts:", "kms:")) and _ROLE_OR_KEY.match(resource) is not None


def bound_by_rcps(question: Asked) -> bool:
    """Whether RCPs of the resource's account apply: not to service-linked roles."""
    service = question.action.partition(":")[0]
    return not _service_linked(question) and service in rcp_services()


def bound_by_scps(question: Asked) -> bool:
    """Whether SCPs of the caller's account apply: not to service-linked roles and outsiders."""
    return question.caller.account is not None and not _service_linked(question)


def _service_linked(question: Asked) -> bool:
    """By the role's path where it is known; a session's ARN alone only has the name to go by."""
    if question.role_arn is not None:
        return ":role/aws-service-role/" in question.role_arn
    return question.caller.service_linked


def _applies(statement: Statement, waits: bool, question: Asked) -> Truth:
    """Conditions, and the Resource where it waits for variables."""
    truth = statement.holds(question.env)
    if waits and truth is not False and statement.resources is not None:
        truth = both(truth, statement.resources.match(question.resource, question.env))
    return truth


def _decisive(
    candidates: Iterable[Candidate], question: Asked
) -> tuple[Truth, StatementRef | None]:
    """The first statement that applies; failing that, the first that may."""
    doubtful: StatementRef | None = None
    for statement, waits in candidates:
        if not waits and not statement.conditions:
            return True, statement.ref
        truth = _applies(statement, waits, question)
        if truth:
            return True, statement.ref
        if truth is None and doubtful is None:
            doubtful = statement.ref
    return (False if doubtful is None else None), doubtful


def ask(documents: Iterable[Document], question: Asked) -> LayerVerdict:
    """The word of policies that carry no principal, taken together."""
    denies: Truth = False
    allows: Truth = False
    deny: StatementRef | None = None
    allow: StatementRef | None = None
    for document in documents:
        denying, allowing = document.candidates(question.action, question.resource)
        if denying and denies is not True:
            truth, ref = _decisive(denying, question)
            if truth is True or (truth is None and denies is False):
                denies, deny = truth, ref
        if allowing and allows is not True:
            truth, ref = _decisive(allowing, question)
            if truth is True or (truth is None and allows is False):
                allows, allow = truth, ref
    return LayerVerdict(denies, deny, allows, allow)


def ask_resource(document: Document, question: Asked) -> Grants:
    """The word of a resource-based policy for this caller."""
    denying, allowing = document.candidates(question.action, question.resource)
    by_naming: dict[Naming, list[Candidate]] = {naming: [] for naming in Naming}
    for candidate in allowing:
        by_naming[_naming(candidate[0], question)].append(candidate)
    denies, deny = _decisive(
        [each for each in denying if _naming(each[0], question) is not Naming.NONE], question
    )
    direct, role, account = (
        _decisive(by_naming[naming], question)
        for naming in (Naming.DIRECT, Naming.ROLE, Naming.ACCOUNT)
    )
    # What surely allows explains an answer better than what may; then the stronger naming does.
    ranked = sorted((direct, role, account), key=lambda each: each[0] is not True)
    allow = next((ref for truth, ref in ranked if truth is not False), None)
    return Grants(denies, deny, direct[0], role[0], account[0], allow)


def _naming(statement: Statement, question: Asked) -> Naming:
    principals = statement.principals
    if principals is None:
        return Naming.NONE
    return principals.naming(question.caller, question.role_arn, question.has_boundary)
