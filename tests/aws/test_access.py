"""How AWS received the credentials: a dead key, a region not enabled, a partition, a clock."""

from __future__ import annotations

import pytest

from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import Trouble
from tests.aws.fake import ACCOUNT, Asked, FakeAws, Reply, fault, identity, query_fault
from tests.aws.helpers import account, failure_of


def test_a_dead_key_costs_two_calls_and_is_named_by_all() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault(
        "InvalidClientTokenId", "The security token included in the request is invalid."
    )
    one = account(fake)
    access = one.access()
    assert access.identity is None
    assert access.failure is not None
    assert access.failure.trouble == Trouble.UNKNOWN_KEY
    assert access.region_enabled is None
    assert "unknown, deleted or inactive" in access.because
    for call in (one.identity, one.token, one.inventory):
        assert failure_of(call).trouble == Trouble.UNKNOWN_KEY
    assert failure_of(one.images, "team/app").trouble == Trouble.UNKNOWN_KEY
    assert [asked.region for asked in fake.seen] == ["eu-west-1", "us-east-1"]


def refused_in(region: str) -> FakeAws:
    fake = FakeAws({"team/app": 1})

    def script(asked: Asked) -> Reply:
        if asked.region == region:
            return query_fault("InvalidClientTokenId", "invalid")
        return identity()

    fake.replies["GetCallerIdentity"] = script
    return fake


def test_a_region_that_is_not_enabled_is_no_dead_key() -> None:
    fake = refused_in("me-south-1")
    one = account(fake, region="me-south-1")
    access = one.access()
    assert access.region_enabled is False
    assert access.identity is not None
    assert access.accepted_in == "us-east-1"
    assert one.identity().account == ACCOUNT
    assert failure_of(one.token).trouble == Trouble.UNKNOWN_KEY
    assert len(fake.seen) == 2


def test_sts_in_us_east_1_is_checked_against_another() -> None:
    fake = refused_in("us-east-1")
    assert account(fake, region="us-east-1").access().accepted_in == "us-west-2"


def test_sts_that_says_the_region_is_off() -> None:
    fake = FakeAws()
    fake.replies["GetCallerIdentity"] = lambda asked: (
        query_fault("RegionDisabledException", "STS is not activated")
        if asked.region == "me-south-1"
        else identity()
    )
    access = account(fake, region="me-south-1").access()
    assert (access.region_enabled, access.accepted_in) == (False, "us-east-1")


def test_sts_switched_off_in_a_region_that_is_on() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetCallerIdentity"] = lambda asked: (
        query_fault("RegionDisabledException", "STS is not activated")
        if asked.region == "eu-west-2"
        else identity()
    )
    one = account(fake, region="eu-west-2")
    access = one.access()
    assert (access.failure, access.region_enabled) == (None, True)  # ECR knows the caller
    assert one.identity().account == ACCOUNT


def test_an_account_that_is_not_subscribed() -> None:
    fake = FakeAws()
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault("OptInRequired", "not subscribed")
    access = account(fake).access()
    assert (access.identity, access.region_enabled) == (None, None)
    fake.replies["GetCallerIdentity"] = lambda asked: (
        query_fault("OptInRequired", "not subscribed") if asked.region[:2] == "me" else identity()
    )
    access = account(fake, region="me-south-1").access()
    assert (access.region_enabled, access.accepted_in) == (False, "us-east-1")


@pytest.mark.parametrize("region", ["cn-northwest-1", "us-gov-east-1", "eusc-de-east-1"])
def test_a_key_of_another_partition_is_no_dead_key(region: str) -> None:
    fake = FakeAws()
    fake.replies["GetCallerIdentity"] = lambda asked: (
        identity() if asked.region == "us-east-1" else query_fault("InvalidClientTokenId", "no")
    )
    access = account(fake, region=region).access()
    assert access.identity is not None
    assert (access.region_enabled, access.accepted_in) == (False, "us-east-1")
    assert "partition" in access.because


def ecr_refuses(code: str, message: str = "") -> FakeAws:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetAuthorizationToken"] = lambda asked: fault(code, message)
    return fake


def test_ecr_refuses_what_sts_accepts() -> None:
    fake = ecr_refuses("UnrecognizedClientException", "invalid")
    one = account(fake)
    access = one.access()
    assert access.identity is not None
    assert access.region_enabled is True
    assert access.failure is not None
    assert failure_of(one.inventory).trouble == Trouble.UNKNOWN_KEY
    assert fake.calls["DescribeRepositories"] == 0
    assert account(fake, region="me-south-1").access().region_enabled is False


def test_a_late_clock_concludes_nothing() -> None:
    fake = FakeAws()
    message = (
        "Signature expired: 20261101T100000Z is now earlier than 20261101T114500Z"
        " (20261101T120000Z - 15 min.)"
    )
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault("SignatureDoesNotMatch", message)
    one = account(fake)
    access = one.access()
    assert (access.identity, access.region_enabled) == (None, None)
    assert failure_of(one.token).trouble == Trouble.CLOCK
    assert len(fake.seen) == 1


def test_an_ended_session() -> None:
    one = account(ecr_refuses("ExpiredTokenException", "The security token has expired"))
    assert failure_of(one.inventory).trouble == Trouble.EXPIRED


def test_sts_out_of_reach_leaves_ecr_judged() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault("Throttling", "Rate exceeded")
    one = account(fake)
    assert failure_of(one.identity).trouble == Trouble.THROTTLED
    assert one.access().region_enabled is True
    assert len(one.images("team/app")) == 1


def test_the_identity_of_a_broken_answer_is_malformed() -> None:
    fake = FakeAws()
    fake.replies["GetCallerIdentity"] = lambda asked: Reply(200, b"<html><body/></html>")
    assert failure_of(account(fake).identity).trouble == Trouble.MALFORMED


def test_a_label_that_the_seed_does_not_have() -> None:
    fake = FakeAws()
    one = account(fake, credentials=KeyCredentials(key="nobody"))
    assert failure_of(one.identity).trouble == Trouble.NO_CREDENTIALS
    assert not fake.seen
