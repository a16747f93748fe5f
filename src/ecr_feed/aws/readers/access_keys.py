"""A user's access keys and console password, and the account's OIDC providers, read from IAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ecr_feed.aws.readers.identity_policies import iam_pages
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import ReadError, Trouble
from ecr_feed.facts.iam import AccessKey, OidcProvider

_NO_PASSWORD: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})


def access_keys(client: Client, user: str, *, own_key_id: str = "") -> tuple[AccessKey, ...]:
    """iam:ListAccessKeys, and iam:GetAccessKeyLastUsed for each; `own_key_id` is the feed's key."""
    operation = "ListAccessKeys"
    read = ResponseReader(client, operation)
    return tuple(
        _key(client, read, item, own_key_id)
        for page in iam_pages(client, operation, UserName=user)
        for item in read.items(page, "AccessKeyMetadata")
    )


def mask(key_id: str) -> str:
    """An access key ID as reports show it, such as `AKIA…WXYZ`."""
    return f"{key_id[:4]}…{key_id[-4:]}" if len(key_id) > 8 else "…"


def _key(
    client: Client, read: ResponseReader, item: Mapping[str, Any], own_key_id: str
) -> AccessKey:
    key_id = read.require(item, "AccessKeyId", str)
    key = AccessKey(
        id=mask(key_id),
        status=read.require(item, "Status", str),
        created_at=read.time(item, "CreateDate"),
        own=key_id == own_key_id,
    )
    operation = "GetAccessKeyLastUsed"
    try:
        answer = client.call(operation, AccessKeyId=key_id)
        last = ResponseReader(client, operation)
        used = last.require(answer, "AccessKeyLastUsed", dict)
        return replace(key, last_used_at=last.time(used, "LastUsedDate"))
    except ReadError as error:
        return replace(key, unread=(error.failure,))


def has_console_password(client: Client, user: str) -> bool:
    """iam:GetLoginProfile; False for the error code that means no password. Raises ReadError."""
    try:
        answer = client.call("GetLoginProfile", UserName=user)
    except ReadError as error:
        if error.failure.code in _NO_PASSWORD:
            return False
        raise
    ResponseReader(client, "GetLoginProfile").require(answer, "LoginProfile", dict)
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


def oidc_providers(client: Client) -> tuple[str, ...]:
    """iam:ListOpenIDConnectProviders: the ARNs of all of the account's providers."""
    operation = "ListOpenIDConnectProviders"
    read = ResponseReader(client, operation)
    items = read.items(client.call(operation), "OpenIDConnectProviderList")
    return tuple(read.require(item, "Arn", str) for item in items)
