"""The feed's credentials are valid, belong to the expected account and are fit for a feed."""

from __future__ import annotations

from datetime import datetime

from ecr_feed.aws.account import Account
from ecr_feed.check import CRITICAL, HIGH, MEDIUM, check
from ecr_feed.config import (
    EnvCredentials,
    Feed,
    KeyCredentials,
    OidcCredentials,
    ProfileCredentials,
    WorkerCredentials,
)
from ecr_feed.facts.aws import Access, Failure, Identity, ReadError, Trouble
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.outcomes import expect, expect_judgement, not_applicable, not_assessed, note
from ecr_feed.planned.arns import judge_account
from ecr_feed.read_advice import fix_for
from ecr_feed.text.times import to_second
from ecr_feed.token import SHORTEST_RUN

_STS = "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"


@check(
    id="IDENT-1",
    severity=CRITICAL,
    title="The feed's credentials are valid now",
    why="One feed with invalid credentials can break deployments that do not use it.",
    fix="Create a new access key for the feed's user and set both key fields of the feed.",
    reads=("sts:GetCallerIdentity",),
    refs=(_STS, "https://github.com/OctopusDeploy/Issues/issues/9044"),
    in_plan="A plan has no credentials yet.",
)
def test_credentials_are_valid(feed: Feed, access: Access, on_worker: bool) -> None:
    failure = access.failure
    if access.identity is not None:
        note(identity=access.identity.arn, source=access.identity.source)
    if failure is not None and not failure.trouble.credentials:
        raise ReadError(failure)
    if failure is not None and failure.trouble is Trouble.NO_CREDENTIALS:
        _not_ours_to_have(feed, failure, on_worker)
    refused_here = failure is not None and access.region_enabled is not False
    expect(
        access.identity is not None and not refused_here,
        f"AWS refuses the feed's credentials: {failure.trouble.value if failure else 'no answer'}.",
        expected=f"credentials that AWS accepts in {feed.region}",
        found=failure.summary if failure else None,
        evidence={"request_id": failure.request_id} if failure else None,
        fix=_renewal(feed, failure) if failure else None,
    )


def _renewal(feed: Feed, failure: Failure) -> str | None:
    """The fix where a new access key does not help; None where it does."""
    if isinstance(feed.credentials, OidcCredentials):
        return fix_for(failure)
    if isinstance(feed.credentials, WorkerCredentials):
        return (
            "Give the worker's machine an IAM role; a container on it needs a metadata hop limit "
            "of 2 to reach the role's credentials."
        )
    if failure.trouble is Trouble.EXPIRED:
        return "Give the feed a long-term access key (AKIA...), or use an OIDC feed with a role."
    return None


def _not_ours_to_have(feed: Feed, failure: Failure, on_worker: bool) -> None:
    """Credentials that only Octopus or its worker holds may be absent from this machine."""
    if isinstance(feed.credentials, OidcCredentials) and feed.credentials.token_file is None:
        raise ReadError(failure)
    if isinstance(feed.credentials, WorkerCredentials) and not on_worker:
        not_assessed(f"{failure.summary}. Run this on the worker to check its credentials.")


@check(
    id="IDENT-2",
    severity=CRITICAL,
    title="The credentials belong to the expected account",
    why="Octopus pulls from the caller's own registry and never finds another account's images.",
    fix="Give the feed credentials of account {feed.account}, or correct the expected account.",
    reads=("sts:GetCallerIdentity",),
    refs=(_STS,),
)
def test_expected_account(feed: Feed, plan: PlanFacts | None, account: Account) -> None:
    if plan is not None:
        expect_judgement(judge_account(plan, feed.account))
        return
    identity = account.identity()
    if feed.account is None:
        not_applicable("No expected account is set (`account` in the feeds file, or --account).")
    expect(
        identity.account == feed.account,
        f"The credentials belong to account {identity.account}, not {feed.account}.",
        expected=feed.account,
        found=identity.account,
        evidence={"identity": identity.arn},
    )


@check(
    id="IDENT-3",
    severity=HIGH,
    title="The credentials are not the root user's",
    why="No IAM policy limits the root user: anyone who obtains its key controls the account.",
    fix="Create an IAM user with the four actions that a feed needs; delete the root user's key.",
    reads=("sts:GetCallerIdentity",),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html",),
    in_plan="A plan has no credentials yet.",
)
def test_not_the_root_user(feed: Feed, identity: Identity) -> None:
    expect(
        not identity.is_root,
        f"The feed uses the root user of account {identity.account}.",
        expected="an IAM user or role",
        found=identity.arn,
    )


@check(
    id="IDENT-4",
    severity=MEDIUM,
    title="Temporary credentials do not expire during the run",
    why="When credentials expire during the run, AWS refuses every later call.",
    fix="Refresh the credentials (for SSO: `aws sso login`) and run again.",
    reads=("sts:GetCallerIdentity",),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html",),
    in_plan="A plan has no credentials yet.",
)
def test_temporary_credentials_outlive_the_run(
    feed: Feed, identity: Identity, now: datetime
) -> None:
    if not identity.is_temporary:
        not_applicable("The credentials are long-term.")
    if identity.expires_at is None:
        not_assessed("The expiry time of these temporary credentials is unknown.")
    left = identity.expires_at - now
    expect(
        left >= SHORTEST_RUN,
        f"The credentials expire in {int(left.total_seconds() // 60)} minutes.",
        expected=f"at least {int(SHORTEST_RUN.total_seconds() // 60)} minutes left",
        found=to_second(identity.expires_at),
    )


@check(
    id="IDENT-5",
    severity=HIGH,
    title="A feed with an access key uses a long-term key",
    why="A feed has fields for the access key and the secret key, but none for the session token "
    "that a temporary key needs, and a temporary key expires within hours.",
    fix="Give the feed a long-term access key (AKIA...), or use an OIDC feed with a role.",
    reads=("sts:GetCallerIdentity",),
    refs=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        "https://octopus.com/docs/packaging-applications/package-repositories",
    ),
    applies=lambda feed: (
        None
        if isinstance(feed.credentials, ProfileCredentials | EnvCredentials | KeyCredentials)
        else "The feed has no access key of its own."
    ),
    in_plan="A plan has no access key yet.",
)
def test_access_key_is_long_term(feed: Feed, access_key_id: str) -> None:
    expect(
        not access_key_id.startswith("ASIA"),
        "The feed's access key is temporary.",
        expected="an access key ID that begins with AKIA",
        found=f"{access_key_id[:4]}…{access_key_id[-4:]}",
    )
