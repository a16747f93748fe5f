from __future__ import annotations

import pytest

from ecr_feed.aws.known_regions import known_regions
from ecr_feed.naming import regions_of_place

DESCRIPTIONS = dict(known_regions().descriptions)


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("Ireland", "eu-west-1"),
        ("IRELAND", "eu-west-1"),
        ("EU (Ireland)", "eu-west-1"),
        ("Europe (Ireland)", "eu-west-1"),
        ("AWS Ireland region", "eu-west-1"),
        ("frankfurt", "eu-central-1"),
        ("Frankfurt, Germany", "eu-central-1"),
        ("N. Virginia", "us-east-1"),
        ("Northern Virginia", "us-east-1"),
        ("US East (N. Virginia)", "us-east-1"),
        ("us east (n. virginia)", "us-east-1"),
        ("Ohio", "us-east-2"),
        ("California", "us-west-1"),
        ("São Paulo", "sa-east-1"),
        ("Zürich", "eu-central-2"),
        ("Tel Aviv", "il-central-1"),
        ("New Zealand", "ap-southeast-6"),
        ("Canada", "ca-central-1"),
        ("Canada (Central)", "ca-central-1"),
        ("canada west", "ca-west-1"),
        ("Beijing", "cn-north-1"),
        ("AWS GovCloud (US-East)", "us-gov-east-1"),
    ],
)
def test_a_place_has_its_region(written: str, region: str) -> None:
    assert regions_of_place(written, DESCRIPTIONS)[0] == region


@pytest.mark.parametrize(
    "written", ["", "eu-west-1", "Central", "East", "Europe", "Narnia", "(", "1"]
)
def test_what_names_no_place(written: str) -> None:
    assert regions_of_place(written, DESCRIPTIONS) == ()


def test_each_region_is_found_by_its_own_name() -> None:
    for region, description in DESCRIPTIONS.items():
        assert region in regions_of_place(description, DESCRIPTIONS), description
