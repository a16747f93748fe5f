"""The evaluation: what our own evaluator answers about a permission, from the documents alone.

Where a document could not be read, or is malformed, what it might allow or deny is undetermined;
so is a condition on an unknown value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ecr_feed.config import StatedKey
from ecr_feed.facts.aws import Answer, Failure, Permission
from ecr_feed.facts.iam import Levels, Organization, PolicyDocument, Principal
from ecr_feed.iam import (
    SCOPE_FACT,
    Decision,
    Document,
    Outcome,
    Policies,
    PolicyError,
    RegistryScope,
    Request,
    combine,
    decide,
    parse,
    principal_context,
    within_scope,
)
from ecr_feed.iam.source_addresses import private_ranges, seen_addresses
from ecr_feed.naming import account_of
from ecr_feed.permissions.stated_context import decide_stated, in_words, remark_on, single
from ecr_feed.permissions.wrong_arns import wrong_arns

_WITNESS: Final = "evaluation"
_SOURCE_IP: Final = "aws:sourceip"
_LONG_TERM_ABSENT: Final = frozenset(
    {
        "aws:federatedprovider",
        "aws:mfa",
        "aws:multifactorauthage",
        "aws:multifactorauthpresent",
        "aws:rolesessionname",
        "aws:sourceidentity",
        "aws:tokenissuetime",
    }
)
"""Keys that a request signed with a user's long-term key never carries."""
_ORGANIZATION: Final = ("aws:PrincipalOrgID", "aws:ResourceOrgID")
_ORGANIZATION_KEYS: Final = ("aws:principalorg", "aws:resourceorg")
RESOURCE_TAG_KEYS: Final = ("aws:resourcetag/", "ecr:resourcetag/")
"""How the condition keys that are tags of a repository begin, in lower case."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was read for one resource.

    `tags` is None where they were not read; `tags_unread` is the refusal. `registry_scope` says
    which calls a registry policy governs; `scope_unread` is the refusal to tell. `unread` holds the
    policies that could not be read.
    """

    principal: Principal
    organization: Organization
    resource_policies: tuple[PolicyDocument, ...] = ()
    tags: Mapping[str, str] | None = None
    tags_unread: Failure | None = None
    registry_scope: RegistryScope = RegistryScope.UNREAD
    scope_unread: Failure | None = None
    unread: tuple[Failure, ...] = ()

    @property
    def documents(self) -> Iterator[PolicyDocument]:
        """Every document that was read."""
        yield from self.principal.policies
        yield from self.resource_policies
        if self.principal.boundary is not None:
            yield self.principal.boundary
        for level in (*(self.organization.scps or ()), *(self.organization.rcps or ())):
            yield from level


@dataclass(frozen=True, slots=True)
class Situation:
    """The call's circumstances: the feed's region, the time, and what the feed states besides.

    `unstated` are the beginnings, in lower case, of keys whose values nothing states, and which the
    documents that were read do not settle either.
    """

    region: str
    now: datetime
    stated: tuple[StatedKey, ...] = ()
    unstated: tuple[str, ...] = ()


def evaluate(
    action: str, resource: str, evidence: Evidence, situation: Situation
) -> tuple[Permission, Decision | None]:
    """The permission, and the decision behind it (None where a document is malformed)."""
    try:
        policies = policies_of(evidence)
    except PolicyError as error:
        because = f"a policy is malformed at {error.path}: {error.reason}"
        return Permission(action, resource, Answer.UNDETERMINED, because, _WITNESS), None
    request = _request(action, resource, evidence, situation, policies)
    found = decide_stated(request, situation.stated, lambda asked: _decided(asked, policies))
    decision = found.decision
    answer, because = _answer(decision, evidence)
    failure = _only_organization(decision, evidence) if answer is Answer.UNDETERMINED else None
    told = {**decision.evidence}
    if found.because:
        because += f" It is stated, but {found.because}."
    if found.assumed and answer is not Answer.UNDETERMINED:
        told["assumed"] = dict(found.assumed)
        because += f" Assumed, as stated: {in_words(found.assumed)}."
        if remark := remark_on(found.assumed):
            told["remark"] = remark
            because += f" {remark}"
    if answer is Answer.DENIED and (ranges := _ruled_out(decision)):
        because += f" AWS never sees a source address in {', '.join(ranges)}."
        told["private_ranges"] = list(ranges)
    if answer is Answer.DENIED and (wrong := wrong_arns(decision)):
        because += f" {' '.join(wrong)}"
        told["wrong_arns"] = list(wrong)
    return Permission(action, resource, answer, because, _WITNESS, told, failure), decision


def policies_of(evidence: Evidence) -> Policies:
    """The documents, parsed. Raises PolicyError, whose path begins with the policy's name."""
    principal, organization = evidence.principal, evidence.organization
    outside = organization.member is False or organization.management is True
    return Policies(
        identity=tuple(_parsed(each) for each in principal.policies),
        boundary=None if principal.boundary is None else _parsed(principal.boundary),
        resource=combine(_resource_policies(evidence)),
        scps=None if outside else _levels(organization.scps),
        rcps=None if outside else _levels(organization.rcps),
    )


def _resource_policies(evidence: Evidence) -> Iterator[Document]:
    for each in evidence.resource_policies:
        found = _parsed(each)
        yield within_scope(found, evidence.registry_scope) if each.kind == "registry" else found


def _levels(levels: Levels | None) -> tuple[tuple[Document, ...], ...] | None:
    if not levels:
        return None
    return tuple(tuple(_parsed(each) for each in level) for level in levels)


def _parsed(policy: PolicyDocument) -> Document:
    try:
        return parse(policy.document, kind=policy.kind, name=policy.name, from_aws=True)
    except PolicyError as error:
        raise PolicyError(f"{policy.name} {error.path}", error.reason) from None


def _request(
    action: str, resource: str, evidence: Evidence, situation: Situation, policies: Policies
) -> Request:
    principal, organization = evidence.principal, evidence.organization.id
    context: dict[str, str] = {
        **principal_context(principal.caller),
        "aws:RequestedRegion": situation.region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
        "aws:ResourceAccount": account_of(resource) or principal.account,
        "aws:CurrentTime": situation.now.isoformat(),
        "aws:EpochTime": str(int(situation.now.timestamp())),
        **{f"aws:PrincipalTag/{key}": value for key, value in principal.tags.items()},
        **(dict.fromkeys(_ORGANIZATION, organization) if organization else {}),
    }
    if principal.session_arn:
        context["aws:PrincipalArn"] = principal.arn
    for key, value in (evidence.tags or {}).items():
        context |= {f"aws:ResourceTag/{key}": value, f"ecr:ResourceTag/{key}": value}
    unstated = situation.unstated
    context = {k: v for k, v in context.items() if not k.lower().startswith(unstated)}
    known = {key.lower() for key in context}
    unknown = {key for key in policies.condition_keys if key not in known}
    unknown -= {key for key in _absent(unknown, evidence) if not key.startswith(unstated)}
    spelled = {key.lower(): key for key in _spelled(policies)}
    named = frozenset(spelled.get(key, key) for key in unknown)
    return Request(principal.caller, action, resource, context, named)


def _spelled(policies: Policies) -> Iterator[str]:
    """Condition keys as the policies write them."""
    for document in policies.documents:
        for statement in document.statements:
            for condition in statement.conditions:
                yield condition.key
                yield from (variable.spelled for variable in condition.variables)
            if statement.resources is not None:
                yield from (variable.spelled for variable in statement.resources.variables)


def _absent(keys: Iterable[str], evidence: Evidence) -> Iterable[str]:
    """Keys that are known not to be there."""
    user = evidence.principal.kind == "user"
    alone = evidence.organization.member is False
    for key in keys:
        tag = evidence.tags is not None and key.startswith(RESOURCE_TAG_KEYS)
        lone = alone and key.startswith(_ORGANIZATION_KEYS)
        own = user and (key in _LONG_TERM_ABSENT or key.startswith("aws:principaltag/"))
        if tag or lone or own:
            yield key


def simulated_context(
    stated: Sequence[StatedKey], principal: Principal
) -> dict[str, str | tuple[str, ...]]:
    """The stated values that a simulation is given: those of keys that no document decides.

    It is not given tags or the organisation, which are read, nor several values of which each
    request has one.
    """
    absent = _LONG_TERM_ABSENT if principal.kind == "user" else frozenset()
    read = (*RESOURCE_TAG_KEYS, *_ORGANIZATION_KEYS, "aws:principaltag/")
    return {
        each.key: value
        for each, value in single(stated)
        if each.lower not in absent and not each.lower.startswith(read)
    }


def _decided(request: Request, policies: Policies) -> Decision:
    """The decision, also where it depends on the source address alone and no address changes it.

    Private addresses are not tried: AWS never sees them.
    """
    decision = decide(request, policies)
    if _SOURCE_IP not in {key.lower() for key in decision.depends_on}:
        return decision
    addresses = seen_addresses(_source_ranges(policies))
    if addresses is None:
        return decision
    rest = frozenset(key for key in request.unknown if key.lower() != _SOURCE_IP)
    unseen = decide(replace(request, unknown=rest), policies)  # through a VPC endpoint
    for address in addresses:
        context = {**request.context, "aws:SourceIp": address}
        seen = decide(replace(request, context=context, unknown=rest), policies)
        if seen.outcome is not unseen.outcome or seen.outcome is Outcome.UNDETERMINED:
            return decision
    return unseen


def _ruled_out(decision: Decision) -> tuple[str, ...]:
    """The private ranges that the policies name, where a condition on the address failed."""
    asked = _SOURCE_IP in {key.lower() for key in decision.absent}
    return private_ranges(_source_ranges(decision.policies)) if asked else ()


def _source_ranges(policies: Policies) -> tuple[str, ...]:
    """Every address or range that a condition on aws:SourceIp names."""
    return tuple(
        value.text
        for document in policies.documents
        for statement in document.statements
        for condition in statement.conditions
        if condition.lower == _SOURCE_IP
        for value in condition.values
    )


def _answer(decision: Decision, evidence: Evidence) -> tuple[Answer, str]:
    """What the decision means, given what could not be read."""
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return Answer.DENIED, decision.because
    if decision.outcome is Outcome.UNDETERMINED:
        return Answer.UNDETERMINED, f"{decision.because}{_why_unknown(decision, evidence)}"
    grants = (*evidence.principal.unread, *evidence.unread)
    limits = evidence.organization.unread if evidence.organization.binds else ()
    if decision.outcome is Outcome.IMPLICIT_DENY:
        # A layer that was not read can only take away, never grant.
        return (
            (Answer.UNDETERMINED, _unread(grants)) if grants else (Answer.DENIED, decision.because)
        )
    if grants or limits:
        return Answer.UNDETERMINED, _unread((*grants, *limits))
    if evidence.organization.binds and evidence.organization.scps is None:
        return Answer.UNDETERMINED, "could not determine whether AWS Organizations policies apply"
    return Answer.ALLOWED, decision.because


def _only_organization(decision: Decision, evidence: Evidence) -> Failure | None:
    """The failed read of the organisation's policies, where nothing else leaves an answer open."""
    grants = (*evidence.principal.unread, *evidence.unread)
    if decision.outcome is not Outcome.ALLOWED or grants:
        return None
    return next(iter(evidence.organization.unread), None)


def _why_unknown(decision: Decision, evidence: Evidence) -> str:
    """The reads that failed and leave open what the decision depends on."""
    scope = evidence.scope_unread if SCOPE_FACT in decision.depends_on else None
    return "".join(f" {each.summary}" for each in (evidence.tags_unread, scope) if each)


def _unread(failures: tuple[Failure, ...]) -> str:
    said = "; ".join(dict.fromkeys(failure.summary for failure in failures[:3]))
    return f"not every policy that applies could be read: {said}"
