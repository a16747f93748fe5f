"""Who the credentials are, and what a refusal means: an invalid key or a region not enabled."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from ecr_feed.aws.known_regions import (
    commercial_region,
    is_enabled_by_default,
    other_default_region,
)
from ecr_feed.aws.transport.error_codes import STS_OFF
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Credentials, EnvCredentials, OidcCredentials
from ecr_feed.facts.aws import Access, Failure, Identity, ReadError, Trouble
from ecr_feed.naming import account_of, partition_of

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
# AWS refuses credentials with either where a region is not enabled; only the second says so.
_MAYBE_REGION = frozenset({Trouble.UNKNOWN_KEY, Trouble.REGION_OFF})


@dataclass(frozen=True, slots=True)
class IdentityReader:
    """Reads who one set of credentials is, at any region's STS or at one endpoint."""

    sessions: Sessions
    credentials: Credentials
    endpoint_url: str | None = None

    def identity(self, region: str) -> Identity:
        """sts:GetCallerIdentity at the region's STS endpoint. Raises ReadError."""
        client = self.sessions.client(self.credentials, "sts", region, self.endpoint_url)
        answer = client.call("GetCallerIdentity")
        read = ResponseReader(client, "GetCallerIdentity")
        held = self.sessions.session_credentials(self.credentials, region, self.endpoint_url)
        arn = read.require(answer, "Arn", str)
        account = read.require(answer, "Account", str)
        if _ACCOUNT.fullmatch(account) is None or account_of(arn) != account:
            raise read.wrong(f"the caller is {arn}, of account {account}")
        client.learn_principal(arn)
        return Identity(
            arn=arn,
            account=account,
            access_key_id=held.access_key_id,
            expires_at=held.expires_at,
            source=held.source,
        )


def read_access(reader: IdentityReader, region: str) -> Access:
    """Whether STS accepts the credentials: in the region, else in another region.

    One call where they are accepted; two where they are refused as unknown; three outside the
    commercial partition, since the key may be from there. Where STS cannot be reached, or the clock
    is wrong, `identity` and `region_enabled` are None.
    """
    try:
        return Access(identity=reader.identity(region), region_enabled=True)
    except ReadError as error:
        failure = error.failure
    if failure.trouble not in _MAYBE_REGION:
        return Access(None, None, failure, because=failure.summary)
    if failure.code in STS_OFF and is_enabled_by_default(region) and not _is_oidc(reader):
        return _without_sts(reader, region, failure)
    return _access_elsewhere(reader, region, failure)


def _is_oidc(reader: IdentityReader) -> bool:
    """Octopus gets these credentials from the region's STS."""
    return isinstance(reader.credentials, OidcCredentials)


def _without_sts(reader: IdentityReader, region: str, failure: Failure) -> Access:
    """The region is enabled and its STS endpoint is deactivated: ECR may work all the same."""
    other = other_default_region(region)
    because = f"the account has deactivated STS in {region}"
    try:
        return Access(reader.identity(other), None, None, other, because)
    except ReadError:
        return Access(None, None, failure, because=failure.summary)


def _access_elsewhere(reader: IdentityReader, region: str, failure: Failure) -> Access:
    off = False if failure.code in STS_OFF else None
    other = other_default_region(region)
    if not other:
        alone = Access(None, off, failure, because=failure.summary)
        return _access_in_commercial_partition(reader, region, failure) or alone
    try:
        identity = reader.identity(other)
    except ReadError as error:
        because = _refused_in_both(region, other, failure, error.failure)
        unknown = error.failure.trouble == Trouble.UNKNOWN_KEY
        found = _access_in_commercial_partition(reader, region, failure) if unknown else None
        return found or Access(None, off, failure, because=because)
    if off is None and _may_be_from_global_sts(reader, identity, region):
        return Access(
            identity,
            None,
            failure,
            other,
            f"{other} accepts the session that {region} rejects: the region is not enabled, or"
            " the session came from the global STS endpoint, whose sessions work in default"
            " regions only",
        )
    return Access(
        identity, False, failure, other, f"{other} accepts the credentials that {region} rejects"
    )


def _access_in_commercial_partition(
    reader: IdentityReader, region: str, failure: Failure
) -> Access | None:
    """Whether the credentials are from the commercial partition; None where they are not."""
    other = commercial_region(region)
    if not other or _is_oidc(reader):
        return None
    try:
        identity = reader.identity(other)
    except ReadError:
        return None
    because = (
        f"the credentials are of partition aws, where {other} accepts them; {region} is in"
        f" partition {partition_of(region)}, which has its own accounts"
    )
    return Access(identity, False, failure, other, because)


def _refused_in_both(region: str, other: str, failure: Failure, second: Failure) -> str:
    if second.trouble == Trouble.UNKNOWN_KEY:
        return (
            f"refused in {region} and in {other}: the key is unknown, deleted or inactive,"
            " or of another partition"
        )
    return f"{failure.summary}; asked in {other} too: {second.summary}"


def _may_be_from_global_sts(reader: IdentityReader, identity: Identity, region: str) -> bool:
    """The credentials are a ready-made session, and the region is not enabled by default."""
    given = isinstance(reader.credentials, EnvCredentials)
    return given and identity.access_key_id.startswith("ASIA") and not is_enabled_by_default(region)


def access_after_token(access: Access, failure: Failure, region: str) -> Access:
    """The access, changed by ECR's refusal of the credentials that STS accepted in the region."""
    if access.failure is not None:
        return access
    if failure.trouble in _MAYBE_REGION and not is_enabled_by_default(region):
        return replace(
            access,
            region_enabled=False,
            failure=failure,
            because=f"STS accepts the credentials, ECR in {region}, an opt-in region, does not",
        )
    return replace(
        access,
        failure=failure,
        because=f"STS accepts the credentials, ECR in {region} refuses them: {failure.summary}",
    )
