import botocore.session
import pytest

from ecr_feed.reach import Purpose, hosts_for

A = "123456789012"


def test_what_a_worker_needs() -> None:
    found = {where.purpose: where for where in hosts_for("eu-west-1", A, iam=True)}
    assert {purpose: (where.host, where.endpoint) for purpose, where in found.items()} == {
        Purpose.API: ("api.ecr.eu-west-1.amazonaws.com", "com.amazonaws.eu-west-1.ecr.api"),
        Purpose.REGISTRY: (
            f"{A}.dkr.ecr.eu-west-1.amazonaws.com",
            "com.amazonaws.eu-west-1.ecr.dkr",
        ),
        Purpose.LAYERS: (
            "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com",
            "com.amazonaws.eu-west-1.s3",
        ),
        Purpose.STS: ("sts.eu-west-1.amazonaws.com", "com.amazonaws.eu-west-1.sts"),
        Purpose.IAM: ("iam.amazonaws.com", ""),
    }
    assert [where.gateway for where in found.values()] == [False, False, True, False, False]
    assert {where.port for where in found.values()} == {443}


def test_who_asks_for_less_gets_less() -> None:
    found = [where.purpose for where in hosts_for("eu-west-1", None, sts=False)]
    assert found == [Purpose.API, Purpose.LAYERS]


def test_the_registry_as_the_token_names_it() -> None:
    found = hosts_for("eu-west-1", None, registry=f"https://{A}.dkr-ecr.eu-west-1.on.aws")
    assert f"{A}.dkr-ecr.eu-west-1.on.aws" in [where.host for where in found]


def test_a_registry_of_ones_own() -> None:
    found = hosts_for("eu-west-1", A, registry="https://[::1]:5000")[1]
    assert (found.host, found.port, found.endpoint) == ("::1", 5000, "")


@pytest.mark.parametrize(
    ("region", "suffix", "iam"),
    [
        ("cn-northwest-1", "amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn"),
        ("us-gov-east-1", "amazonaws.com", "iam.us-gov.amazonaws.com"),
        ("us-iso-east-1", "c2s.ic.gov", "iam.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov", "iam.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk", "iam.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "csp.hci.ic.gov", "iam.us-isof-south-1.csp.hci.ic.gov"),
        ("eusc-de-east-1", "amazonaws.eu", "iam.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_other_partitions(region: str, suffix: str, iam: str) -> None:
    found = hosts_for(region, A, iam=True)
    assert all(where.host.endswith(f".{suffix}") for where in found)
    assert found[-1].host == iam
    assert all(region in where.endpoint for where in found[:-1])


def test_the_hosts_are_those_that_botocore_calls() -> None:
    session = botocore.session.Session()
    names = {Purpose.API: "ecr", Purpose.STS: "sts", Purpose.IAM: "iam"}
    for region in ("eu-west-1", "cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"):
        for where in hosts_for(region, A, iam=True):
            if where.purpose not in names:
                continue
            client = session.create_client(
                names[where.purpose],
                region_name=region,
                aws_access_key_id="x",
                aws_secret_access_key="x",
            )
            assert client.meta.endpoint_url == f"https://{where.host}"
