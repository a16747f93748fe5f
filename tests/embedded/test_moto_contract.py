"""What the one module that knows moto takes for granted of it. Moves with moto's upper bound."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from ecr_feed.embedded.iam.moto_iam import MotoIam, managed_policy
from tests.embedded.world import ACCOUNT

FORM = {"Version": "2010-05-08"}


def ask(moto: MotoIam, action: str, **form: str) -> tuple[int, str]:
    status, body = moto.iam(ACCOUNT, "aws", {"Action": action, **FORM, **form})
    return status, body.decode()


def test_the_private_name_is_there_and_answers_in_wire_form() -> None:
    from moto.core.botocore_stubber import BotocoreStubber

    assert BotocoreStubber().enabled is False
    moto = MotoIam()
    status, body = ask(moto, "CreateUser", UserName="x", Path="/a/")
    assert status == 200
    assert f"<Arn>arn:aws:iam::{ACCOUNT}:user/a/x</Arn>" in body
    status, body = ask(moto, "GetUser", UserName="y")
    assert status == 404
    assert "<Code>NoSuchEntity</Code>" in body


def test_backends_are_dictionaries_by_account() -> None:
    from moto.backends import get_backend

    moto = MotoIam()
    ask(moto, "CreateUser", UserName="x")
    accounts = get_backend("iam")
    assert isinstance(accounts, dict)
    assert ACCOUNT in set(accounts)


def test_two_worlds_share_nothing() -> None:
    one, two = MotoIam(), MotoIam()
    ask(one, "CreateUser", UserName="only-in-one")
    assert "only-in-one" not in ask(two, "ListUsers")[1]
    ask(two, "CreateUser", UserName="only-in-two")
    assert "only-in-two" not in ask(one, "ListUsers")[1]
    assert "only-in-one" in ask(one, "ListUsers")[1]


def test_another_partition_has_its_own_arns() -> None:
    moto = MotoIam()
    _, body = moto.iam(ACCOUNT, "aws-cn", {"Action": "CreateUser", "UserName": "x", **FORM})
    assert f"arn:aws-cn:iam::{ACCOUNT}:user/x" in body.decode()


@pytest.fixture
def other_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111111111111")
    yield "111111111111"
    assert os.environ["MOTO_ACCOUNT_ID"] == "111111111111"


def test_the_environment_does_not_choose_the_account(other_account: str) -> None:
    assert other_account not in ask(MotoIam(), "CreateUser", UserName="x")[1]


@pytest.mark.parametrize(
    "name",
    [
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryFullAccess",
        "AdministratorAccess",
        "ReadOnlyAccess",
        "SecurityAudit",
        "AWSCompromisedKeyQuarantineV3",
    ],
)
def test_managed_policies_are_read_singly(name: str) -> None:
    found = managed_policy(name)
    assert found is not None
    assert json.dumps(found["Document"])
    assert found["Path"].startswith("/")


def test_a_name_that_is_no_managed_policy_is_none() -> None:
    assert managed_policy("AmazonEC2ContainerRegistry") is None


def test_botocore_and_requests_are_left_alone() -> None:
    import botocore.client
    import requests

    ask(MotoIam(), "ListUsers")
    assert botocore.client.BaseClient._make_api_call.__module__ == "botocore.client"
    assert requests.Session.send.__module__ == "requests.sessions"


@pytest.mark.parametrize(
    ("partition", "status"), [("aws", 200), ("*", 200), ("aws*", 200), ("a?s", 200), ("awz", 400)]
)
def test_a_pattern_in_a_partition_is_stored_and_a_wrong_partition_refused(
    partition: str, status: int
) -> None:
    moto = MotoIam()
    ask(moto, "CreateUser", UserName="x")
    resource = f"arn:{partition}:ecr:eu-west-1:{ACCOUNT}:repository/*"
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "ecr:List*", "Resource": resource}],
        }
    )
    found, body = ask(
        moto, "PutUserPolicy", UserName="x", PolicyName="own", PolicyDocument=document
    )
    assert found == status, body
