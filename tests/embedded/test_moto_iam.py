"""Policy documents as IAM takes and shows them, whatever keeps them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded.world import World, refused, world

EPOCH = {"NumericGreaterThan": {"aws:EpochTime": 1500000000, "aws:MultiFactorAuthAge": 1.5}}
ALLOW = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "no version": {"Statement": ALLOW},
    "the older version": {"Version": "2008-10-17", "Statement": [ALLOW]},
    "numbers": {"Version": "2012-10-17", "Statement": {**ALLOW, "Condition": EPOCH}},
    "a plain one": {"Version": "2012-10-17", "Id": "mine", "Statement": ALLOW},
}


@pytest.fixture(scope="module")
def made() -> World:
    return world('[[user]]\nname = "u"\n[[group]]\nname = "g"\n[[role]]\nname = "r"')


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(("kind", "entity"), [("User", "u"), ("Group", "g"), ("Role", "r")])
def test_an_inline_policy_is_shown_as_written(
    made: World, kind: str, entity: str, name: str
) -> None:
    iam, text = made.client("iam"), json.dumps(DOCUMENTS[name], indent=1)
    named = {f"{kind}Name": entity, "PolicyName": "p"}
    getattr(iam, f"put_{kind.lower()}_policy")(**named, PolicyDocument=text)
    shown = getattr(iam, f"get_{kind.lower()}_policy")(**named)
    assert shown["PolicyDocument"] == DOCUMENTS[name]
    details = iam.get_account_authorization_details(Filter=[kind])[f"{kind}DetailList"]
    assert [each["PolicyDocument"] for each in details[0][f"{kind}PolicyList"]] == [DOCUMENTS[name]]


def test_two_that_are_alike_but_for_the_version_stay_apart(made: World) -> None:
    iam = made.client("iam")
    for name in ("no version", "the older version"):
        text = json.dumps({**DOCUMENTS[name], "Statement": ALLOW})
        iam.put_user_policy(UserName="u", PolicyName=name.replace(" ", "-"), PolicyDocument=text)
    shown = [
        iam.get_user_policy(UserName="u", PolicyName=name)["PolicyDocument"].get("Version")
        for name in ("no-version", "the-older-version")
    ]
    assert shown == [None, "2008-10-17"]


@pytest.mark.parametrize("name", ["no version", "the older version"])
def test_a_managed_policy_is_of_the_newer_version(made: World, name: str) -> None:
    call = made.client("iam").create_policy
    said = refused(call, PolicyName="old", PolicyDocument=json.dumps(DOCUMENTS[name]))
    assert said[0] == "MalformedPolicyDocument"
    assert "2012-10-17 or greater" in said[1]


def test_a_managed_policy_with_numbers_and_its_versions(made: World) -> None:
    iam, document = made.client("iam"), DOCUMENTS["numbers"]
    arn = iam.create_policy(PolicyName="n", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    named = {"PolicyArn": arn}
    assert shown(iam, arn, "v1") == document
    iam.create_policy_version(**named, PolicyDocument=json.dumps(DOCUMENTS["a plain one"]))
    assert iam.get_policy(**named)["Policy"]["DefaultVersionId"] == "v1"
    for version in ("v2", "v2", "v1", "v1"):
        iam.set_default_policy_version(**named, VersionId=version)
        rows = iam.list_policy_versions(**named)["Versions"]
        assert [row["VersionId"] for row in rows if row["IsDefaultVersion"]] == [version]
    assert refused(iam.set_default_policy_version, **named, VersionId="v7")[0] == "NoSuchEntity"


def shown(iam: Any, arn: str, version: str) -> Any:
    said = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return said["PolicyVersion"]["Document"]


def test_a_key_needs_a_user(made: World) -> None:
    said = refused(made.client("iam").create_access_key, UserName="nobody")
    assert said == ("NoSuchEntity", "The user with name nobody cannot be found.", 404)
