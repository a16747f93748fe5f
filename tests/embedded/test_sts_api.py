from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from ecr_feed.embedded.protocol.botocore_data import new_session
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from tests.embedded.world import ACCOUNT, World, refused, world

HOST = "octopus.example.com"
SUBJECT = "space:default:feed:ecr"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci/octopus"
FILE = f"""
[[oidc_provider]]
url = "https://{HOST}"
audiences = ["api://aws", "other"]
[[oidc_provider]]
url = "https://slash.example.com/"
audiences = ["api://aws"]
[[role]]
name = "octopus"
path = "/ci/"
max_session_seconds = 7200
[[role.trust]]
allow = "sts:AssumeRoleWithWebIdentity"
to = {{ Federated = "arn:aws:iam::{{account}}:oidc-provider/{HOST}" }}
when = {{ StringEquals = {{ "{HOST}:aud" = "api://aws", "{HOST}:sub" = "{SUBJECT}" }} }}
[[role]]
name = "first"
trust = {{ allow = "sts:AssumeRole", to = "arn:aws:iam::{{account}}:root" }}
max_session_seconds = 43200
policies = {{ p = {{ allow = "sts:AssumeRole" }} }}
[[role]]
name = "second"
trust = {{ allow = "sts:AssumeRole", to = "arn:aws:iam::{{account}}:role/first" }}
max_session_seconds = 43200
[[role]]
name = "external"
[[role.trust]]
allow = "sts:AssumeRole"
to = "arn:aws:iam::{{account}}:user/granted"
when = {{ StringEquals = {{ "sts:ExternalId" = "42" }} }}
[[user]]
name = "granted"
keys = [{{ label = "granted" }}]
policies = {{ p = {{ allow = "sts:AssumeRole" }} }}
[[user]]
name = "plain"
keys = [{{ label = "plain" }}]
"""


@pytest.fixture(scope="module")
def made() -> World:
    return world(FILE)


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def anonymous(made: World, region: str = "eu-west-1") -> Any:
    session = new_session()
    emitter = session.get_component("event_emitter")
    emitter.register_first("before-send", boto3_answer(made.core))
    config = Config(signature_version=UNSIGNED)
    return session.create_client("sts", region_name=region, config=config)


def token(made: World, **claims: Any) -> str:
    now = made.core.now()
    body = {
        "iss": f"https://{HOST}",
        "sub": SUBJECT,
        "aud": "api://aws",
        "exp": int((now + timedelta(hours=1)).timestamp()),
    } | claims
    parts = ({"alg": "RS256"}, {k: v for k, v in body.items() if v is not None})
    encoded = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)
    return ".".join((*encoded, "c2ln"))


def web(made: World, role: str = ROLE, **more: Any) -> Any:
    given = more.pop("token", None) or token(made, **more.pop("claims", {}))
    return anonymous(made).assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="OctopusAwsAuthentication", WebIdentityToken=given, **more
    )


def test_a_token_that_the_trust_policy_names_is_a_session(made: World) -> None:
    said = web(made)
    assert said["SubjectFromWebIdentityToken"] == SUBJECT
    assert said["Audience"] == "api://aws"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/octopus/OctopusAwsAuthentication"
    assert said["AssumedRoleUser"]["Arn"] == session
    given = said["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    client = made.owner.as_key("sts", "eu-west-1", key)
    assert client.get_caller_identity()["Arn"] == session


@pytest.mark.parametrize(
    ("claims", "code", "words"),
    [
        ({"sub": "space:Default:feed:ECR"}, "AccessDenied", "Not authorized to perform"),
        ({"aud": "other"}, "AccessDenied", "Not authorized to perform"),
        ({"aud": "unknown"}, "InvalidIdentityToken", "audience"),
        ({"iss": f"https://{HOST}/"}, "InvalidIdentityToken", "No OpenIDConnect provider"),
        ({"iss": "https://slash.example.com"}, "InvalidIdentityToken", "No OpenIDConnect provider"),
        ({"exp": 1}, "ExpiredTokenException", "expired"),
        ({"sub": None}, "InvalidIdentityToken", "claim"),
    ],
)
def test_other_tokens_are_refused(
    made: World, claims: dict[str, Any], code: str, words: str
) -> None:
    said = refused(web, made=made, claims=claims)
    assert said[0] == code
    assert words in said[1]


def test_what_is_no_token_or_no_role(made: World) -> None:
    assert refused(web, made=made, token="no token")[0] == "InvalidIdentityToken"
    assert refused(web, made=made, role=arn("absent"))[0] == "AccessDenied"
    assert refused(web, made=made, role=arn("first"))[0] == "AccessDenied"


def test_a_role_sets_how_long(made: World) -> None:
    assert web(made, DurationSeconds=7200)["Credentials"]
    said = refused(web, made=made, DurationSeconds=14400)
    assert said[0] == "ValidationError"
    assert "MaxSessionDuration" in said[1]


def test_a_region_that_is_off_has_no_sts(made: World) -> None:
    call = anonymous(made, "me-south-1").assume_role_with_web_identity
    said = refused(call, RoleArn=ROLE, RoleSessionName="x1", WebIdentityToken=token(made))
    assert said[::2] == ("RegionDisabledException", 403)


def assume(made: World, label: str, role: str, **more: Any) -> Any:
    return made.client("sts", label).assume_role(RoleArn=role, RoleSessionName="s1", **more)


def test_trust_and_identity_are_both_asked(made: World) -> None:
    assert assume(made, "granted", arn("first"))["Credentials"]
    said = refused(assume, made=made, label="plain", role=arn("first"))
    assert said[0] == "AccessDenied"
    assert (
        f"user/plain is not authorized to perform: sts:AssumeRole on resource: {arn('first')}"
        in (said[1])
    )
    assert refused(assume, made=made, label="granted", role=arn("second"))[0] == "AccessDenied"
    assert refused(assume, made=made, label="granted", role=arn("absent"))[0] == "AccessDenied"
    assert refused(assume, made=made, label="", role=arn("first"))[0] == "AccessDenied"


def test_an_external_id_is_context(made: World) -> None:
    assert refused(assume, made=made, label="granted", role=arn("external"))[0] == "AccessDenied"
    assert assume(made, "granted", arn("external"), ExternalId="42")["Credentials"]


def test_a_role_assumed_by_a_role_lasts_an_hour(made: World) -> None:
    given = assume(made, "granted", arn("first"), DurationSeconds=43200)["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    sts = made.owner.as_key("sts", "eu-west-1", key)
    call = {"RoleArn": arn("second"), "RoleSessionName": "s2"}
    assert sts.assume_role(**call, DurationSeconds=3600)["Credentials"]
    said = refused(sts.assume_role, **call, DurationSeconds=3601)
    assert said[0] == "ValidationError"
    assert "role chaining" in said[1]


def test_a_session_ends() -> None:
    made = world(FILE)
    given = assume(made, "granted", arn("first"), DurationSeconds=900)["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    sts, ecr = (made.owner.as_key(name, "eu-west-1", key) for name in ("sts", "ecr"))
    assert sts.get_caller_identity()
    made.core.advance(timedelta(seconds=901))
    assert refused(sts.get_caller_identity)[0] == "ExpiredToken"
    assert refused(ecr.get_authorization_token)[0] == "ExpiredTokenException"


def test_session_tokens_are_for_users(made: World) -> None:
    given = made.client("sts", "plain").get_session_token()["Credentials"]
    assert given["AccessKeyId"].startswith("ASIA")
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    again = made.owner.as_key("sts", "eu-west-1", key)
    assert again.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/plain"
    assert refused(again.get_session_token)[0] == "AccessDenied"
    assert refused(made.client("sts").get_session_token)[0] == "AccessDenied"
