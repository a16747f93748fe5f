"""A user's access keys and console password, and the account's OIDC providers, read from IAM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ecr_feed.aws.readers.identity_policies import iam_pages
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import ReadError, Trouble
from ecr_feed.facts.iam import AccessKey, OidcProvider
from ecr_feed.naming import partition_of

_STATUSES: Final = ("Active", "Inactive", "Expired")
_NEVER: Final = "N/A"
"""The service that IAM names for a key that was never used, which has no date."""
_PROVIDER: Final = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):iam::(?P<account>[0-9]{12}):oidc-provider/.+"
)
_NO_PASSWORD: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})

_NO_USER: Final = re.compile(r"\buser with name\b", re.IGNORECASE)


def access_keys(client: Client, user: str, *, own_key_id: str = "") -> tuple[AccessKey, ...]:
    """iam:ListAccessKeys, and iam:GetAccessKeyLastUsed for each; `own_key_id` is the feed's key."""
    operation = "ListAccessKeys"
    read = ResponseReader(client, operation)
    return tuple(
        _key(client, read, item, user, own_key_id)
        for page in iam_pages(client, operation, UserName=user)
        for item in read.items(page, "AccessKeyMetadata")
    )


def mask(key_id: str) -> str:
    """An access key ID as reports show it, such as `AKIA…WXYZ`."""
    return f"{key_id[:4]}…{key_id[-4:]}" if len(key_id) > 8 else "…"


def _key(
    client: Client, read: ResponseReader, item: Mapping[str, Any], user: str, own_key_id: str
) -> AccessKey:
    key_id = read.require(item, "AccessKeyId", str)
    if read.require(item, "UserName", str) != user:
        raise read.wrong(f"a key of another user than {user} is in the list")
    key = AccessKey(
        id=mask(key_id),
        status=read.one_of(item, "Status", _STATUSES),
        created_at=read.require(item, "CreateDate", datetime),
        own=key_id == own_key_id,
    )
    operation = "GetAccessKeyLastUsed"
    try:
        answer = client.call(operation, AccessKeyId=key_id)
        last = ResponseReader(client, operation)
        if last.maybe(answer, "UserName", str) not in (None, user):
            raise last.wrong(f"the answer is about a key of another user than {user}")
        used = last.require(answer, "AccessKeyLastUsed", dict)
        date, service = last.time(used, "LastUsedDate"), last.require(used, "ServiceName", str)
        if (date is None) is not (service == _NEVER):
            raise last.wrong(f"the key was used by {service!r}, on {date or 'no date'}")
        return replace(key, last_used_at=date)
    except ReadError as error:
        return replace(key, unread=(error.failure,))


def has_console_password(client: Client, user: str) -> bool:
    """iam:GetLoginProfile; False for the error code that means no password. Raises ReadError.

    The same code means that there is no such user: then the message is about the user.
    """
    try:
        answer = client.call("GetLoginProfile", UserName=user)
    except ReadError as error:
        if error.failure.code in _NO_PASSWORD and not _NO_USER.search(error.failure.message):
            return False
        raise
    read = ResponseReader(client, "GetLoginProfile")
    profile = read.require(answer, "LoginProfile", dict)
    if read.require(profile, "UserName", str) != user:
        raise read.wrong(f"the answer is about another user than {user}")
    return True


def oidc_provider(client: Client, arn: str) -> OidcProvider | None:
    """iam:GetOpenIDConnectProvider; None where the account has no such provider."""
    operation = "GetOpenIDConnectProvider"
    try:
        answer = client.call(operation, OpenIDConnectProviderArn=arn)
    except ReadError as error:
        if error.failure.trouble == Trouble.NOT_FOUND:
            return None
        raise
    read = ResponseReader(client, operation)
    return OidcProvider(
        arn=arn,
        url=read.require(answer, "Url", str),
        audiences=read.texts(answer, "ClientIDList"),
    )


def oidc_providers(client: Client, account: str = "") -> tuple[str, ...]:
    """iam:ListOpenIDConnectProviders: the ARNs of all of the account's providers.

    `account` is the caller's, where it is known: a provider of another one is malformed.
    """
    operation = "ListOpenIDConnectProviders"
    read = ResponseReader(client, operation)
    items = read.items(client.call(operation), "OpenIDConnectProviderList")
    arns = tuple(read.require(item, "Arn", str) for item in items)
    for arn in arns:
        parts = _PROVIDER.fullmatch(arn)
        own = parts is not None and parts["partition"] == partition_of(client.region)
        if parts is None or not own or account not in ("", parts["account"]):
            raise read.wrong(f"{arn} is not a provider of the account")
    if len(set(arns)) != len(arns):
        raise read.wrong("a provider is there twice")
    return arns
