"""Facts of IAM, STS and regions that the embedded account stands for, through every entry point."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.embedded.entry_points import EntryPoint
from tests.embedded.world import ACCOUNT, REGION, refused

HOST = "octopus.example.com"
SUBJECT = "space:default:feed:ecr"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/ci/worker"
READER = f"arn:aws:iam::{ACCOUNT}:user/ci/reader"
APP = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
API = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/api"


def token(**claims: Any) -> str:
    """A web identity token; its signature is not checked."""
    body = {
        "iss": f"https://{HOST}",
        "sub": SUBJECT,
        "aud": "api://aws",
        "exp": int((datetime.now(UTC) + timedelta(hours=1)).timestamp()),
    } | claims
    listed = ({"alg": "RS256", "typ": "JWT"}, body)
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode() for p in listed]
    return ".".join((*(each.rstrip("=") for each in encoded), "c2lnbmF0dXJl"))


def by_web(entry: EntryPoint, given: str, **more: Any) -> Any:
    return entry.client("sts", "anonymous").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/ci/octopus",
        RoleSessionName="OctopusAwsAuthentication",
        WebIdentityToken=given,
        **more,
    )


def test_a_users_arn_has_its_path(entry: EntryPoint) -> None:
    said = entry.client("sts", "reader").get_caller_identity()
    assert (said["Arn"], said["Account"]) == (READER, ACCOUNT)
    assert said["UserId"].startswith("AIDA")


def test_a_sessions_arn_has_lost_it(entry: EntryPoint) -> None:
    said = entry.client("sts", "assumer").assume_role(RoleArn=WORKER, RoleSessionName="build")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/build"
    assert said["AssumedRoleUser"]["Arn"] == arn
    assert said["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_a_role_is_assumed_by_those_it_trusts(entry: EntryPoint) -> None:
    call = entry.client("sts", "assumer").assume_role
    closed = f"arn:aws:iam::{ACCOUNT}:role/closed"
    assert refused(call, RoleArn=closed, RoleSessionName="x1")[::2] == ("AccessDenied", 403)
    call = entry.client("sts", "reader").assume_role
    assert refused(call, RoleArn=WORKER, RoleSessionName="x1")[::2] == ("AccessDenied", 403)


def test_a_session_is_no_longer_than_its_role_allows(entry: EntryPoint) -> None:
    call = entry.client("sts", "assumer").assume_role
    assert call(RoleArn=WORKER, RoleSessionName="x1", DurationSeconds=7200)["Credentials"]
    said = refused(call, RoleArn=WORKER, RoleSessionName="x1", DurationSeconds=7201)
    assert said[::2] == ("ValidationError", 400)


def test_a_web_identity_is_a_session_of_the_role(entry: EntryPoint) -> None:
    said = by_web(entry, token())
    assert said["AssumedRoleUser"]["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/octopus/OctopusAwsAuthentication"
    )
    assert said["SubjectFromWebIdentityToken"] == SUBJECT


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "space:Default:feed:ecr"}, "AccessDenied"),
        ({"aud": "other"}, "AccessDenied"),
        ({"aud": "unknown"}, "InvalidIdentityToken"),
        ({"iss": f"https://{HOST}/"}, "InvalidIdentityToken"),
        ({"exp": 1}, "ExpiredTokenException"),
    ],
    ids=["subject", "audience of the trust", "audience", "issuer", "expired"],
)
def test_a_web_identity_that_does_not_fit(
    entry: EntryPoint, claims: dict[str, Any], code: str
) -> None:
    assert refused(by_web, entry=entry, given=token(**claims))[0] == code


def test_a_web_identity_that_asks_for_too_long(entry: EntryPoint) -> None:
    said = refused(by_web, entry=entry, given=token(), DurationSeconds=14400)
    assert said[0] == "ValidationError"


def test_simulation_has_one_result_per_action_and_each_resource_inside(entry: EntryPoint) -> None:
    results = entry.client("iam").simulate_principal_policy(
        PolicySourceArn=READER,
        ActionNames=["ecr:ListImages", "ecr:GetAuthorizationToken"],
        ResourceArns=[APP, API],
    )["EvaluationResults"]
    assert [row["EvalActionName"] for row in results] == [
        "ecr:ListImages",
        "ecr:GetAuthorizationToken",
    ]
    assert results[0]["EvalDecision"] == "implicitDeny"
    inside = results[0]["ResourceSpecificResults"]
    assert [row["EvalResourceDecision"] for row in inside] == ["allowed", "implicitDeny"]


def test_simulation_takes_no_session_and_no_root(entry: EntryPoint) -> None:
    call = entry.client("iam").simulate_principal_policy
    for source, code in (
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/build", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:root", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:user/nobody", "NoSuchEntity"),
    ):
        said = refused(call, PolicySourceArn=source, ActionNames=["ecr:ListImages"])
        assert said[0] == code


def test_a_key_that_was_never_used_has_no_date(entry: EntryPoint) -> None:
    iam = entry.client("iam")
    key = iam.list_access_keys(UserName="leaver")["AccessKeyMetadata"][0]
    assert key["Status"] in ("Active", "Inactive")
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert used == {"ServiceName": "N/A", "Region": "N/A"}


def test_a_users_boundary_is_shown(entry: EntryPoint) -> None:
    found = entry.client("iam").get_user(UserName="assumer")["User"]["PermissionsBoundary"]
    assert found["PermissionsBoundaryType"] == "PermissionsBoundaryPolicy"
    assert found["PermissionsBoundaryArn"].endswith(":policy/assumer-boundary")


def test_documents_are_dicts_wherever_they_come(entry: EntryPoint) -> None:
    details = entry.client("iam").get_account_authorization_details()
    roles = {row["RoleName"]: row for row in details["RoleDetailList"]}
    trust = roles["worker"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Action"] == "sts:AssumeRole"
    inline = roles["worker"]["RolePolicyList"][0]["PolicyDocument"]
    assert inline["Statement"][0]["Effect"] == "Allow"


def test_a_managed_policy_of_aws_is_there_and_an_invented_one_is_not(entry: EntryPoint) -> None:
    iam = entry.client("iam")
    arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
    said = refused(iam.get_policy, PolicyArn="arn:aws:iam::aws:policy/Invented")
    assert said[0] == "NoSuchEntity"


def test_a_malformed_policy_is_refused(entry: EntryPoint) -> None:
    call = entry.client("iam").put_user_policy
    said = refused(call, UserName="reader", PolicyName="x", PolicyDocument='{"Statement": "x"}')
    assert said[::2] == ("MalformedPolicyDocument", 400)


def test_a_region_that_is_off_does_not_know_the_key(entry: EntryPoint) -> None:
    said = refused(entry.client("ecr", "reader", "me-south-1").get_authorization_token)
    assert said[0] == "UnrecognizedClientException"
    said = refused(entry.client("sts", "reader", "me-south-1").get_caller_identity)
    assert said[0] == "InvalidClientTokenId"
    account = entry.client("account", "root", "us-east-1")
    said = account.get_region_opt_status(RegionName="me-south-1")
    assert said["RegionOptStatus"] == "DISABLED"
    said = account.get_region_opt_status(RegionName="eu-west-1")
    assert said["RegionOptStatus"] == "ENABLED_BY_DEFAULT"
