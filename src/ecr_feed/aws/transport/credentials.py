"""How each kind of credentials in a feeds file becomes a session that can sign."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from ecr_feed.aws.transport.backend import Backend, Key
from ecr_feed.aws.transport.errors import Asked, classify, refused
from ecr_feed.aws.transport.response import Reader, sanitize
from ecr_feed.config import (
    Credentials,
    EnvCredentials,
    KeyCredentials,
    OidcCredentials,
    ProfileCredentials,
    Suite,
    WorkerCredentials,
)
from ecr_feed.config.credentials import label_of
from ecr_feed.facts.aws import Failure, ReadError, Secret, Trouble
from ecr_feed.text.files import TOKEN, FileError, read_file

if TYPE_CHECKING:
    from ecr_feed.aws.transport.botosession import FeedSession
    from ecr_feed.aws.transport.client import Client


class SessionMaker(Protocol):
    """What makes guarded sessions and clients: `Sessions`."""

    @property
    def backend(self) -> Backend:
        """Where calls go."""

    @property
    def environ(self) -> Mapping[str, str]:
        """Where `env_prefix` credentials are read."""

    def new(
        self,
        region: str,
        endpoint_url: str | None = None,
        *,
        profile: str | None = None,
        worker: bool = False,
        unsigned: bool = False,
    ) -> FeedSession:
        """A session without credentials yet."""

    def wrap(self, boto: Any, service: str, region: str) -> Client:
        """A botocore client behind the suite's own way of calling."""


# Calamari's own name: a trust policy that looks at sts:RoleSessionName must judge us like it.
OIDC_SESSION_NAME: Final = "OctopusAwsAuthentication"
_EMPTY_PROFILE: Final = "profile {profile} names no key, role, SSO session or process"
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


def opened(
    sessions: SessionMaker, credentials: Credentials, region: str, endpoint_url: str | None
) -> FeedSession:
    """The session of the credentials.

    Raises ReadError (NO_CREDENTIALS and the like) where they cannot be had; makes a call for a
    web identity only.
    """
    from ecr_feed.aws.transport.botosession import static

    if isinstance(credentials, ProfileCredentials):
        _must_be_outside(sessions, credentials.source, region)
        session = sessions.new(region, endpoint_url, profile=credentials.profile)
        return _holding(session, region, _EMPTY_PROFILE.format(profile=credentials.profile))
    if isinstance(credentials, WorkerCredentials) and not sessions.backend.embedded:
        session = sessions.new(region, endpoint_url, worker=True)
        return _holding(session, region, _nothing_here(sessions.environ))
    key = (
        _web_identity(sessions, credentials, region, endpoint_url)
        if isinstance(credentials, OidcCredentials)
        else _key(sessions, credentials, region)
    )
    session = sessions.new(region, endpoint_url)
    static(session, key)
    return session


def _holding(session: FeedSession, region: str, otherwise: str) -> FeedSession:
    """The session, if its chain of providers found credentials; asks metadata services."""
    if session.get_credentials() is None:
        raise _none(region, otherwise)
    return session


def _nothing_here(environ: Mapping[str, str]) -> str:
    """Where the machine's own credentials were looked for, and what keeps them from being found."""
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        metadata = "instance metadata is disabled by AWS_EC2_METADATA_DISABLED"
    else:
        metadata = "instance metadata does not answer (inside a container its hop limit must be 2)"
    return (
        "this machine has no credentials: none in AWS_* variables, in the profile files or at a"
        f" container's endpoint, and {metadata}"
    )


def _must_be_outside(sessions: SessionMaker, what: str, region: str) -> None:
    if sessions.backend.embedded:
        raise _none(region, f"the embedded account has no place for {what}")


def _key(
    sessions: SessionMaker,
    credentials: EnvCredentials | KeyCredentials | WorkerCredentials,
    region: str,
) -> Key:
    if not isinstance(credentials, EnvCredentials):
        label = label_of(credentials)
        if label not in sessions.backend.keys:
            raise _none(region, f"the embedded account has no key labelled {label!r}")
        return sessions.backend.keys[label]
    names = [credentials.access_key_id, credentials.secret_access_key, credentials.session_token]
    values = [sessions.environ.get(name, "").strip() for name in names]
    missing = [name for name, value in zip(names[:2], values[:2], strict=True) if not value]
    if missing:
        raise _none(region, f"not set in the environment: {', '.join(missing)}")
    return Key(values[0], Secret(values[1]), Secret(values[2]) if values[2] else None)


def _web_identity(
    sessions: SessionMaker, credentials: OidcCredentials, region: str, endpoint_url: str | None
) -> Key:
    """AssumeRoleWithWebIdentity, unsigned, in the feed's region: what Octopus does."""
    token = _token(credentials, region)
    anonymous = sessions.new(region, endpoint_url, unsigned=True)
    boto = anonymous.create_client("sts", region_name=region, endpoint_url=endpoint_url)
    client = sessions.wrap(boto, "sts", region)
    operation = "AssumeRoleWithWebIdentity"
    try:
        answer = client.call(
            operation,
            RoleArn=credentials.role_arn,
            RoleSessionName=OIDC_SESSION_NAME,
            WebIdentityToken=token.reveal(),
            DurationSeconds=credentials.session_seconds,
        )
    except ReadError as error:
        raise ReadError(_as_credentials(error.failure)) from None
    given = answer.get("Credentials")
    fields = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    read = Reader(client, operation)
    values = [read.require(given, name, str) for name in fields]
    return Key(values[0], Secret(values[1]), Secret(values[2]))


def _as_credentials(failure: Failure) -> Failure:
    """A role that may not be assumed is no denial of a call: it is no credentials.

    A token that is past its time says nothing of the feed, whose own is made anew for each use.
    """
    if failure.trouble is Trouble.EXPIRED:
        return replace(failure, trouble=Trouble.OTHER)
    return replace(failure, trouble=Trouble.NO_CREDENTIALS) if refused(failure) else failure


def _token(credentials: OidcCredentials, region: str) -> Secret:
    if credentials.token_file is None:
        raise _none(
            region,
            "no token_file: only the Octopus Server can sign a web identity token for this feed",
        )
    try:
        text = read_file(credentials.token_file, TOKEN).text().strip()
    except FileError as error:
        raise _bad_file(region, f"token file {error}") from None
    if _JWT.fullmatch(text) is None:
        raise _bad_file(region, f"token file {credentials.token_file} has no web identity token")
    return Secret(text)


def _bad_file(region: str, message: str) -> ReadError:
    """The sample token is unusable: nothing is known of the feed's own."""
    failure = _none(region, message).failure
    return ReadError(replace(failure, trouble=Trouble.OTHER, code="TokenFile"))


def _none(region: str, message: str) -> ReadError:
    return ReadError(
        Failure(
            trouble=Trouble.NO_CREDENTIALS,
            service="sts",
            operation="GetCallerIdentity",
            region=region,
            message=sanitize(message),
        )
    )


def missing_profiles(suite: Suite) -> list[str]:
    """The profiles the suite names that neither ~/.aws/config nor ~/.aws/credentials holds.

    Reads the two files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE), calls nobody. Raises
    ReadError where a file is no INI file.
    """
    credentials = [suite.auditor, *(feed.credentials for feed in suite.feeds)]
    named = [each.profile for each in credentials if isinstance(each, ProfileCredentials)]
    wanted = list(dict.fromkeys(named))
    if not wanted:
        return []
    import botocore.session

    try:
        known = set(botocore.session.Session().available_profiles)
    except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
        raise ReadError(classify(error, Asked("sts", "GetCallerIdentity", ""))) from None
    return [name for name in wanted if name not in known]
