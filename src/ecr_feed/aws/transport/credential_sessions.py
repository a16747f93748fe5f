"""Make a session that can sign, from each kind of credentials in a feeds file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from ecr_feed.aws.transport.backend import Backend, SigningKey
from ecr_feed.aws.transport.failures import CallContext, is_refusal, to_failure
from ecr_feed.aws.transport.key_shape import KeyField, mistakes_in
from ecr_feed.aws.transport.profiles import profiles_of
from ecr_feed.aws.transport.response import ResponseReader, sanitize
from ecr_feed.config import (
    Credentials,
    EnvCredentials,
    KeyCredentials,
    OidcCredentials,
    ProfileCredentials,
    Suite,
    WorkerCredentials,
)
from ecr_feed.config.credentials import KEY_VARIABLES, label_of
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

    def new_session(
        self,
        region: str,
        endpoint_url: str | None = None,
        *,
        profile: str | None = None,
        worker: bool = False,
        unsigned: bool = False,
    ) -> FeedSession:
        """A session without credentials yet."""

    def client_from(self, boto: Any, service: str, region: str) -> Client:
        """The suite's client around a botocore client."""


# The name that Octopus uses: a trust policy may have a condition on sts:RoleSessionName.
OIDC_SESSION_NAME: Final = "OctopusAwsAuthentication"
_EMPTY_PROFILE: Final = "profile {profile} names no key, role, SSO session or process"
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


def session_for(
    sessions: SessionMaker, credentials: Credentials, region: str, endpoint_url: str | None
) -> FeedSession:
    """The session of the credentials; makes a call only for a web identity.

    Raises ReadError (NO_CREDENTIALS, for example) where they cannot be obtained.
    """
    from ecr_feed.aws.transport.botosession import set_key

    if isinstance(credentials, ProfileCredentials):
        _refuse_embedded(sessions, credentials.source, region)
        session = sessions.new_session(region, endpoint_url, profile=credentials.profile)
        _refuse_mistakes(region, _profile_mistakes(session))
        return _with_credentials(
            session, region, _EMPTY_PROFILE.format(profile=credentials.profile)
        )
    if isinstance(credentials, WorkerCredentials) and not sessions.backend.embedded:
        session = sessions.new_session(region, endpoint_url, worker=True)
        _refuse_mistakes(region, _machine_mistakes(session, sessions.environ))
        return _with_credentials(session, region, _no_machine_credentials(sessions.environ))
    key = (
        _web_identity(sessions, credentials, region, endpoint_url)
        if isinstance(credentials, OidcCredentials)
        else _signing_key(sessions, credentials, region)
    )
    session = sessions.new_session(region, endpoint_url)
    set_key(session, key)
    return session


def _with_credentials(session: FeedSession, region: str, otherwise: str) -> FeedSession:
    """The session, if botocore finds credentials for it; may call metadata services."""
    if session.get_credentials() is None:
        raise _no_credentials(region, otherwise)
    return session


def _no_machine_credentials(environ: Mapping[str, str]) -> str:
    """Where the machine's own credentials were looked for."""
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        metadata = "instance metadata is disabled by AWS_EC2_METADATA_DISABLED"
    else:
        metadata = "instance metadata does not answer (inside a container its hop limit must be 2)"
    return (
        "this machine has no credentials: none in AWS_* variables, in the profile files or at a"
        f" container's endpoint, and {metadata}"
    )


def _refuse_embedded(sessions: SessionMaker, what: str, region: str) -> None:
    if sessions.backend.embedded:
        raise _no_credentials(region, f"the embedded account has no place for {what}")


def _signing_key(
    sessions: SessionMaker,
    credentials: EnvCredentials | KeyCredentials | WorkerCredentials,
    region: str,
) -> SigningKey:
    if not isinstance(credentials, EnvCredentials):
        label = label_of(credentials)
        if label not in sessions.backend.keys:
            raise _no_credentials(region, f"the embedded account has no key labelled {label!r}")
        return sessions.backend.keys[label]
    fields = _variables(sessions.environ, credentials.variables)
    missing = [field.name for field in fields[:2] if not field.text.strip()]
    if missing:
        raise _no_credentials(region, f"not set in the environment: {', '.join(missing)}")
    _refuse_mistakes(region, mistakes_in(*fields))
    key_id, secret, token = (field.text for field in fields)
    return SigningKey(key_id, Secret(secret), Secret(token) if token else None)


def _variables(
    environ: Mapping[str, str], names: tuple[str, str, str]
) -> tuple[KeyField, KeyField, KeyField]:
    """The key in the environment variables of these names."""
    key_id, secret, token = (KeyField(name, environ.get(name, "")) for name in names)
    return key_id, secret, token


def _machine_mistakes(session: FeedSession, environ: Mapping[str, str]) -> str:
    """Those of the key that botocore takes first: of the variables, else of the profile."""
    variables = _variables(environ, KEY_VARIABLES)
    return mistakes_in(*variables) if variables[0].text else _profile_mistakes(session)


def _profile_mistakes(session: FeedSession) -> str:
    return "; ".join(each.mistakes for each in profiles_of(session) if each.mistakes)


def _refuse_mistakes(region: str, mistakes: str) -> None:
    """Raises the ReadError of a key that cannot be right; no call is made with it."""
    if mistakes:
        failure = _no_credentials(region, f"{mistakes} (seen before any call)").failure
        raise ReadError(replace(failure, trouble=Trouble.MALFORMED_KEY))


def _web_identity(
    sessions: SessionMaker, credentials: OidcCredentials, region: str, endpoint_url: str | None
) -> SigningKey:
    """AssumeRoleWithWebIdentity, unsigned, in the feed's region: what Octopus does."""
    token = _web_identity_token(credentials, region)
    anonymous = sessions.new_session(region, endpoint_url, unsigned=True)
    boto = anonymous.create_client("sts", region_name=region, endpoint_url=endpoint_url)
    client = sessions.client_from(boto, "sts", region)
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
        raise ReadError(_credentials_failure(error.failure)) from None
    given = answer.get("Credentials")
    fields = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    read = ResponseReader(client, operation)
    values = [read.require(given, name, str) for name in fields]
    return SigningKey(values[0], Secret(values[1]), Secret(values[2]))


def _credentials_failure(failure: Failure) -> Failure:
    """A refused AssumeRoleWithWebIdentity means no credentials, and not that a call was denied.

    An expired token file says nothing about the feed, which gets a new token for each use.
    """
    if failure.trouble is Trouble.EXPIRED:
        return replace(failure, trouble=Trouble.OTHER)
    return replace(failure, trouble=Trouble.NO_CREDENTIALS) if is_refusal(failure) else failure


def _web_identity_token(credentials: OidcCredentials, region: str) -> Secret:
    if credentials.token_file is None:
        raise _no_credentials(
            region,
            "no token_file: only the Octopus Server can sign a web identity token for this feed",
        )
    try:
        text = read_file(credentials.token_file, TOKEN).text().strip()
    except FileError as error:
        raise _unusable_token(region, f"token file {error}") from None
    if _JWT.fullmatch(text) is None:
        raise _unusable_token(
            region, f"token file {credentials.token_file} has no web identity token"
        )
    return Secret(text)


def _unusable_token(region: str, message: str) -> ReadError:
    """The token file cannot be used; the feed itself may work."""
    failure = _no_credentials(region, message).failure
    return ReadError(replace(failure, trouble=Trouble.OTHER, code="TokenFile"))


def _no_credentials(region: str, message: str) -> ReadError:
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
    """The profiles that the suite names and that no AWS configuration file defines.

    Reads ~/.aws/config and ~/.aws/credentials, or the files that AWS_CONFIG_FILE and
    AWS_SHARED_CREDENTIALS_FILE name; makes no call. Raises ReadError where one cannot be parsed.
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
        raise ReadError(to_failure(error, CallContext("sts", "GetCallerIdentity", ""))) from None
    return [name for name in wanted if name not in known]
