"""Who the credentials are, and what a refusal means: a dead key, a region not enabled, a clock."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecr_feed.aws.readers.regions import (
    commercial_region,
    is_enabled_by_default,
    other_default_region,
)
from ecr_feed.aws.transport.error_codes import STS_OFF
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Credentials, EnvCredentials, OidcCredentials
from ecr_feed.facts.aws import Access, Failure, Identity, ReadError, Trouble
from ecr_feed.naming import partition_of

# Both of these are said where a region is off; only the second says so.
_MAYBE_REGION = frozenset({Trouble.UNKNOWN_KEY, Trouble.REGION_OFF})


@dataclass(frozen=True, slots=True)
class IdentityReader:
    """Credentials, as used against one endpoint."""

    sessions: Sessions
    credentials: Credentials
    endpoint_url: str | None = None

    def identity(self, region: str) -> Identity:
        """sts:GetCallerIdentity at the region's STS endpoint. Raises ReadError."""
        client = self.sessions.client(self.credentials, "sts", region, self.endpoint_url)
        answer = client.call("GetCallerIdentity")
        read = ResponseReader(client, "GetCallerIdentity")
        held = self.sessions.session_credentials(self.credentials, region, self.endpoint_url)
        return Identity(
            arn=read.require(answer, "Arn", str),
            account=read.require(answer, "Account", str),
            access_key_id=held.access_key_id,
            expires_at=held.expires_at,
            source=held.source,
        )


def read_access(who: IdentityReader, region: str) -> Access:
    """How STS receives the credentials: in the region, and where it refuses, in another one.

    One call where they are accepted, two where they are refused as unknown, three outside the
    commercial partition, whose keys may be meant. An STS that cannot be reached, or a clock that is
    off, leaves `identity` and `region_enabled` None.
    """
    try:
        return Access(identity=who.identity(region), region_enabled=True)
    except ReadError as error:
        failure = error.failure
    if failure.trouble not in _MAYBE_REGION:
        return Access(None, None, failure, because=failure.summary)
    if failure.code in STS_OFF and is_enabled_by_default(region) and not _needs_sts(who):
        return _without_sts(who, region, failure)
    return _elsewhere(who, region, failure)


def _needs_sts(who: IdentityReader) -> bool:
    """Octopus itself asks the region's STS for these credentials."""
    return isinstance(who.credentials, OidcCredentials)


def _without_sts(who: IdentityReader, region: str, failure: Failure) -> Access:
    """A region that is on, whose STS endpoint the account has switched off: ECR may well work."""
    other = other_default_region(region)
    because = f"the account has switched off STS in {region}"
    try:
        return Access(who.identity(other), None, None, other, because)
    except ReadError:
        return Access(None, None, failure, because=failure.summary)


def _elsewhere(who: IdentityReader, region: str, failure: Failure) -> Access:
    off = False if failure.code in STS_OFF else None
    other = other_default_region(region)
    if not other:
        alone = Access(None, off, failure, because=failure.summary)
        return _in_aws(who, region, failure) or alone
    try:
        identity = who.identity(other)
    except ReadError as error:
        because = _neither(region, other, failure, error.failure)
        unknown = error.failure.trouble == Trouble.UNKNOWN_KEY
        found = _in_aws(who, region, failure) if unknown else None
        return found or Access(None, off, failure, because=because)
    if off is None and _may_be_a_global_token(who, identity, region):
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


def _in_aws(who: IdentityReader, region: str, failure: Failure) -> Access | None:
    """Credentials of the commercial partition do not exist in any other."""
    other = commercial_region(region)
    if not other or _needs_sts(who):
        return None
    try:
        identity = who.identity(other)
    except ReadError:
        return None
    because = (
        f"the credentials are of partition aws, where {other} accepts them; {region} is of"
        f" partition {partition_of(region)}, which has accounts of its own"
    )
    return Access(identity, False, failure, other, because)


def _neither(region: str, other: str, failure: Failure, second: Failure) -> str:
    if second.trouble == Trouble.UNKNOWN_KEY:
        return (
            f"refused in {region} and in {other}: the key is unknown, deleted or inactive,"
            " or of another partition"
        )
    return f"{failure.summary}; asked in {other} too: {second.summary}"


def _may_be_a_global_token(who: IdentityReader, identity: Identity, region: str) -> bool:
    """A session that was handed to us as such, with a region that is not on by default."""
    given = isinstance(who.credentials, EnvCredentials)
    return given and identity.access_key_id.startswith("ASIA") and not is_enabled_by_default(region)


def access_after_token(access: Access, failure: Failure, region: str) -> Access:
    """The same access once ECR has refused the credentials that STS accepted in this region."""
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
