from __future__ import annotations

import pytest

from ecr_feed.feed.registry import TEST_ENDPOINT
from ecr_feed.outcomes import NotApplicable, NotAssessed
from ecr_feed.reach import Purpose
from tests.field.helpers import FOUR, allow, fault, user
from tests.support.feeds import ACCOUNT, REGION, opened

FEED = user("feed", allow(FOUR))
SILENT = fault("feed", service="sts", operation="GetCallerIdentity", code="InternalFailure")
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def test_each_host_is_reached_once() -> None:
    with opened(FEED) as at:
        found = {each: at.view.reachability.of(each) for each in Purpose}
        assert {each.broken for each in found.values()} == {None}
        assert found[Purpose.REGISTRY].where.host == HOST
        assert at.view.reachability.of(Purpose.API) is found[Purpose.API]


def test_a_test_endpoint_sends_nothing_to_aws() -> None:
    with opened(FEED, at_aws=False) as at, pytest.raises(NotApplicable) as caught:
        at.view.reachability.of(Purpose.API)
    assert str(caught.value) == TEST_ENDPOINT


def test_an_unknown_region_has_no_hosts() -> None:
    with opened(FEED, region="eu-west-99") as at, pytest.raises(NotAssessed, match="REGION-1"):
        at.view.reachability.of(Purpose.API)


def test_the_registrys_host_depends_on_the_account() -> None:
    with opened(FEED, SILENT) as at:
        assert at.view.reachability.of(Purpose.API).broken is None
        with pytest.raises(NotAssessed, match="unknown without an account ID"):
            at.view.reachability.of(Purpose.REGISTRY)
    with opened(FEED, SILENT, account=ACCOUNT) as at:
        assert at.view.reachability.of(Purpose.REGISTRY).where.host == HOST
