"""The policies of an organisation that apply to an account, as far as the auditor may read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Failure, ReadError, Trouble
from ecr_feed.facts.iam import Levels, Organization, PolicyDocument

T = TypeVar("T")
_NONE: Final = "AWSOrganizationsNotInUseException"
_TYPES: Final = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}
_ON: Final = "ENABLED"
_STATUSES: Final = (_ON, "PENDING_ENABLE", "PENDING_DISABLE")
_PARENTS: Final = ("ROOT", "ORGANIZATIONAL_UNIT")
# Five levels of organisational units are the most that AWS allows; one more is the root.
_MOST_LEVELS: Final = 8


def read_organization(client: Client, account: str, *, own: bool = True) -> Organization:
    """The account's organisation; only the management account or a delegate may read policies.

    A refusal is not raised: it is kept in `unread`, and the levels are None. Levels are () where
    the type of policy is off. `own`: the caller is of that account. Another caller's organisation
    is the account's only if the account is in it.
    """
    unread: list[Failure] = []
    read = ResponseReader(client, "DescribeOrganization")
    name = ""
    try:
        described = read.require(client.call("DescribeOrganization"), "Organization", dict)
        management = read.require(described, "MasterAccountId", str) == account
        name = read.require(described, "Id", str)
        member: bool | None = True
    except ReadError as error:
        if error.failure.code == _NONE and own:
            return Organization(member=False, management=False, scps=(), rcps=())
        unread.append(error.failure)
        member, management = None, False
    types = _kept(unread, lambda: _policy_types(client, name))
    targets = None
    if types is not None:
        # Nothing is attached where both are off; another account must still be in the organisation.
        walk = any(types.values()) or not own
        targets = _kept(unread, lambda: _targets(client, account)) if walk else []
    if targets is None and not own:
        member, management, name = None, False, ""
    documents: dict[str, PolicyDocument] = {}

    def levels(kind: str) -> Levels | None:
        if types is None or targets is None:
            return None
        if types[kind] is None:
            return ()
        return _kept(unread, lambda: _levels(client, targets, kind, types[kind], documents))

    scps, rcps = levels("scp"), levels("rcp")
    return Organization(member, management if member else None, scps, rcps, tuple(unread), name)


def _kept(unread: list[Failure], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ReadError as error:
        unread.append(error.failure)
        return None


def _policy_types(client: Client, organization: str) -> Mapping[str, str | None]:
    """organizations:ListRoots: the status of service and resource control policies; None: off.

    `organization` is the organisation's ID, "" where it is unknown: a root of another is malformed.
    """
    operation = "ListRoots"
    read = ResponseReader(client, operation)
    roots = [
        root
        for page in client.pages(operation, request_key="NextToken", response_key="NextToken")
        for root in read.items(page, "Roots")
    ]
    if len(roots) != 1:
        raise read.wrong(f"{len(roots)} roots, expected one")
    arn = read.maybe(roots[0], "Arn", str)
    if organization and arn is not None and f":root/{organization}/" not in arn:
        raise read.wrong(f"{arn} is the root of another organisation than {organization}")
    found: dict[str, str] = {}
    for item in read.items(roots[0], "PolicyTypes"):
        name = read.require(item, "Type", str)
        if name in found:
            raise read.wrong(f"{name} is there twice")
        found[name] = read.one_of(item, "Status", _STATUSES)
    return {kind: found.get(name) for kind, name in _TYPES.items()}


def _targets(client: Client, account: str) -> list[str]:
    """The root, the organisational units down to the account, and the account itself."""
    operation = "ListParents"
    read = ResponseReader(client, operation)
    chain = [account]
    for _ in range(_MOST_LEVELS):
        answer = client.call(operation, ChildId=chain[0])
        parents = read.items(answer, "Parents")
        if len(parents) != 1:
            raise read.wrong(f"{len(parents)} parents, expected one")
        chain.insert(0, read.require(parents[0], "Id", str))
        if read.one_of(parents[0], "Type", _PARENTS) == "ROOT":
            return chain
    raise read.wrong("the organisation has no root")


def _levels(
    client: Client,
    targets: list[str],
    kind: str,
    status: str | None,
    documents: dict[str, PolicyDocument],
) -> Levels:
    if status != _ON:
        # AWS is switching them on or off: whether they apply to the next call is not known.
        failed = client.context("ListRoots")
        message = f"the organisation's {_TYPES[kind]} is {status}"
        raise ReadError(failed.failure(Trouble.OTHER, str(status), message))
    return tuple(tuple(_policies(client, target, kind, documents)) for target in targets)


def _policies(
    client: Client, target: str, kind: str, documents: dict[str, PolicyDocument]
) -> list[PolicyDocument]:
    operation = "ListPoliciesForTarget"
    read = ResponseReader(client, operation)
    found: list[PolicyDocument] = []
    for page in client.pages(
        operation,
        request_key="NextToken",
        response_key="NextToken",
        TargetId=target,
        Filter=_TYPES[kind],
    ):
        for summary in read.items(page, "Policies"):
            policy_id = _identifier(read, summary, kind)
            if policy_id not in documents:
                documents[policy_id] = _document(client, policy_id, kind, target)
            found.append(documents[policy_id])
    if not found:
        raise read.wrong(
            f"{target} has no {_TYPES[kind]}, although the type is on: AWS keeps at least one"
        )
    return found


def _identifier(read: ResponseReader, summary: Mapping[str, Any], kind: str) -> str:
    """A policy's ID; its type must be the one that was asked for."""
    read.one_of(summary, "Type", (_TYPES[kind],))
    return read.require(summary, "Id", str)


def _document(client: Client, policy_id: str, kind: str, target: str) -> PolicyDocument:
    operation = "DescribePolicy"
    read = ResponseReader(client, operation)
    policy = read.require(client.call(operation, PolicyId=policy_id), "Policy", dict)
    summary = read.require(policy, "PolicySummary", dict)
    if _identifier(read, summary, kind) != policy_id:
        raise read.wrong(f"the answer is about another policy than {policy_id}")
    return PolicyDocument(
        name=read.require(summary, "Name", str),
        kind=kind,
        document=read.require(policy, "Content", str),
        arn=read.require(summary, "Arn", str),
        via=target,
    )
