"""The policies of its account that apply to a user or role, and the quotas on such policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Failure, ReadError, Trouble
from ecr_feed.facts.iam import PolicyDocument, Principal, Source
from ecr_feed.iam import PolicyQuotas
from ecr_feed.once import Once

T = TypeVar("T")
_ARN: Final = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):(?P<service>iam|sts)::(?P<account>[0-9]{12}):(?P<rest>.+)"
)
_MOST_ITEMS: Final = 1000


class PrincipalReader:
    """Reads principals through one IAM client; each managed policy is read once for all of them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._managed: dict[str, Once[tuple[str, Source]]] = {}

    def read(self, arn: str) -> Principal:
        """The principal of an identity's ARN; that of a session is its role, path included.

        Raises ReadError where it does not exist (NOT_FOUND) or IAM has no policies for it (a
        federated user). A read that is refused is kept in `unread`, and the rest is read.
        """
        parts = _ARN.fullmatch(arn)
        kind, _, name = parts["rest"].partition("/") if parts else ("", "", "")
        if parts and parts["rest"] == "root":
            return Principal("root", arn, parts["account"], "root")
        if parts and kind == "user":
            return self._user(arn, parts["account"], name)
        if parts and kind == "role":
            return self._role(arn, parts["account"], name.rpartition("/")[2], session="")
        if parts and kind == "assumed-role":
            role = name.partition("/")[0]
            base = f"arn:{parts['partition']}:iam::{parts['account']}:role/{role}"
            return self._role(base, parts["account"], role, session=arn)
        raise ReadError(self._not_a_principal(arn))

    def _not_a_principal(self, arn: str) -> Failure:
        return Failure(
            Trouble.OTHER,
            "iam",
            "GetUser",
            self._client.region,
            code="UnknownPrincipal",
            message=f"not called: IAM has no policies for {arn}",
        )

    def _user(self, arn: str, account: str, path_and_name: str) -> Principal:
        name = path_and_name.rpartition("/")[2]
        unread: list[Failure] = []
        found = self._entity("User", arn, name, unread)
        policies = self._of("User", name, unread)
        groups = self._names("ListGroupsForUser", "Groups", "GroupName", unread, UserName=name)
        for group in groups:
            policies += self._of("Group", group, unread)
        return Principal(
            kind="user",
            arn=arn,
            account=account,
            name=name,
            policies=tuple(policies),
            tags=self._tags("User", found, unread),
            **self._boundary("User", found, unread),
            unread=tuple(unread),
        )

    def _role(self, arn: str, account: str, name: str, *, session: str) -> Principal:
        unread: list[Failure] = []
        found = self._entity("Role", arn, name, unread)
        read = ResponseReader(self._client, "GetRole")
        seconds = read.maybe(found, "MaxSessionDuration", int)
        trust = _document(read, found, "AssumeRolePolicyDocument") if found else None
        return Principal(
            kind="role",
            arn=read.require(found, "Arn", str) if found else arn,
            account=account,
            name=name,
            session_arn=session,
            policies=tuple(self._of("Role", name, unread)),
            trust=None
            if trust is None
            else PolicyDocument(f"trust policy of {name}", "trust", trust, via=f"role {name}"),
            max_session=None if seconds is None else timedelta(seconds=seconds),
            tags=self._tags("Role", found, unread),
            **self._boundary("Role", found, unread),
            unread=tuple(unread),
        )

    def _entity(self, kind: str, arn: str, name: str, unread: list[Failure]) -> Mapping[str, Any]:
        """The user or role itself; where it cannot be read, `unread` says so and it is empty."""
        operation = f"Get{kind}"
        read = ResponseReader(self._client, operation)

        def entity() -> Mapping[str, Any]:
            answer = self._client.call(operation, **{f"{kind}Name": name})
            found: Mapping[str, Any] = read.require(answer, kind, dict)
            if read.require(found, f"{kind}Name", str) != name:
                raise read.wrong(f"the answer is about another {kind.lower()} than {name}")
            if (got := read.require(found, "Arn", str)) != arn and _pathless(got) != arn:
                raise read.wrong(f"{got} is another {kind.lower()} than {arn}")
            if kind == "Role":
                _document(read, found, "AssumeRolePolicyDocument")
            return found

        try:
            return entity()
        except ReadError as error:
            if error.failure.trouble == Trouble.NOT_FOUND or not _concerns_one_read(error.failure):
                raise
            unread.append(error.failure)
            return {}

    def _of(self, kind: str, name: str, unread: list[Failure]) -> list[PolicyDocument]:
        """Inline and attached policies of a user, role or group."""
        via = f"{kind.lower()} {name}"
        who = {f"{kind}Name": name}
        found: list[PolicyDocument] = []
        for policy in self._names(f"List{kind}Policies", "PolicyNames", None, unread, **who):
            document = self._kept(unread, partial(self._inline, kind, name, policy))
            if document is not None:
                found.append(PolicyDocument(policy, "identity", document, via=via))
        attached = self._names(
            f"ListAttached{kind}Policies", "AttachedPolicies", "PolicyArn", unread, **who
        )
        for arn in attached:
            managed = self._kept(unread, self._managed_policy(arn).get)
            if managed is not None:
                found.append(PolicyDocument(managed[0], "identity", managed[1], arn, via))
        return found

    def _inline(self, kind: str, name: str, policy: str) -> Source:
        operation = f"Get{kind}Policy"
        asked = {f"{kind}Name": name, "PolicyName": policy}
        answer = self._client.call(operation, **asked)
        read = ResponseReader(self._client, operation)
        for key, value in asked.items():
            if read.require(answer, key, str) != value:
                raise read.wrong(f"the answer is about another {key} than {value}")
        return _document(read, answer, "PolicyDocument")

    def _managed_policy(self, arn: str) -> Once[tuple[str, Source]]:
        """(name, document) of a managed policy's default version."""

        def read() -> tuple[str, Source]:
            policy = self._client.call("GetPolicy", PolicyArn=arn)
            of_policy = ResponseReader(self._client, "GetPolicy")
            head = of_policy.require(policy, "Policy", dict)
            version = self._client.call(
                "GetPolicyVersion",
                PolicyArn=arn,
                VersionId=of_policy.require(head, "DefaultVersionId", str),
            )
            of_version = ResponseReader(self._client, "GetPolicyVersion")
            body = of_version.require(version, "PolicyVersion", dict)
            if of_version.require(body, "VersionId", str) != head["DefaultVersionId"]:
                raise of_version.wrong(f"the answer is not about the default version of {arn}")
            if of_policy.require(head, "Arn", str) != arn:
                raise of_policy.wrong(f"the answer is about another policy than {arn}")
            name = of_policy.require(head, "PolicyName", str)
            return name, _document(of_version, body, "Document")

        return self._managed.setdefault(arn, Once(read))

    def _boundary(
        self, kind: str, found: Mapping[str, Any], unread: list[Failure]
    ) -> dict[str, Any]:
        """The fields `boundary` and `boundary_unread` of a principal."""
        if not found:
            return {"boundary_unread": True}
        read = ResponseReader(self._client, f"Get{kind}")

        def boundary() -> PolicyDocument:
            attached = read.require(found, "PermissionsBoundary", dict)
            arn = read.require(attached, "PermissionsBoundaryArn", str)
            name, document = self._managed_policy(arn).get()
            return PolicyDocument(name, "boundary", document, arn, "permissions boundary")

        if found.get("PermissionsBoundary") is None:
            return {}
        document = self._kept(unread, boundary)
        return {"boundary": document, "boundary_unread": document is None}

    def _tags(
        self, kind: str, found: Mapping[str, Any], unread: list[Failure]
    ) -> Mapping[str, str]:
        """The tags of a user or role; IAM leaves them out where there are none."""
        read = ResponseReader(self._client, f"Get{kind}")

        def tags() -> Mapping[str, str]:
            items = read.items(found, "Tags")
            return {read.require(tag, "Key", str): read.value(tag, "Value") for tag in items}

        return {} if found.get("Tags") is None else self._kept(unread, tags) or {}

    def _names(
        self, operation: str, key: str, inner: str | None, unread: list[Failure], **who: str
    ) -> list[str]:
        """A paged list of names, or of one text per item; empty, and in `unread`, where refused."""
        return self._kept(unread, lambda: list(self._each(operation, key, inner, who))) or []

    def _each(
        self, operation: str, key: str, inner: str | None, who: Mapping[str, str]
    ) -> Iterator[str]:
        read = ResponseReader(self._client, operation)
        for page in iam_pages(self._client, operation, **who):
            if inner is None:
                read.require(page, key, list)
                yield from read.texts(page, key)
            else:
                yield from (read.require(item, inner, str) for item in read.items(page, key))

    @staticmethod
    def _kept(unread: list[Failure], read: Callable[[], T]) -> T | None:
        """The value, or None with the failure kept; raises what would end every other read too."""
        try:
            return read()
        except ReadError as error:
            if not _concerns_one_read(error.failure):
                raise
            unread.append(error.failure)
            return None


def policy_quotas(client: Client) -> PolicyQuotas:
    """iam:GetAccountSummary: the account's quotas, IAM's default for one that is not in it."""
    operation = "GetAccountSummary"
    read = ResponseReader(client, operation)
    summary = read.require(client.call(operation), "SummaryMap", dict)
    return PolicyQuotas.of({name: read.require(summary, name, int) for name in summary})


def iam_pages(client: Client, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """The pages of an IAM list: Marker while IsTruncated."""
    for page in client.pages(
        operation, request_key="Marker", response_key="Marker", MaxItems=_MOST_ITEMS, **parameters
    ):
        truncated = ResponseReader(client, operation).require(page, "IsTruncated", bool)
        if truncated is not bool(page.get("Marker")):
            has = "no Marker" if truncated else "a Marker"
            said = "truncated" if truncated else "complete"
            raise client.malformed(operation, f"the list is {said} and has {has}")
        yield page


def _concerns_one_read(failure: Failure) -> bool:
    """The failure concerns this read alone: denied, deleted meanwhile, malformed, throttled."""
    ended = failure.trouble.credentials or failure.trouble is Trouble.LOGIN_ENDED
    return not (ended or failure.trouble.unreachable)


def _pathless(arn: str) -> str:
    """A role's ARN without its path, which the ARN of its session does not tell."""
    return re.sub(r":role/.*/", ":role/", arn)


def _document(read: ResponseReader, answer: Mapping[str, Any], key: str) -> Source:
    """A policy document: a mapping where botocore decoded it, else text, here without quoting."""
    document = answer.get(key)
    if isinstance(document, Mapping):
        return document
    return unquote(read.require(answer, key, str))
