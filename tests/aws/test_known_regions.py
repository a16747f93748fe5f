from __future__ import annotations

import os
import subprocess
import sys

import botocore
import pytest

from ecr_feed.aws.known_regions import (
    ENABLED_BY_DEFAULT,
    is_aws_host,
    is_enabled_by_default,
    known_regions,
    other_default_region,
)


def test_every_partition_is_known_and_no_pseudo_region() -> None:
    known = known_regions()
    assert {"eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"} <= known.names
    assert {"eusc-de-east-1", "me-west-1"} <= known.names
    assert not [name for name in known.names if "global" in name]
    assert known.botocore == botocore.__version__
    assert known.with_ecr <= known.names


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-9", "aws"),
        ("eu-wset-1", "aws"),
        ("cn-south-1", "aws-cn"),
        ("us-gov-west-9", "aws-us-gov"),
        ("eusc-de-east-2", "aws-eusc"),
        ("eusc-fr-east-1", ""),  # botocore's pattern names Germany alone
        ("us-east-1a", ""),
        ("us-east-1-bos-1a", ""),
        ("us-east-1-wl1", ""),
        ("useast-1", ""),
        ("EU-WEST-1", ""),
        ("eu-WEST-1", ""),
        ("eu-we_st-1", ""),
        ("eu-west-٣", ""),
        ("eu-west-1 ", ""),
        ("eu-west-1\n", ""),
        ("aws-global", ""),
        ("xx-west-1", ""),
        ("Ireland", ""),
        ("", ""),
    ],
)
def test_whose_form_a_name_has(region: str, partition: str) -> None:
    assert known_regions().fitting_partition(region) == partition


def test_a_name_that_fits_a_partition_is_near_its_regions_only() -> None:
    assert known_regions().near("us-gov-north-1") == ("us-gov-east-1", "us-gov-west-1")
    assert known_regions().near("usgovwest1") == ("us-gov-west-1",)


def test_listed_regions_fit_their_partition() -> None:
    known = known_regions()
    for region, partition in known.partitions:
        assert known.fitting_partition(region) == partition


def test_siblings_stay_in_the_partition() -> None:
    known = known_regions()
    assert known.others_with_ecr("cn-north-1") == ("cn-northwest-1",)
    assert "eu-west-1" not in known.others_with_ecr("eu-west-1")
    assert len(known.others_with_ecr("eu-west-1")) >= 33


def test_default_regions_exist() -> None:
    assert known_regions().names >= ENABLED_BY_DEFAULT
    assert is_enabled_by_default("cn-north-1")
    assert not is_enabled_by_default("me-south-1")
    assert not is_enabled_by_default("no-where-1")


@pytest.mark.parametrize("region", sorted(known_regions().names))
def test_where_to_ask_is_on_by_default_and_in_the_partition(region: str) -> None:
    other = other_default_region(region)
    if other:
        assert other != region
        assert known_regions().partition(other) == known_regions().partition(region)
        assert is_enabled_by_default(other)


def test_importing_the_readers_imports_no_boto() -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    code = "import sys, ecr_feed.aws.account; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environ).returncode == 0


@pytest.mark.parametrize(
    ("host", "aws"),
    [
        ("api.ecr.eu-west-1.amazonaws.com", True),
        ("ecr.eu-west-1.api.aws", True),
        ("vpce-1.api.ecr.eu-west-1.vpce.amazonaws.com:443", True),
        ("api.ecr.cn-north-1.amazonaws.com.cn", True),
        ("127.0.0.1:5000", False),
        ("localhost", False),
        ("amazonaws.com.example.org", False),
        ("notamazonaws.com", False),
    ],
)
def test_whose_host(host: str, aws: bool) -> None:
    assert is_aws_host(host) is aws
