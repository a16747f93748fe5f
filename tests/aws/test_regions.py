from __future__ import annotations

import os
import subprocess
import sys

import botocore
import pytest

from ecr_feed.aws.readers.regions import (
    DEFAULT_ON,
    ask_in,
    is_aws_host,
    is_default_on,
    known_regions,
)


def test_every_partition_is_known_and_no_pseudo_region() -> None:
    known = known_regions()
    assert {"eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"} <= known.names
    assert {"eusc-de-east-1", "me-west-1"} <= known.names
    assert not [name for name in known.names if "global" in name]
    assert known.botocore == botocore.__version__
    assert known.with_ecr <= known.names


def test_siblings_stay_in_the_partition() -> None:
    known = known_regions()
    assert known.siblings("cn-north-1") == ("cn-northwest-1",)
    assert "eu-west-1" not in known.siblings("eu-west-1")
    assert len(known.siblings("eu-west-1")) >= 33


def test_default_regions_exist() -> None:
    assert known_regions().names >= DEFAULT_ON
    assert is_default_on("cn-north-1")
    assert not is_default_on("me-south-1")
    assert not is_default_on("no-where-1")


@pytest.mark.parametrize("region", sorted(known_regions().names))
def test_where_to_ask_is_on_by_default_and_in_the_partition(region: str) -> None:
    other = ask_in(region)
    if other:
        assert other != region
        assert known_regions().partition(other) == known_regions().partition(region)
        assert is_default_on(other)


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
