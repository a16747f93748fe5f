from __future__ import annotations

import re
from datetime import timedelta

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from ecr_feed.embedded.protocol.botocore_data import new_session
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from tests.embedded.world import ACCOUNT, REGION, World, refused, world

FILE = """
[[user]]
name = "feed"
path = "/ci/"
attached = ["AmazonEC2ContainerRegistryReadOnly"]
keys = [
  { label = "good" }, { label = "off", status = "inactive" },
]
[[user]]
name = "second"
keys = [
  { label = "gone", status = "deleted" }, { label = "typo", status = "wrong-secret" },
  { label = "invented", status = "unknown" },
]
[[user]]
name = "third"
attached = ["AmazonEC2ContainerRegistryReadOnly"]
keys = [
  { label = "short", temporary = true },
  { label = "over", temporary = true, status = "expired" },
]
[[role]]
name = "worker"
path = "/ci/"
keys = [{ label = "session" }]
"""


@pytest.fixture(scope="module")
def made() -> World:
    return world(FILE)


@pytest.mark.parametrize(
    ("label", "ecr", "sts"),
    [
        ("off", "UnrecognizedClientException", "InvalidClientTokenId"),
        ("gone", "UnrecognizedClientException", "InvalidClientTokenId"),
        ("invented", "UnrecognizedClientException", "InvalidClientTokenId"),
        ("typo", "InvalidSignatureException", "SignatureDoesNotMatch"),
        ("over", "ExpiredTokenException", "ExpiredToken"),
    ],
)
def test_bad_keys_are_refused_in_the_words_of_the_protocol(
    made: World, label: str, ecr: str, sts: str
) -> None:
    assert refused(made.client("ecr", label).get_authorization_token)[::2] == (ecr, 400)
    assert refused(made.client("sts", label).get_caller_identity)[::2] == (sts, 403)
    assert refused(made.client("iam", label).list_users)[::2] == (sts, 403)


@pytest.mark.parametrize(
    ("label", "arn", "user_id"),
    [
        ("", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        ("good", f"arn:aws:iam::{ACCOUNT}:user/ci/feed", "AIDA"),
        ("short", f"arn:aws:iam::{ACCOUNT}:user/third", "AIDA"),
        ("session", f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/i-0123456789abcdef0", "AROA"),
    ],
)
def test_each_kind_of_caller_knows_itself(made: World, label: str, arn: str, user_id: str) -> None:
    said = made.client("sts", label).get_caller_identity()
    assert (said["Arn"], said["Account"]) == (arn, ACCOUNT)
    assert said["UserId"].startswith(user_id)


def test_a_session_token_must_be_the_keys_own(made: World) -> None:
    key = made.seeded.keys["short"]
    client = made.owner.as_key("sts", REGION, (key.access_key_id, key.secret.reveal(), "other"))
    assert refused(client.get_caller_identity)[0] == "InvalidClientTokenId"


def test_an_unsigned_request_is_refused(made: World) -> None:
    for service, code in (
        ("ecr", "MissingAuthenticationTokenException"),
        ("sts", "MissingAuthenticationToken"),
    ):
        session = new_session()
        session.get_component("event_emitter").register_first(
            "before-send", boto3_answer(made.core)
        )
        config = Config(signature_version=UNSIGNED)
        client = session.create_client(service, region_name=REGION, config=config)
        call = client.describe_repositories if service == "ecr" else client.get_caller_identity
        assert refused(call)[0] == code


@pytest.mark.parametrize(
    ("minutes", "code", "words"),
    [
        (120, "InvalidSignatureException", "not yet current"),
        (-120, "InvalidSignatureException", "expired"),
        (14, None, ""),
        (-14, None, ""),
        (16, "InvalidSignatureException", "not yet current"),
        (-16, "InvalidSignatureException", "expired"),
    ],
)
def test_a_clock_off_by_more_than_15_minutes_is_a_signature_fault(
    minutes: int, code: str | None, words: str
) -> None:
    made = world(
        f"""
        [network]
        clock_off_minutes = {minutes}
        [[user]]
        name = "feed"
        attached = ["AmazonEC2ContainerRegistryReadOnly"]
        keys = [{{ label = "good" }}]
        """
    )
    client = made.client("ecr", "good")
    if code is None:
        assert client.get_authorization_token()["authorizationData"]
        return
    said = refused(client.get_authorization_token)
    assert said[0] == code
    assert words in said[1]


def test_a_deleted_user_takes_the_keys_along(made: World) -> None:
    iam = made.client("iam")
    iam.create_user(UserName="leaver")
    key = iam.create_access_key(UserName="leaver")["AccessKey"]
    assert refused(iam.delete_user, UserName="leaver")[0] == "DeleteConflict"
    iam.delete_access_key(UserName="leaver", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="leaver")
    client = made.owner.as_key("sts", REGION, (key["AccessKeyId"], key["SecretAccessKey"], None))
    assert refused(client.get_caller_identity)[0] == "InvalidClientTokenId"


def test_keys_are_two_a_user_and_carry_their_account(made: World) -> None:
    iam = made.client("iam")
    iam.create_user(UserName="keyed")
    ids = [iam.create_access_key(UserName="keyed")["AccessKey"]["AccessKeyId"] for _ in range(2)]
    assert all(re.fullmatch(r"AKIA[A-Z2-7]{16}", each) for each in ids)
    assert refused(iam.create_access_key, UserName="keyed")[0] == "LimitExceeded"
    never = iam.get_access_key_last_used(AccessKeyId=ids[0])["AccessKeyLastUsed"]
    assert never == {"ServiceName": "N/A", "Region": "N/A"}


def test_ages_are_as_written_and_use_is_noted() -> None:
    made = world(
        """
        [[user]]
        name = "feed"
        keys = [{ label = "old", age_days = 400, used_days = 100 }]
        """
    )
    now = made.core.now()
    iam = made.client("iam")
    key = iam.list_access_keys(UserName="feed")["AccessKeyMetadata"][0]
    assert abs(now - key["CreateDate"] - timedelta(days=400)) < timedelta(minutes=5)
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert abs(now - used["LastUsedDate"] - timedelta(days=100)) < timedelta(minutes=5)
    assert (used["ServiceName"], used["Region"]) == ("sts", "eu-west-1")


@pytest.mark.parametrize(
    ("region", "ecr", "sts"),
    [
        ("me-south-1", "UnrecognizedClientException", "InvalidClientTokenId"),
        ("us-gov-west-1", "UnrecognizedClientException", "InvalidClientTokenId"),
        ("cn-north-1", "UnrecognizedClientException", "InvalidClientTokenId"),
    ],
)
def test_a_region_that_is_off_answers_like_a_dead_key(
    made: World, region: str, ecr: str, sts: str
) -> None:
    assert refused(made.client("ecr", "good", region).get_authorization_token)[0] == ecr
    assert refused(made.client("sts", "good", region).get_caller_identity)[0] == sts


def test_a_region_that_does_not_exist_has_no_endpoint(made: World) -> None:
    for service in ("ecr", "sts"):
        client = made.client(service, "good", "eu-wset-1")
        call = client.describe_repositories if service == "ecr" else client.get_caller_identity
        with pytest.raises(EndpointConnectionError):
            call()


def test_region_status_tells_on_from_off() -> None:
    made = world('enabled_regions = ["me-south-1"]\ndisabled_regions = ["eu-north-1"]')
    status = made.client("account", "", "us-east-1").get_region_opt_status
    assert status(RegionName="eu-west-1")["RegionOptStatus"] == "ENABLED_BY_DEFAULT"
    assert status(RegionName="me-south-1")["RegionOptStatus"] == "ENABLED"
    assert status(RegionName="af-south-1")["RegionOptStatus"] == "DISABLED"
    assert made.client("ecr", "", "me-south-1").describe_repositories()["repositories"] == []


def test_another_partition_has_its_own_suffix() -> None:
    made = world('region = "cn-north-1"\n[[repository]]\nname = "team/app"')
    ecr = made.client("ecr", "", "cn-north-1")
    row = ecr.describe_repositories()["repositories"][0]
    assert row["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app"
    assert row["repositoryArn"] == f"arn:aws-cn:ecr:cn-north-1:{ACCOUNT}:repository/team/app"
    data = ecr.get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == f"https://{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn"
    assert refused(made.client("ecr", "", "eu-west-1").describe_repositories)[0] == (
        "UnrecognizedClientException"
    )


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
    ],
)
def test_each_partition_has_its_arns_and_hosts(region: str, partition: str, suffix: str) -> None:
    made = world(
        f"""
        region = "{region}"
        [[user]]
        name = "u"
        keys = [{{ label = "k" }}]
        attached = ["AmazonEC2ContainerRegistryReadOnly"]
        """
    )
    arn = made.client("sts", "k", region).get_caller_identity()["Arn"]
    assert arn == f"arn:{partition}:iam::{ACCOUNT}:user/u"
    data = made.client("ecr", "k", region).get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == f"https://{ACCOUNT}.dkr.ecr.{region}.{suffix}"
