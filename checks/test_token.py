"""The authorization token can be fetched, is valid long enough and names the right registry."""

from __future__ import annotations

from datetime import datetime

from ecr_feed import token as tokens
from ecr_feed.aws.account import Account
from ecr_feed.check import CRITICAL, HIGH, check
from ecr_feed.config import Feed
from ecr_feed.facts.aws import AuthorizationToken
from ecr_feed.outcomes import expect_judgement, not_assessed
from ecr_feed.reach import ClockOffset, judge_clock

_API = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"
_AUTH = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"


@check(
    id="TOKEN-1",
    severity=CRITICAL,
    title="An authorization token can be fetched and decoded",
    why="`docker login` needs the user name AWS and the password inside the token.",
    fix="Run `aws ecr get-login-password --region {feed.region}` to compare; the usual cause is a "
    "proxy or an endpoint that changes responses.",
    reads=("ecr:GetAuthorizationToken",),
    refs=(_API, _AUTH),
    in_plan="A plan has no token.",
)
def test_token_can_be_fetched(feed: Feed, token: AuthorizationToken) -> None:
    expect_judgement(tokens.judge_content(token))


@check(
    id="TOKEN-2",
    severity=CRITICAL,
    title="The authorization token is valid for 12 hours",
    why="ECR tokens are valid for 12 hours; a longer deployment fails when the token expires.",
    fix="Fetch a new token; if a proxy or cache sits in front of ECR, bypass it.",
    reads=("ecr:GetAuthorizationToken",),
    refs=(_AUTH,),
    in_plan="A plan has no token.",
)
def test_token_lives_twelve_hours(feed: Feed, token: AuthorizationToken) -> None:
    expect_judgement(tokens.judge_lifetime(token))


@check(
    id="TOKEN-3",
    severity=CRITICAL,
    title="The token is for the expected registry",
    why="Octopus pulls from the registry that the token names: the caller's account in the region.",
    fix="Give the feed credentials of the account that holds the repositories, and its region.",
    reads=("ecr:GetAuthorizationToken", "sts:GetCallerIdentity"),
    refs=(_API,),
    in_plan="A plan has no token.",
)
def test_token_is_for_the_expected_registry(
    feed: Feed, token: AuthorizationToken, account: Account
) -> None:
    expected = feed.account or account.identity().account
    stated = feed.account is not None
    expect_judgement(tokens.judge_registry(token, expected, feed.region, stated=stated))


@check(
    id="TOKEN-4",
    severity=HIGH,
    title="The token stays valid for at least min_token_hours",
    why="A deployment that starts with an old token fails at its first pull after it expires.",
    fix="Fetch a new token before the deployment, or lower min_token_hours.",
    reads=("ecr:GetAuthorizationToken",),
    refs=(_AUTH,),
    applies=lambda feed: (
        None if feed.min_token_hours is not None else "The feeds file sets no min_token_hours."
    ),
    in_plan="A plan has no token.",
)
def test_enough_token_life_remains(feed: Feed, token: AuthorizationToken, now: datetime) -> None:
    if feed.min_token_hours is None:
        not_assessed("The feeds file sets no min_token_hours.")
    expect_judgement(tokens.judge_time_left(token, feed.min_token_hours, now))


@check(
    id="TOKEN-5",
    severity=HIGH,
    title="A token is valid for as long as the longest deployment",
    why="ECR tokens are valid for 12 hours; a longer deployment fails when the token expires.",
    fix="Split the deployment, or let its later steps log in again.",
    reads=("ecr:GetAuthorizationToken",),
    refs=(_AUTH,),
    applies=lambda feed: (
        None
        if feed.longest_deployment_hours is not None
        else "The feeds file sets no longest_deployment_hours."
    ),
    in_plan="A plan has no token.",
)
def test_token_outlives_the_longest_deployment(feed: Feed, token: AuthorizationToken) -> None:
    if feed.longest_deployment_hours is None:
        not_assessed("The feeds file sets no longest_deployment_hours.")
    expect_judgement(tokens.judge_longest_deployment(token, feed.longest_deployment_hours))


@check(
    id="TOKEN-6",
    severity=HIGH,
    title="This machine's clock agrees with AWS's",
    why="AWS rejects requests signed with a wrong clock; the error looks like a wrong secret key.",
    fix="Set this machine's clock and keep it synchronised.",
    reads=("sts:GetCallerIdentity",),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html",),
    in_plan="A plan makes no call to compare the clock by.",
)
def test_clock_agrees(feed: Feed, clock_offset: ClockOffset | None) -> None:
    expect_judgement(judge_clock(clock_offset))
