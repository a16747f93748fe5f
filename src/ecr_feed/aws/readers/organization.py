"""The policies of an organisation that apply to an account, as far as the auditor may read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Failure, ReadError
from ecr_feed.facts.iam import Levels, Organization, PolicyDocument

T = TypeVar("T")
_NONE: Final = "AWSOrganizationsNotInUseException"
_TYPES: Final = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}
# Five levels of organisational units are the most that AWS allows; one more is the root.
_MOST_LEVELS: Final = 8


def read_organization(client: Client, account: str, *, own: bool = True) -> Organization:
    """The account's organisation; only the management account or a delegate may read policies.

    A refusal is not raised: it is kept in `unread`, and the levels are None. `own`: the caller is
    of that account. Another caller's organisation is the account's only if the account is in it.
    """
    unread: list[Failure] = []
    read = ResponseReader(client, "DescribeOrganization")
    name = ""
    try:
        answer = client.call("DescribeOrganization")
        described = read.require(answer, "Organization", dict)
        management = read.text(described, "MasterAccountId") == account
        name = read.text(described, "Id")
        member: bool | None = True
    except ReadError as error:
        if error.failure.code == _NONE and own:
            return Organization(member=False, management=False, scps=(), rcps=())
        unread.append(error.failure)
        member, management = None, False
    targets = _kept(unread, lambda: _targets(client, account))
    if targets is None and not own:
        member, management, name = None, False, ""
    documents: dict[str, PolicyDocument] = {}

    def levels(kind: str) -> Levels | None:
        if targets is None:
            return None
        return _kept(unread, lambda: _levels(client, targets, kind, documents))

    scps, rcps = levels("scp"), levels("rcp")
    return Organization(member, management if member else None, scps, rcps, tuple(unread), name)


def _kept(unread: list[Failure], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ReadError as error:
        unread.append(error.failure)
        return None


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
        if read.text(parents[0], "Type") == "ROOT":
            return chain
    raise read.wrong("the organisation has no root")


def _levels(
    client: Client, targets: list[str], kind: str, documents: dict[str, PolicyDocument]
) -> Levels:
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
            policy_id = read.require(summary, "Id", str)
            if policy_id not in documents:
                documents[policy_id] = _document(client, policy_id, kind, target)
            found.append(documents[policy_id])
    return found


def _document(client: Client, policy_id: str, kind: str, target: str) -> PolicyDocument:
    operation = "DescribePolicy"
    read = ResponseReader(client, operation)
    policy = read.require(client.call(operation, PolicyId=policy_id), "Policy", dict)
    summary = read.maybe(policy, "PolicySummary", dict) or {}
    return PolicyDocument(
        name=read.text(summary, "Name", policy_id),
        kind=kind,
        document=read.require(policy, "Content", str),
        arn=read.text(summary, "Arn"),
        via=target,
    )
