"""What each layer of policies says about a request, before they are put together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ecr_feed.iam.actions import acts_on_resource, rcp_services
from ecr_feed.iam.decision import Policies, Request
from ecr_feed.iam.document import Document
from ecr_feed.iam.kinds import Kind
from ecr_feed.iam.principal import Caller, CallerKind, Naming
from ecr_feed.iam.statement import Statement, StatementRef
from ecr_feed.iam.truth import Truth, both
from ecr_feed.iam.variables import Env

_ROLE_OR_KEY = re.compile(r"arn:[^:]+:(?:iam::\d+:role/|kms:[^:]*:\d+:key/)")


class Verdict(NamedTuple):
    """One layer's word. The statements are those that decide, or that nobody can be sure of."""

    denies: Truth
    deny: StatementRef | None
    allows: Truth
    allow: StatementRef | None


OPEN = Verdict(False, None, True, None)
"""A layer that is not there does not limit."""

SILENT = Verdict(False, None, False, None)


class Grants(NamedTuple):
    """A resource-based policy's word: its denial, and what it allows by strength of naming."""

    denies: Truth
    deny: StatementRef | None
    direct: Truth
    role: Truth
    account: Truth
    allow: StatementRef | None


NO_POLICY = Grants(False, None, False, False, False, None)


@dataclass(frozen=True, slots=True)
class Question:
    """A request reduced to what statements are matched against.

    `action` is in lower case; `resource` is `*` for an action that acts on none. `same_account`:
    the caller belongs to the resource's account. `must_allow`: the resource's own policy has to
    allow even there (role trust, KMS key).
    """

    action: str
    resource: str
    acts_on_resource: bool
    env: Env
    caller: Caller
    role_arn: str | None
    has_boundary: bool
    same_account: bool
    must_allow: bool


def pose(request: Request, policies: Policies, env: Env) -> Question:
    """Prepare a request for matching."""
    caller = request.caller
    action = request.action.lower()
    acts = acts_on_resource(action)
    resource = request.resource if acts else "*"
    account = request.resource_account or _account_in(resource) or caller.account
    return Question(
        action,
        resource,
        acts,
        env,
        caller,
        _role_arn(caller, env),
        policies.boundary is not None,
        account is not None and account == caller.account,
        _must_allow(action, resource, policies.resource),
    )


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


def _must_allow(action: str, resource: str, policy: Document | None) -> bool:
    if policy is not None and policy.kind in (Kind.TRUST, Kind.KEY):
        return True
    return action.startswith(("sts:", "kms:")) and _ROLE_OR_KEY.match(resource) is not None


def bound_by_rcps(question: Question) -> bool:
    """Whether RCPs of the resource's account apply: not to service-linked roles."""
    service = question.action.partition(":")[0]
    return not question.caller.service_linked and service in rcp_services()


def bound_by_scps(question: Question) -> bool:
    """Whether SCPs of the caller's account apply: not to service-linked roles and outsiders."""
    return question.caller.account is not None and not question.caller.service_linked


def _applies(statement: Statement, waits: bool, question: Question) -> Truth:
    """Conditions, and the Resource where it waits for variables."""
    truth = statement.holds(question.env)
    if waits and truth is not False and statement.resources is not None:
        truth = both(truth, statement.resources.match(question.resource, question.env))
    return truth


def ask(documents: Iterable[Document], question: Question) -> Verdict:
    """The word of policies that carry no principal, taken together."""
    denies: Truth = False
    allows: Truth = False
    deny: StatementRef | None = None
    allow: StatementRef | None = None
    for document in documents:
        denying, allowing = document.candidates(question.action, question.resource)
        for statement, waits in denying:
            if denies is True:
                break
            truth = _applies(statement, waits, question)
            if truth is not False and (truth or denies is False):
                denies, deny = truth, statement.ref
        for statement, waits in allowing:
            if allows is True:
                break
            truth = _applies(statement, waits, question)
            if truth is not False and (truth or allows is False):
                allows, allow = truth, statement.ref
    return Verdict(denies, deny, allows, allow)


def ask_resource(document: Document, question: Question) -> Grants:
    """The word of a resource-based policy for this caller."""
    denies: Truth = False
    deny: StatementRef | None = None
    denying, allowing = document.candidates(question.action, question.resource)
    for statement, waits in denying:
        if denies is not True and _naming(statement, question) is not Naming.NONE:
            truth = _applies(statement, waits, question)
            if truth is not False and (truth or denies is False):
                denies, deny = truth, statement.ref
    grants: dict[Naming, Truth] = {}
    allow: dict[Naming, StatementRef] = {}
    for statement, waits in allowing:
        naming = _naming(statement, question)
        if naming is Naming.NONE or grants.get(naming) is True:
            continue
        truth = _applies(statement, waits, question)
        if truth is not False and (truth or naming not in grants):
            grants[naming], allow[naming] = truth, statement.ref
    strongest = max(allow, default=None, key=lambda each: (grants[each] is True, each))
    return Grants(
        denies,
        deny,
        grants.get(Naming.DIRECT, False),
        grants.get(Naming.ROLE, False),
        grants.get(Naming.ACCOUNT, False),
        None if strongest is None else allow[strongest],
    )


def _naming(statement: Statement, question: Question) -> Naming:
    principals = statement.principals
    if principals is None:
        return Naming.NONE
    return principals.naming(question.caller, question.role_arn, question.has_boundary)
