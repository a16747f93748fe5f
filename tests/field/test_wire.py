"""The same refusals over HTTP, from an endpoint that is no account of ours: F02, F03, F14, F41."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.field.helpers import Told, feed
from tests.support.proxy import Asked, Reply, ecr_error, query_error, serving
from tests.support.run import run_checks

A = "121234345656"
USER = f"arn:aws:iam::{A}:user/ci/octopus"
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    f"<GetCallerIdentityResult><Arn>{USER}</Arn><UserId>AIDAEXAMPLE</UserId>"
    f"<Account>{A}</Account></GetCallerIdentityResult>"
    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
LATE = "Signature expired: 20261125T060000Z is now earlier than 20261125T080000Z "
ENDPOINT = (
    f"User: {USER} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because "
    "no VPC endpoint policy allows the ecr:GetAuthorizationToken action"
)
REFUSALS = {
    "eu-west-1": ecr_error("UnrecognizedClientException", "The security token is invalid."),
    "me-south-1": ecr_error("UnrecognizedClientException", "The security token is invalid."),
    "eu-north-1": ecr_error("ExpiredTokenException", "The security token has expired", 403),
    "us-east-2": ecr_error("InvalidSignatureException", LATE + "(20261125T081500Z - 15 min.)"),
    "us-west-2": ecr_error("AccessDeniedException", ENDPOINT),
    "ap-south-1": Reply(503, b"<html>maintenance</html>", "text/html"),
}
HEALTHY, FOREIGN = "eu-west-3", "sa-east-1"


def token(region: str) -> Reply:
    """A token as ECR gives it; in one region it is another account's."""
    account = "9" * 12 if region == FOREIGN else A
    data = {
        "authorizationToken": "QVdTOnBhc3N3b3JkLXRoYXQtaXMtbG9uZy1lbm91Z2g=",
        "expiresAt": (datetime.now(UTC) + timedelta(hours=12)).timestamp(),
        "proxyEndpoint": f"https://{account}.dkr.ecr.{region}.amazonaws.com",
    }
    return Reply(200, json.dumps({"authorizationData": [data]}).encode())


def repositories(asked: Asked) -> Reply:
    names = asked.json().get("repositoryNames") or []
    assert isinstance(names, list)
    stem = f"{A}.dkr.ecr.{asked.region}.amazonaws.com"
    found = [
        {
            "repositoryName": name,
            "repositoryArn": f"arn:aws:ecr:{asked.region}:{A}:repository/{name}",
            "registryId": A,
            "repositoryUri": f"{stem}/{name}",
        }
        for name in names
    ]
    return Reply(200, json.dumps({"repositories": found}).encode())


def answer(asked: Asked) -> Reply:
    if asked.operation == "GetCallerIdentity":
        return Reply(200, IDENTITY.encode(), "text/xml")
    if asked.operation == "GetAuthorizationToken":
        return REFUSALS.get(asked.region) or token(asked.region)
    if asked.operation == "DescribeRepositories":
        return repositories(asked)
    images = [{"imageDigest": "sha256:" + "1" * 64, "imageTags": ["1.0.0"]}]
    empty = {"imageDetails": images, "imageIds": []}
    known = asked.operation in ("DescribeImages", "ListImages")
    return Reply(200, json.dumps(empty).encode()) if known else query_error("AccessDenied", "no")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    tmp_path = tmp_path_factory.mktemp("wire")
    path = tmp_path / "feeds.toml"
    regions = (*REFUSALS, HEALTHY, FOREIGN)
    given = {"credentials": {"env_prefix": "FEED_"}, "account": A}
    path.write_text("\n".join(feed(each, each, **given) for each in regions), encoding="utf-8")
    keys = {
        "FEED_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "FEED_AWS_SECRET_ACCESS_KEY": "x" * 40,
    }
    families = ("identity", "region", "repositories", "permissions", "token")
    with serving(answer) as endpoint:
        ran = run_checks(
            tmp_path,
            *("--feeds", str(path), "--aws-endpoint-url", endpoint),
            env=keys,
            target=[f"checks/test_{family}.py" for family in families],
        )
    assert "Traceback" not in ran.text
    return Told(ran)


@pytest.mark.parametrize(
    ("region", "broken"),
    [
        (HEALTHY, set()),
        ("eu-west-1", {"IDENT-1"}),
        ("eu-north-1", {"IDENT-1"}),
        ("me-south-1", {"REGION-2"}),
        ("us-east-2", set()),
        ("ap-south-1", set()),
        ("us-west-2", {"PERM-1"}),
        (FOREIGN, {"TOKEN-3"}),
    ],
)
def test_one_cause_one_rule(told: Told, region: str, broken: set[str]) -> None:
    assert told.not_met(region) == broken


@pytest.mark.parametrize("region", ["eu-west-1", "eu-north-1", "me-south-1", "us-east-2"])
def test_refused_credentials_say_nothing_of_the_rest(told: Told, region: str) -> None:
    assert {"REPO-1", "PERM-1", "PERM-4", "TOKEN-1"} <= told.checks(region, "not assessed")


def test_causes_are_named(told: Told) -> None:
    assert "2 h 15 min slow" in told.of("us-east-2", "IDENT-1").fix
    assert "VPC endpoint policy" in told.of("us-west-2", "PERM-1").fix
    assert "enable-region" in told.of("me-south-1", "REGION-2").fix
    assert "9" * 12 in told.of(FOREIGN, "TOKEN-3").text


@pytest.mark.parametrize("region", ["us-west-2", "ap-south-1"])
def test_a_token_that_does_not_come_leaves_the_repositories_judged(told: Told, region: str) -> None:
    assert told.outcome(region, "REPO-1") == told.outcome(region, "PERM-4") == "met"
    assert told.outcome(region, "TOKEN-2") == "not assessed"
