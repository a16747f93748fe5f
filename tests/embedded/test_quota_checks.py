"""IAM's quotas on policies: what a write may not exceed, and the account's summary."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded.world import World, refused, world

EMPTY = {"Version": "2012-10-17", "Statement": []}


def text(characters: int, indent: int | None = None) -> str:
    """A policy of so many characters without white space."""
    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": ""}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    arn = "arn:aws:ecr:eu-west-1:123456789012:repository/"
    rest = characters - len(json.dumps(document, separators=(",", ":"))) - len(arn)
    statement["Resource"] = arn + "x" * rest
    return json.dumps(document, indent=indent)


@pytest.fixture
def made() -> World:
    return world('[[user]]\nname = "u"\n[[group]]\nname = "g"\n[[role]]\nname = "r"')


@pytest.mark.parametrize(
    ("kind", "name", "most"), [("user", "u", 2048), ("group", "g", 5120), ("role", "r", 10240)]
)
def test_inline_policies_have_one_quota_together(
    made: World, kind: str, name: str, most: int
) -> None:
    iam = made.client("iam")

    def put(policy: str, document: str) -> Any:
        named = {f"{kind.capitalize()}Name": name, "PolicyName": policy}
        return refused_or_none(getattr(iam, f"put_{kind}_policy"), **named, PolicyDocument=document)

    assert put("one", text(most - 300, indent=4)) is None
    assert put("two", text(301)) == (
        "LimitExceeded",
        f"Maximum policy size of {most} bytes exceeded for {kind} {name}",
        409,
    )
    assert put("two", text(300)) is None
    assert put("one", text(most - 300)) is None, "a policy takes the place of its own"


def refused_or_none(call: Any, **given: Any) -> Any:
    try:
        call(**given)
    except call.__self__.exceptions.LimitExceededException as error:
        said = error.response
        return (
            said["Error"]["Code"],
            said["Error"]["Message"],
            said["ResponseMetadata"]["HTTPStatusCode"],
        )
    return None


def test_a_managed_policy_and_its_versions_have_a_quota_each(made: World) -> None:
    iam = made.client("iam")
    said = refused(iam.create_policy, PolicyName="p", PolicyDocument=text(6145))
    assert said == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409)
    arn = iam.create_policy(PolicyName="p", PolicyDocument=text(6144, indent=2))["Policy"]["Arn"]
    said = refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=text(6145))
    assert said[0] == "LimitExceeded"


def test_an_identity_takes_ten_managed_policies() -> None:
    tables = "".join(
        f'[[policy]]\nname = "p{number}"\ndocument = {{ allow = "ecr:*" }}\n'
        for number in range(11)
    )
    made = world(f'[[user]]\nname = "u"\n{tables}')
    iam = made.client("iam")
    arns = [each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"]]
    for arn in arns[:10]:
        iam.attach_user_policy(UserName="u", PolicyArn=arn)
    iam.attach_user_policy(UserName="u", PolicyArn=arns[0])
    said = refused(iam.attach_user_policy, UserName="u", PolicyArn=arns[10])
    assert said == ("LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10", 409)


def test_the_summary_has_the_accounts_quotas() -> None:
    made = world('quotas = { AttachedPoliciesPerRoleQuota = 20 }\n[[user]]\nname = "u"')
    summary = made.client("iam").get_account_summary()["SummaryMap"]
    assert summary["Users"] == 1
    assert summary["AttachedPoliciesPerRoleQuota"] == 20
    assert summary["AttachedPoliciesPerUserQuota"] == 10
    assert summary["UserPolicySizeQuota"] == 2048
