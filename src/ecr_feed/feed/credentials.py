"""IDENT-1: whether AWS accepts the feed's credentials, and if not, which part of them is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

from ecr_feed.config import Feed, OidcCredentials, WorkerCredentials
from ecr_feed.facts.aws import Access, Failure, ReadError, Trouble
from ecr_feed.naming import account_of
from ecr_feed.outcomes import Judgement

_EXCHANGE: Final = "AssumeRoleWithWebIdentity"
_LONGEST_SESSION: Final = 43200
"""Seconds: the longest MaxSessionDuration of a role."""


class _Cause(NamedTuple):
    """Why the credentials are refused, as a clause; `fix` None: a new access key is the fix."""

    says: str
    fix: str | None = None


def judge_credentials(
    feed: Feed, access: Access, *, on_worker: bool, longest_session: Callable[[], timedelta | None]
) -> Judgement:
    """AWS accepts the credentials; `longest_session` reads the role's MaxSessionDuration.

    Raises ReadError where AWS was not asked: its answer is not known.
    """
    failure = access.failure
    if failure is None or access.region_enabled is False:
        return _accepted(feed, access)
    if not failure.trouble.credentials or not _was_asked(feed, failure, on_worker):
        raise ReadError(failure)
    cause = _cause(feed, failure, longest_session)
    return Judgement.of(
        False,
        f"The feed's credentials do not work: {cause.says}.",
        expected=f"credentials that AWS accepts in {feed.region}",
        found=failure.summary,
        fix=cause.fix,
        evidence={"request_id": failure.request_id} if failure.request_id else {},
    )


def _accepted(feed: Feed, access: Access) -> Judgement:
    identity = access.identity
    return Judgement.of(
        identity is not None,
        "AWS gave no answer about the feed's credentials.",
        expected="credentials that AWS accepts",
        found=None
        if identity is None
        else f"accepted in {access.accepted_in or feed.region} as {identity.arn}",
    )


def _was_asked(feed: Feed, failure: Failure, on_worker: bool) -> bool:
    """AWS refused them, or no answer of AWS is needed to know that they cannot work.

    Credentials that could not be obtained on this machine were never sent: Octopus has its own.
    """
    if failure.code or failure.trouble is Trouble.MALFORMED_KEY:
        return True
    return isinstance(feed.credentials, WorkerCredentials) and on_worker


def _cause(feed: Feed, failure: Failure, longest_session: Callable[[], timedelta | None]) -> _Cause:
    credentials = feed.credentials
    if failure.trouble is Trouble.MALFORMED_KEY:
        return _Cause(
            failure.message, "Set these fields again, here and in the feed. No new key is needed."
        )
    if isinstance(credentials, OidcCredentials) and failure.operation == _EXCHANGE:
        return _refused_exchange(credentials, failure, longest_session)
    if isinstance(credentials, WorkerCredentials):
        return _Cause(
            f"AWS refuses this machine's ({failure.trouble.value})",
            "Give the worker's machine an IAM role; a container on it needs a metadata hop limit "
            "of 2 to reach the role's credentials.",
        )
    match failure.trouble:
        case Trouble.UNKNOWN_KEY:
            return _Cause("the access key is unknown, deleted or inactive")
        case Trouble.SIGNATURE:
            return _Cause(
                "the secret access key does not belong to the access key ID",
                "Set both key fields of the feed again, from one key.",
            )
        case Trouble.EXPIRED:
            return _Cause(
                "the session has ended",
                "Give the feed a long-term access key (AKIA...), or use an OIDC feed with a role.",
            )
    return _Cause(f"AWS refuses them ({failure.trouble.value})")


def _refused_exchange(
    credentials: OidcCredentials, failure: Failure, longest_session: Callable[[], timedelta | None]
) -> _Cause:
    """What STS said of the web identity: provider, audience, duration; else the trust is left."""
    said = failure.message.lower()
    if "openidconnect provider" in said:
        return _Cause(
            "the account has no OIDC provider for the token's issuer",
            f"Create an IAM OIDC provider in account {account_of(credentials.role_arn)} whose URL "
            "is the issuer exactly as STS quotes it.",
        )
    if "audience" in said:
        return _Cause(
            f"the account's OIDC provider does not accept the audience {credentials.audience!r}",
            f"Add {credentials.audience} to the provider's audiences, or set the feed's audience "
            "to one of them.",
        )
    if "durationseconds" in said or "maxsessionduration" in said:
        return _too_long(credentials, longest_session())
    if failure.trouble is Trouble.NO_CREDENTIALS and failure.code.startswith("AccessDenied"):
        subject = f", subject {credentials.subject!r}" if credentials.subject else ""
        return _Cause(
            "the role's trust policy does not admit the token, or the role does not exist",
            f"Compare the trust policy of {credentials.role_arn} with the feed: issuer, audience "
            f"{credentials.audience!r}{subject}.",
        )
    return _Cause(
        "STS refuses the web identity token",
        "Compare the OIDC provider and the role's trust policy with the feed: issuer, subject, "
        "audience, session_seconds.",
    )


def _too_long(credentials: OidcCredentials, longest: timedelta | None) -> _Cause:
    asked = credentials.session_seconds
    role = credentials.role_arn.rpartition("/")[2]
    allowed = "" if longest is None else f" of {int(longest.total_seconds())} s"
    lower = f"Set the feed's session duration to at most the role's maximum{allowed}"
    raising = (
        f", or raise it: aws iam update-role --role-name {role} --max-session-duration {asked}"
        if asked <= _LONGEST_SESSION
        else ""
    )
    return _Cause(
        f"the feed asks for a session of {asked} s, more than the role's maximum{allowed} "
        "(MaxSessionDuration)",
        f"{lower}{raising}.",
    )
