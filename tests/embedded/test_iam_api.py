from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_feed.aws.transport.readonly import READS
from ecr_feed.embedded.ecr import HANDLERS
from tests.embedded.world import ACCOUNT, World, refused, rows, world

READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
FILE = """
[[user]]
name = "feed"
path = "/ci/"
attached = ["AmazonEC2ContainerRegistryReadOnly", "own"]
boundary_policy = "PowerUserAccess"
console_password = true
[user.policies]
inline = { allow = "ecr:*" }
[[user]]
name = "plain"
[[policy]]
name = "own"
path = "/team/"
document = { allow = "ecr:ListImages" }
[[role]]
name = "worker"
path = "/ci/"
max_session_seconds = 7200
"""


@pytest.fixture(scope="module")
def made() -> World:
    return world(FILE)


@pytest.fixture(scope="module")
def iam(made: World) -> Any:
    return made.client("iam")


def test_managed_policies_of_aws_look_like_aws(iam: Any) -> None:
    attached = iam.list_attached_user_policies(UserName="feed")["AttachedPolicies"]
    assert {row["PolicyArn"] for row in attached} == {
        READ_ONLY,
        f"arn:aws:iam::{ACCOUNT}:policy/team/own",
    }
    policy = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    assert (policy["Arn"], policy["Path"]) == (READ_ONLY, "/")
    version = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=policy["DefaultVersionId"])
    actions = version["PolicyVersion"]["Document"]["Statement"][0]["Action"]
    assert "ecr:GetAuthorizationToken" in actions
    users = iam.list_entities_for_policy(PolicyArn=READ_ONLY)["PolicyUsers"]
    assert [row["UserName"] for row in users] == ["feed"]


def test_policies_are_listed_by_scope(iam: Any) -> None:
    by_scope = {
        scope: {row["PolicyName"] for row in rows(iam, "list_policies", "Policies", Scope=scope)}
        for scope in ("Local", "AWS", "All")
    }
    assert by_scope["Local"] == {"own"}
    assert "AmazonEC2ContainerRegistryReadOnly" in by_scope["AWS"]
    assert by_scope["All"] == by_scope["Local"] | by_scope["AWS"]


def test_a_policy_that_does_not_exist_is_not_attached(iam: Any) -> None:
    for arn in ("arn:aws:iam::aws:policy/Nothing", "arn:aws:iam::aws:policy/x/AdministratorAccess"):
        said = refused(iam.attach_user_policy, UserName="plain", PolicyArn=arn)
        assert said[::2] == ("NoSuchEntity", 404)


def test_a_users_boundary_is_kept_and_shown(iam: Any) -> None:
    arn = "arn:aws:iam::aws:policy/PowerUserAccess"
    assert iam.get_user(UserName="feed")["User"]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": arn,
    }
    details = iam.get_account_authorization_details(Filter=["User"])["UserDetailList"]
    by_name = {row["UserName"]: row.get("PermissionsBoundary") for row in details}
    assert by_name["feed"]["PermissionsBoundaryArn"] == arn
    assert by_name["plain"] is None
    iam.put_user_permissions_boundary(UserName="plain", PermissionsBoundary=READ_ONLY)
    assert iam.get_user(UserName="plain")["User"]["PermissionsBoundary"]
    iam.delete_user_permissions_boundary(UserName="plain")
    assert "PermissionsBoundary" not in iam.get_user(UserName="plain")["User"]
    said = refused(
        iam.put_user_permissions_boundary,
        UserName="plain",
        PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/none",
    )
    assert said[0] == "NoSuchEntity"


def test_ids_are_of_aws_kind(iam: Any) -> None:
    assert iam.get_user(UserName="feed")["User"]["UserId"].startswith("AIDA")
    assert iam.get_role(RoleName="worker")["Role"]["RoleId"].startswith("AROA")
    assert iam.get_role(RoleName="worker")["Role"]["MaxSessionDuration"] == 7200


def test_documents_come_decoded_whatever_the_call(iam: Any) -> None:
    details = iam.get_account_authorization_details()
    role = details["RoleDetailList"][0]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    user = next(row for row in details["UserDetailList"] if row["UserName"] == "feed")
    assert user["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == "ecr:*"
    found = iam.get_user_policy(UserName="feed", PolicyName="inline")
    assert found["PolicyDocument"]["Statement"][0]["Effect"] == "Allow"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}),
        json.dumps({"Statement": {"Effect": "Alow", "Action": "ecr:*", "Resource": "*"}}),
        json.dumps(
            {"Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Extra": 1}}
        ),
    ],
)
def test_a_malformed_policy_is_refused_when_written(iam: Any, text: str) -> None:
    for call, params in (
        (iam.put_user_policy, {"UserName": "plain", "PolicyName": "x", "PolicyDocument": text}),
        (iam.create_policy, {"PolicyName": "x", "PolicyDocument": text}),
        (iam.create_role, {"RoleName": "x", "AssumeRolePolicyDocument": text}),
    ):
        assert refused(call, **params)[::2] == ("MalformedPolicyDocument", 400)


def test_lists_come_in_pages(made: World) -> None:
    many = world("\n".join(f'[[user]]\nname = "u{n:03d}"' for n in range(130)))
    client = many.client("iam")
    first = client.list_users()
    assert (len(first["Users"]), first["IsTruncated"]) == (100, True)
    assert len(rows(client, "list_users", "Users", PaginationConfig={"PageSize": 7})) == 130
    pages = client.get_paginator("get_account_authorization_details").paginate(
        PaginationConfig={"PageSize": 50}
    )
    assert [len(page["UserDetailList"]) for page in pages] == [50, 50, 30]
    assert refused(client.list_users, Marker="x")[0] == "ValidationError"
    assert refused(client.list_users, MaxItems=1001)[0] == "ValidationError"


def test_a_user_without_a_name_is_the_caller() -> None:
    made = world(
        '[[user]]\nname = "me"\nkeys = [{ label = "me" }]\npolicies = { p = { allow = "iam:*" } }\n'
        '[[role]]\nname = "r"\nkeys = [{ label = "r" }]\npolicies = { p = { allow = "iam:*" } }'
    )
    mine = made.client("iam", "me")
    assert mine.get_user()["User"]["UserName"] == "me"
    assert [row["UserName"] for row in mine.list_access_keys()["AccessKeyMetadata"]] == ["me"]
    root = made.client("iam").get_user()["User"]
    assert root["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert refused(made.client("iam", "r").get_user)[0] == "ValidationError"


def test_a_console_password_is_told(iam: Any) -> None:
    assert iam.get_login_profile(UserName="feed")["LoginProfile"]["UserName"] == "feed"
    assert refused(iam.get_login_profile, UserName="plain")[::2] == ("NoSuchEntity", 404)


def test_every_read_of_the_suite_has_an_answer_here() -> None:
    assert READS["ecr"] <= set(HANDLERS)
    from ecr_feed.embedded.identity.sts_api import HANDLERS as STS

    assert READS["sts"] <= set(STS)


def test_what_is_not_implemented_says_so(made: World) -> None:
    said = refused(made.client("iam").generate_service_last_accessed_details, Arn=READ_ONLY)
    assert said[0] == "InvalidAction"
    said = refused(made.client("ecr").list_pull_time_update_exclusions)
    assert said[0] == "UnknownOperationException"
    assert "does not implement" in said[1]
