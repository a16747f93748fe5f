"""Which user or role of a plan the feed is, and what its trust makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile
from ecr_feed.planned.terraform import account_from_plan
from tests.planned.plans import (
    EC2,
    Json,
    access,
    allow,
    plan,
    reference,
    repository,
    resource,
    role,
    trust,
    user,
)

APP = repository("team/app")
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/octopus.example.com"
WEB = "sts:AssumeRoleWithWebIdentity"
EXACT = {
    "StringEquals": {
        "octopus.example.com:aud": "ecr-feed",
        "octopus.example.com:sub": "space:default:feed:ecr",
    }
}
OIDC = trust({"Federated": PROVIDER}, WEB, Condition=EXACT)
BY_USER = trust({"AWS": "arn:aws:iam::123456789012:user/octopus"})
BY_EC2 = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "ec2.amazonaws.com"},
}
SAML = trust({"Federated": "arn:aws:iam::123456789012:saml-provider/idp"}, "sts:AssumeRoleWithSAML")


def judged(*resources: Json, **more: Any) -> AccountFile:
    return account_from_plan(plan(APP, *resources), **more)


def credentials(file: AccountFile) -> dict[str, Any]:
    found: dict[str, Any] = file.feed[0]["credentials"]
    return found


@pytest.mark.parametrize(
    "service",
    [
        "ec2.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "pods.eks.amazonaws.com",
        "ec2.amazonaws.com.cn",
    ],
)
def test_a_role_of_a_service_is_a_workers(service: str) -> None:
    file = judged(role(trusts=trust({"Service": ["x.amazonaws.com", service]})))
    assert credentials(file) == {"worker": True}
    assert [key.label for each in file.role for key in each.keys] == ["worker"]
    assert not file.open


@pytest.mark.parametrize("action", [WEB, "sts:*", "sts:AssumeRoleWith*", ["sts:TagSession", WEB]])
def test_a_role_of_a_web_identity_is_an_oidc_feed(action: Any) -> None:
    file = judged(role(trusts=trust({"Federated": PROVIDER}, action, Condition=EXACT)))
    assert credentials(file) == {
        "role_arn": "arn:aws:iam::123456789012:role/feed",
        "audience": "ecr-feed",
        "subject": "space:default:feed:ecr",
    }
    assert not any(each.keys for each in file.role)


def test_a_trust_without_conditions_names_no_audience() -> None:
    found = credentials(judged(role(trusts=trust({"Federated": PROVIDER}, WEB))))
    assert "subject" not in found
    assert found["audience"] == "any that the OIDC provider accepts"


def test_an_unknown_trust_leaves_the_kind_unknown() -> None:
    file = judged(role(trusts=None))
    (item,) = file.open
    assert item.says.startswith("aws_iam_role.feed: its trust is known only after apply")
    assert (item.package, item.effect) == ("", "leaves the plan unproven")
    assert credentials(file) == {"worker": True}


@pytest.mark.parametrize("identity", ["", "feed", "aws_iam_role.feed"])
@pytest.mark.parametrize(
    "trusts",
    [
        BY_USER,
        SAML,
        trust({"AWS": "123456789012"}),
        trust({"AWS": "*"}),
        trust({"AWS": "arn:aws:iam::123456789012:role/other"}),
        trust({"Federated": PROVIDER}),  # the wrong action for a web identity
        access(
            BY_EC2,
            {"Effect": "Deny", "Action": "sts:*", "Principal": "*"},
        ),
    ],
    ids=["user", "saml", "account", "any", "role", "wrong action", "denied"],
)  # fmt: skip
def test_a_role_that_no_feed_can_have_says_so(trusts: str, identity: str) -> None:
    with pytest.raises(AccountError, match="no field for a role that another") as caught:
        judged(role(trusts=trusts), identity=identity)
    assert "aws_iam_role.feed (role feed; " in str(caught.value)


def test_the_user_that_assumes_a_role_is_the_feed() -> None:
    file = judged(user(), role("deploy", "deploy", BY_USER))
    assert credentials(file) == {"key": "feed"}
    assert any("aws_iam_role.deploy" in each for each in file.assumed)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("aws_iam_user.feed", {"key": "feed"}),
        ("octopus", {"key": "feed"}),
        ("OCTOPUS", {"key": "feed"}),
        ("aws_iam_role.feed", {"worker": True}),
        ("worker", {"worker": True}),
    ],
)
def test_an_identity_is_named_by_address_or_name(identity: str, expected: Json) -> None:
    file = judged(user(), role("worker"), identity=identity)
    assert credentials(file) == expected


def test_an_instance_in_a_module_is_named_by_its_address() -> None:
    inside = [role(f"feed-{key}", index=key) for key in ("a", "b")]
    document = plan(APP, modules={"x": (inside, {}, {})})
    address = 'module.x.aws_iam_role.feed["b"]'
    file = account_from_plan(document, identity=address)
    assert [each.name for each in file.role if each.keys] == ["feed-b"]
    with pytest.raises(AccountError) as caught:
        account_from_plan(document, identity="module.x.aws_iam_role.feed")
    assert "fits 2 of" in str(caught.value)
    assert f"--identity '{'module.x.aws_iam_role.feed[' + chr(34) + 'a' + chr(34) + ']'}'" in str(
        caught.value
    )


def test_two_candidates_ask_for_the_option() -> None:
    with pytest.raises(AccountError) as caught:
        judged(role(), role("other", "other", OIDC), role("deploy", "deploy", BY_USER))
    said = str(caught.value)
    for words in (
        "--identity aws_iam_role.feed",
        "aws_iam_role.feed (role feed; a worker's own role: ec2.amazonaws.com)",
        f"aws_iam_role.other (role other; a web identity (OIDC): {PROVIDER})",
    ):
        assert words in said
    assert "aws_iam_role.deploy" not in said


def test_no_candidate_says_what_to_do() -> None:
    with pytest.raises(AccountError, match="--policy FILE") as caught:
        judged()
    assert "the plan has none" in str(caught.value)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(AccountError, match=r"Did you mean 'aws_iam_role\.feed'"):
        judged(role(), identity="aws_iam_role.fed")


def test_a_user_and_a_role_of_one_name_are_told_apart_by_address() -> None:
    both = (user("feed"), role("feed"))
    with pytest.raises(AccountError, match="fits 2 of"):
        judged(*both, identity="feed")
    assert credentials(judged(*both, identity="aws_iam_role.feed")) == {"worker": True}


def test_the_user_with_a_planned_key_is_chosen_among_users() -> None:
    other = resource("aws_iam_user.ci", {"name": "ci", "path": "/"})
    key = resource(
        "aws_iam_access_key.feed",
        {"status": "Active"},
        unknown={"user": True},
        written={"user": reference("aws_iam_user.feed.name")},
    )
    file = judged(user(), other, key)
    assert [each.name for each in file.user if each.keys] == ["octopus"]
    assert any("aws_iam_user.ci" in each for each in file.assumed)
    assert not any("No access key" in each for each in file.assumed)


def test_both_kinds_of_trust_are_said() -> None:
    both = access(
        BY_EC2,
        {"Effect": "Allow", "Action": WEB, "Principal": {"Federated": PROVIDER}},
    )
    file = judged(role(trusts=both))
    assert any("judged as a worker's own role" in each for each in file.assumed)


def test_what_is_read_is_known_as_far_as_the_data_says() -> None:
    read = resource(
        "data.aws_iam_role.feed",
        {
            "name": "feed",
            "path": "/ci/",
            "arn": "arn:aws:iam::210987654321:role/ci/feed",
            "assume_role_policy": EC2,
        },
    )
    grant = resource(
        "aws_iam_role_policy.pull",
        {"name": "pull", "role": "feed", "policy": access(allow("ecr:*"))},
    )
    document = plan(APP, grant, prior_state={"values": {"root_module": {"resources": [read]}}})
    file = account_from_plan(document)
    assert credentials(file) == {"worker": True}
    assert file.account == "210987654321"
    assert [(each.name, each.path) for each in file.role] == [("feed", "/ci/")]
    assert any("data.aws_iam_role.feed is read: its policies" in each for each in file.unknown)


@pytest.mark.parametrize("pulls", [True, False])
def test_pulls_is_the_feeds(pulls: bool) -> None:
    assert judged(user(), pulls=pulls).feed[0]["pulls"] is pulls
