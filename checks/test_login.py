"""The registry accepts the feed's token, tested with the requests of `docker login`."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, check
from ecr_feed.config import Feed
from ecr_feed.feed.registry import FeedRegistry
from ecr_feed.oci import pull_rules
from ecr_feed.outcomes import expect_judgement

_AUTH = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"
_SPEC = "https://github.com/opencontainers/distribution-spec/blob/main/spec.md"


@check(
    id="LOGIN-1",
    severity=CRITICAL,
    title="The registry accepts the feed's token",
    why="Before every pull the worker runs `docker login` with the token's user and password.",
    fix="aws ecr get-login-password --region {feed.region!q}",
    reads=("ecr:GetAuthorizationToken",),
    refs=(_AUTH, _SPEC),
    in_plan="A plan has no token to log in with.",
)
def test_login_is_accepted(feed: Feed, registry: FeedRegistry) -> None:
    expect_judgement(pull_rules.login_accepted(registry.login(), feed.region))


@check(
    id="LOGIN-2",
    severity=HIGH,
    title="The registry refuses a wrong password",
    why="If any password is accepted, an accepted token proves nothing: ECR requires a valid one.",
    fix="Find the proxy or cache that answers for the registry's host without checking the login.",
    reads=("ecr:GetAuthorizationToken",),
    refs=(_AUTH, _SPEC),
    in_plan="A plan has no token to log in with.",
)
def test_wrong_password_is_refused(feed: Feed, registry: FeedRegistry) -> None:
    expect_judgement(pull_rules.wrong_password_refused(registry.login()))
