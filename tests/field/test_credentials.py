"""Keys, sessions, clocks and networks that people took for one another (F01-F03, F07-F09, F14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.helpers import ALL, Told, allow, demo, fault, feed, once, repository, user

A, REGION = "012345678910", "eu-west-3"
RULES = {"IDENT-1", "IDENT-2", "REGION-2", "PERM-1", "PERM-4", "REPO-1", "TOKEN-1", "TOKEN-2"}
"""What rests on AWS taking the credentials."""
LATE = "Signature expired: 20261125T060000Z is now earlier than 20261125T075500Z "
EARLY = "Signature not yet current: 20261125T120000Z is still later than 20261125T101500Z "
KEYS: dict[str, dict[str, object]] = {
    "inactive": {"status": "inactive"},
    "deleted": {"status": "deleted"},
    "unknown": {"status": "unknown"},
    "wrong-secret": {"status": "wrong-secret"},
    "temporary": {"temporary": True},
    "ended": {"temporary": True, "status": "expired"},
}
FAULTS: dict[str, dict[str, str]] = {
    "late": {"code": "SignatureDoesNotMatch", "message": LATE + "(20261125T081000Z - 15 min.)"},
    "early": {
        "code": "InvalidSignatureException",
        "message": EARLY + "(20261125T100000Z + 15 min.)",
    },
    "skewed": {"code": "RequestTimeTooSkewed", "message": "The difference is too large."},
    "old-request": {"code": "RequestExpired", "message": "Request has expired."},
    "throttled": {"service": "ecr", "code": "ThrottlingException", "message": "Rate exceeded"},
    "slowed": {"code": "TooManyRequestsException", "message": "Too Many Requests"},
    "hangs": {"service": "ecr", "connection": "connect-timeout"},
    "no-name": {"connection": "dns"},
    "incomplete": {"code": "IncompleteSignature", "message": "The signature does not conform."},
    "ended-session": {"service": "ecr", "code": "ExpiredTokenException", "message": "is expired"},
    "refused-by-ecr": {"service": "ecr", "code": "UnrecognizedClientException", "message": "no"},
    "unsigned": {"code": "MissingAuthenticationTokenException", "message": "Missing Token"},
    "not-subscribed": {"code": "OptInRequired", "message": "You are not subscribed"},
    "faulty": {"code": "InternalFailure", "message": "oops"},
    "sts-off": {"service": "sts", "region": REGION, "code": "RegionDisabledException"},
    "bahrain": {"service": "ecr", "region": "me-south-1", "code": "UnrecognizedClientException"},
}
ELSEWHERE = {"off": "ap-east-1", "on": "eu-south-1", "china": "cn-north-1", "gov": "us-gov-east-1"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return once(tmp_path_factory, "credentials", judge)


def judge(tmp_path: Path) -> Told:
    return demo(
        tmp_path,
        f'account = "{A}"\nregion = "{REGION}"\nenabled_regions = ["eu-south-1", "me-south-1"]',
        repository("shop/cart"),
        *(user(name, allow(ALL), key=key) for name, key in KEYS.items()),
        *(user(name, allow(ALL)) for name in (*FAULTS, "healthy")),
        *(fault(name, **more) for name, more in FAULTS.items()),
        *(feed(name, REGION) for name in (*KEYS, *FAULTS, "healthy") if name != "bahrain"),
        feed("bahrain", "me-south-1"),
        *(feed(n, region, credentials={"key": "healthy"}) for n, region in ELSEWHERE.items()),
        feed("worker", REGION, credentials={"worker": True}),
        feed("root", REGION, credentials={"key": "root"}),
        families=("identity", "region", "repositories", "permissions", "token"),
    )


@pytest.mark.parametrize("name", ["inactive", "deleted", "unknown", "wrong-secret", "ended"])
def test_a_dead_key(told: Told, name: str) -> None:
    """F01: the key is named; nothing else is concluded, least of all a missing repository."""
    assert told.outcome(name, "IDENT-1") == "not met"
    assert "key" in told.of(name, "IDENT-1").fix
    assert told.not_met(name) <= {"IDENT-1", "IDENT-5"}
    assert RULES - {"IDENT-1", "IDENT-2"} <= told.checks(name, "not assessed")


def test_a_healthy_feed_beside_dead_ones(told: Told) -> None:
    assert told.not_met("healthy") == told.checks("healthy", "not assessed") == set()


@pytest.mark.parametrize("name", ["temporary", "ended"])
def test_a_feed_has_no_field_for_a_session_token(told: Told, name: str) -> None:
    """F02: a temporary key cannot live in a feed, even while it works."""
    said = told.of(name, "IDENT-5")
    assert said.outcome == "not met"
    assert "OIDC" in said.fix
    assert told.outcome("temporary", "IDENT-1") == "met"


@pytest.mark.parametrize("name", ["refused-by-ecr", "ended-session", "incomplete"])
def test_credentials_that_ecr_alone_refuses(told: Told, name: str) -> None:
    assert told.outcome(name, "IDENT-1") == "not met"
    assert told.outcome(name, "TOKEN-1") == told.outcome(name, "REPO-1") == "not assessed"
    assert "REGION-2" not in told.not_met(name)


@pytest.mark.parametrize(
    ("name", "offset"),
    [("late", "2 h 10 min slow"), ("early", "2 h fast"), ("skewed", ""), ("old-request", "")],
)
def test_a_clock_is_never_a_wrong_key(told: Told, name: str, offset: str) -> None:
    """F03: everything is open, the clock is named, the offset shown where AWS tells it."""
    assert told.not_met(name) == set()
    assert RULES - {"IDENT-2"} <= told.checks(name, "not assessed")
    said = told.of(name, "IDENT-1")
    assert "clock" in said.fix
    assert offset in said.fix


@pytest.mark.parametrize("name", ["throttled", "slowed"])
def test_throttled_out(told: Told, name: str) -> None:
    """F07: attempts are counted; no policy is to be changed."""
    assert told.not_met(name) == set()
    said = told.of(name, "PERM-1")
    assert (said.outcome, "10 attempts" in said.message) == ("not assessed", True)
    assert "No policy" in said.fix


@pytest.mark.parametrize("name", ["hangs", "no-name", "unsigned", "faulty", "not-subscribed"])
def test_no_word_from_aws_about_the_key(told: Told, name: str) -> None:
    """F08 and its like: what depends on the answer is open."""
    assert told.not_met(name) == set()
    assert told.outcome(name, "TOKEN-1") == told.outcome(name, "REPO-1") == "not assessed"
    if name in ("hangs", "no-name"):
        assert "eu-west-3.amazonaws.com" in told.of(name, "TOKEN-1").fix


def test_the_workers_credentials_are_not_expected_here(told: Told) -> None:
    """F09: elsewhere than on the worker nobody can tell."""
    assert told.not_met("worker") == set()
    assert told.outcome("worker", "IDENT-1") == "not assessed"


@pytest.mark.parametrize("name", ["off", "bahrain"])
def test_a_region_that_is_not_enabled(told: Told, name: str) -> None:
    """F14: STS refuses there as if the key were wrong, or ECR alone does."""
    assert told.not_met(name) == {"REGION-2"}
    assert "enable-region" in told.of(name, "REGION-2").fix
    assert told.outcome(name, "IDENT-1") == "met"
    assert told.outcome(name, "REPO-1") == "not assessed"


def test_an_enabled_region_and_one_without_sts(told: Told) -> None:
    assert told.outcome("on", "REGION-2") == told.outcome("sts-off", "REGION-2") == "met"
    assert told.outcome("sts-off", "IDENT-1") == told.outcome("sts-off", "PERM-4") == "met"


@pytest.mark.parametrize("name", ["china", "gov"])
def test_a_key_of_another_partition(told: Told, name: str) -> None:
    assert told.outcome(name, "IDENT-1") == "met"
    said = told.of(name, "REGION-2")
    assert said.outcome == "not met"
    assert "us-east-1" in said.text
    assert "enable-region" not in said.fix
    assert "partition" in said.message


def test_the_root_user(told: Told) -> None:
    assert told.not_met("root") == {"IDENT-3"}
