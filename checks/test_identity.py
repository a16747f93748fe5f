"""The feed's credentials are valid, belong to the expected account and are fit for a feed."""

from __future__ import annotations

from datetime import datetime

from ecr_feed.aws.account import Account
from ecr_feed.aws.readers.access_keys import mask
from ecr_feed.check import CRITICAL, HIGH, MEDIUM, check
from ecr_feed.config import (
    EnvCredentials,
    Feed,
    KeyCredentials,
    ProfileCredentials,
)
from ecr_feed.facts.aws import Access, Identity
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.feed.credentials import judge_credentials
from ecr_feed.outcomes import expect, expect_judgement, not_applicable, not_assessed, note
from ecr_feed.permissions.answers import Rights
from ecr_feed.planned.arns import judge_account
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
def test_credentials_are_valid(feed: Feed, access: Access, rights: Rights, on_worker: bool) -> None:
    if access.identity is not None:
        note(identity=access.identity.arn, source=access.identity.source)
    expect_judgement(
        judge_credentials(feed, access, on_worker=on_worker, longest_session=rights.longest_session)
    )


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
    minutes = int(left.total_seconds() // 60)
    expect(
        left >= SHORTEST_RUN,
        f"The credentials expire in {minutes} minutes.",
        expected=f"at least {int(SHORTEST_RUN.total_seconds() // 60)} minutes left",
        found=f"{minutes} minutes left, until {to_second(identity.expires_at)}",
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
    if not access_key_id:
        not_assessed("The ID of the feed's access key is unknown.")
    temporary = access_key_id.startswith("ASIA")
    expect(
        not temporary,
        "The feed's access key is temporary.",
        expected="a long-term access key",
        found=f"{'temporary' if temporary else 'long-term'}: {mask(access_key_id)}",
    )
