from __future__ import annotations

from collections.abc import Mapping

import pytest

from ecr_feed.iam import PolicyError, parse
from tests.iam.helpers import USER

AT = "$.Statement[0]"
GOOD = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
REPO = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
TRUST = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("kind", "found", "place", "reason"),
    [
        ("resource", {**REPO, "Resource": "*"}, "Resource", "take no Resource"),
        ("resource", {**REPO, "NotResource": "*"}, "NotResource", "take no NotResource"),
        ("resource", {**REPO, "Action": "*", "Resource": "*"}, "Resource", "take no Resource"),
        ("resource", GOOD, "Resource", "take no"),
        ("resource", {"Effect": "Allow", "Action": "ecr:*"}, "Principal", "missing"),
        ("trust", {**TRUST, "Resource": "*"}, "Resource", "not allowed"),
        ("trust", {"Effect": "Allow", "Action": "sts:AssumeRole"}, "Principal", "missing"),
        ("trust", {**TRUST, "Action": "ecr:*"}, "Action", "an sts action"),
        ("scp", {**GOOD, "Principal": "*"}, "Principal", "not allowed"),
        ("rcp", {**GOOD, "Principal": {"AWS": USER}}, "Principal", 'expected "*"'),
        ("rcp", GOOD, "Principal", "missing"),
        ("boundary", {**GOOD, "Principal": "*"}, "Principal", "not allowed"),
        ("session", {**GOOD, "NotPrincipal": "*"}, "NotPrincipal", "not allowed"),
        ("registry", REPO, "Resource", "missing"),
    ],
)
def test_elements_by_kind(kind: str, found: Mapping[str, object], place: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse({"Statement": [found]}, kind=kind)
    assert caught.value.path == f"{AT}.{place}"
    assert reason in caught.value.reason


def test_other_services_resource_policies_have_a_resource() -> None:
    key = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    for kind in ("resource", "key"):
        parse({"Statement": [key]}, kind=kind)


def test_not_principal_comes_with_deny_and_not_in_trust_or_rcp() -> None:
    excepted = {"Effect": "Deny", "NotPrincipal": {"AWS": USER}, "Action": "ecr:*"}
    parse({"Statement": [excepted]}, kind="resource")
    with pytest.raises(PolicyError, match="Effect Allow"):
        parse({"Statement": [{**excepted, "Effect": "Allow"}]}, kind="resource")
    with pytest.raises(PolicyError, match="use Principal"):
        parse({"Statement": [{**excepted, "Action": "sts:AssumeRole"}]}, kind="trust")


@pytest.mark.parametrize(
    ("principal", "place", "reason"),
    [
        ("arn:aws:iam::123456789012:root", "", 'expected "*"'),
        (["*"], "", 'expected "*"'),
        ({"aws": "*"}, ".aws", "expected 'AWS'"),
        ({"AWS": "arn:aws:iam::123456789012:user/*"}, ".AWS", "no wildcard"),
        ({"AWS": ["123456789012", "12345678901"]}, ".AWS[1]", "account number"),
        ({"AWS": "arn:aws:iam::123456789012:group/admins"}, ".AWS", "expected an account number"),
        ({"AWS": "ecs.amazonaws.com"}, ".AWS", "expected an account number"),
        ({"Service": "123456789012"}, ".Service", "a service"),
        ({"Federated": USER}, ".Federated", "identity provider"),
        ({"CanonicalUser": "x"}, ".CanonicalUser", "64 hex"),
        ({"AWS": 123456789012}, ".AWS", "expected a string"),
    ],
)
def test_principals_that_aws_refuses(principal: object, place: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse({"Statement": [{**REPO, "Principal": principal}]}, kind="resource")
    assert caught.value.path == f"{AT}.Principal{place}"
    assert reason in caught.value.reason
