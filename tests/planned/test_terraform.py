from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.planned.terraform import account_from_plan
from tests.embedded.world import World, refused, world
from tests.planned.plans import (
    ACCOUNT,
    Json,
    constant,
    plan,
    reference,
    repository,
    resource,
    statement,
    user,
)

LIST = json.dumps(
    {"Version": "2012-10-17",
     "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
)  # fmt: skip


def applied(document: Json, **more: Any) -> World:
    return world(account_from_plan(document, **more))


def inline(text: str | None = LIST, **more: Any) -> Json:
    values: Json = {"user": "octopus", "name": "pull"} | ({"policy": text} if text else {})
    return resource("aws_iam_user_policy.pull", values, **more)


def document(**written: Any) -> Json:
    """A document whose resources are known only after apply."""
    return resource(
        "data.aws_iam_policy_document.pull",
        {"statement": [statement(actions=["ecr:ListImages"], resources=[None])]},
        unknown={"json": True, "statement": [{"actions": [False], "resources": [True]}]},
        written={"statement": [{"actions": constant(["ecr:ListImages"]), **written}]},
    )


REFERS = inline(
    None,
    unknown={"policy": True},
    written={"policy": reference("data.aws_iam_policy_document.pull.json")},
)


def listed(made: World, name: str, label: str = "feed") -> bool:
    """Whether the feed may list a repository's images."""
    ecr = made.client("ecr", label)
    made.client("ecr").describe_repositories(repositoryNames=[name])  # it exists
    try:
        ecr.list_images(repositoryName=name)
    except ecr.exceptions.ClientError:
        return False
    return True


def test_what_is_planned_is_there() -> None:
    file = account_from_plan(plan(repository("team/app"), user(), inline()))
    assert file.region == "eu-west-1"
    assert file.feed[0]["packages"] == ["team/app"]
    assert file.feed[0]["credentials"] == {"key": "feed"}
    assert listed(world(file), "team/app")
    assert not file.unknown
    assert file.plan is not None
    assert (file.plan.account, file.plan.named, file.plan.account_id) == ("", (), "*")
    assert "account" not in file.feed[0]


def test_a_document_that_names_a_new_repository_is_put_together() -> None:
    made = applied(
        plan(
            repository("team/app"),
            repository("team/api", "api"),
            user(),
            document(resources=reference("aws_ecr_repository.app.arn")),
            REFERS,
        )
    )
    assert listed(made, "team/app")
    assert not listed(made, "team/api")


@pytest.mark.parametrize(
    ("written", "both"),
    [
        (reference("aws_ecr_repository.app"), True),  # a splat
        (reference('aws_ecr_repository.app["team/app"].arn'), False),
    ],
    ids=["splat", "key"],
)
def test_instances_of_for_each(written: Json, both: bool) -> None:
    made = applied(
        plan(
            repository("team/app", index="team/app"),
            repository("team/api", index="team/api"),
            user(),
            document(resources=written),
            REFERS,
        )
    )
    assert listed(made, "team/app")
    assert listed(made, "team/api") == both


def test_each_value_is_the_instance_of_the_same_key() -> None:
    policies = [
        resource(
            "aws_ecr_repository_policy.app",
            {"policy": json.dumps(
                {"Version": "2012-10-17",
                 "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:ListImages"}]}
            )},
            index=key,
            unknown={"repository": True},
            written={"repository": reference("each.value.name")},
            for_each=reference("aws_ecr_repository.app"),
        )
        for key in ("team/app",)
    ]  # fmt: skip
    made = applied(
        plan(
            repository("team/app", index="team/app"),
            repository("team/api", index="team/api"),
            user(),
            inline(),
            *policies,
        )
    )
    assert not listed(made, "team/app")
    assert listed(made, "team/api")


def test_modules_are_followed_in_and_out() -> None:
    inside = (repository("team/app"),)
    outputs = {"arn": {"expression": reference("aws_ecr_repository.app.arn")}}
    made = applied(
        plan(
            user(),
            document(resources=reference("module.repo.arn")),
            REFERS,
            modules={"repo": (inside, {}, outputs)},
        )
    )
    assert listed(made, "team/app")
    identity = (document(resources=reference("var.arns")), REFERS, user())
    made = applied(
        plan(
            repository("team/app"),
            modules={"identity": (identity, {"arns": reference("aws_ecr_repository.app.arn")}, {})},
        )
    )
    assert listed(made, "team/app")


def test_policies_groups_boundaries_and_attachments() -> None:
    boundary = json.loads(LIST)
    boundary["Statement"][0]["Action"] = "ecr:ListImages"
    made = applied(
        plan(
            repository("team/app"),
            resource(
                "aws_iam_user.feed",
                {"name": "octopus", "path": "/ci/"},
                unknown={"permissions_boundary": True},
                written={"permissions_boundary": reference("aws_iam_policy.limit.arn")},
            ),
            resource(
                "aws_iam_policy.limit", {"name": "limit", "policy": json.dumps(boundary)},
                unknown={"arn": True},
            ),
            resource("aws_iam_group.readers", {"name": "readers"}),
            resource(
                "aws_iam_group_policy_attachment.read",
                {
                    "group": "readers",
                    "policy_arn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
                },
            ),
            resource(
                "aws_iam_user_group_membership.feed", {"user": "octopus", "groups": ["readers"]}
            ),
            resource("aws_iam_access_key.feed", {"user": "octopus", "status": "Active"}),
        )
    )  # fmt: skip
    assert listed(made, "team/app")
    said = refused(made.client("ecr", "feed").describe_repositories)
    assert "because no permissions boundary allows" in said[1]
    arn = made.client("sts", "feed").get_caller_identity()["Arn"]
    assert arn.endswith(":user/ci/octopus")


def test_a_role_is_the_identity_where_there_is_no_user() -> None:
    made = applied(
        plan(
            repository("team/app"),
            resource(
                "aws_iam_role.feed",
                {
                    "name": "feed",
                    "assume_role_policy": json.dumps(
                        {"Version": "2012-10-17",
                         "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                        "Principal": {"Service": "ec2.amazonaws.com"}}]}
                    ),
                    "max_session_duration": 7200,
                },
            ),
            resource(
                "aws_iam_role_policy.pull",
                {"name": "pull", "policy": LIST},
                unknown={"role": True},
                written={"role": reference("aws_iam_role.feed.id")},
            ),
        )
    )  # fmt: skip
    assert listed(made, "team/app", "worker")


def test_what_only_apply_will_tell_is_said_with_its_address() -> None:
    file = account_from_plan(
        plan(
            repository("team/app"),
            user(),
            inline(None, unknown={"policy": True}, written={"policy": reference("local.policy")}),
            resource("aws_ecr_repository.later", {}, unknown={"name": True}),
            resource(
                "aws_iam_user_policy_attachment.other",
                {"user": "octopus", "policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/existing"},
            ),
            resource("aws_iam_user_policy.stray", {"user": "someone", "name": "x", "policy": LIST}),
        ),
        identity="octopus",
    )
    notes = "\n".join(file.unknown)
    for words in (
        "aws_iam_user_policy.pull: `policy` is known only after apply",
        "aws_ecr_repository.later: its name is known only after apply",
        "aws_iam_user_policy_attachment.other: the policy",
    ):
        assert words in notes
    assert not any("someone" in each for each in file.unknown)
    assert any("the user 'someone' is not in the plan" in each for each in file.remarks)
    assert listed(world(file), "team/app") is False


def test_account_and_region_come_from_the_plan() -> None:
    caller = resource("data.aws_caller_identity.me", {"account_id": "210987654321"})
    file = account_from_plan(
        plan(
            repository("team/app"),
            user(),
            prior_state={"values": {"root_module": {"resources": [caller]}}},
        ),
        packages=["team/app", "team/other"],
    )
    assert file.account == "210987654321"
    assert file.feed[0]["packages"] == ["team/app", "team/other"]
    assert account_from_plan(plan(repository("a/b"), user()), region="cn-north-1").partition == (
        "aws-cn"
    )


@pytest.mark.parametrize("how", ["attribute", "provider"])
def test_a_repository_in_another_region_is_there(how: str) -> None:
    away = repository("team/app", "away")
    document_of = plan(repository("team/app"), away, user(), inline())
    if how == "attribute":
        document_of["planned_values"]["root_module"]["resources"][1]["values"]["region"] = (
            "us-west-2"
        )
    else:
        blocks = document_of["configuration"]["root_module"]["resources"]
        blocks[1]["provider_config_key"] = "aws.west"
        west = {"expressions": {"region": constant("us-west-2")}}
        document_of["configuration"]["provider_config"]["aws.west"] = west
    file = account_from_plan(document_of)
    assert [(each.name, each.region) for each in file.repository] == [
        ("team/app", "eu-west-1"),
        ("team/app", "us-west-2"),
    ]
    assert file.feed[0]["packages"] == ["team/app"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "not a plan"),
        (plan(user()), "creates no aws_ecr_repository"),
        (plan(repository("team/app")), "cannot choose a user or role"),
    ],
    ids=["not a plan", "no repository", "no identity"],
)
def test_a_plan_that_cannot_be_judged_says_why(given: Json, words: str) -> None:
    with pytest.raises(AccountError, match=words):
        account_from_plan(given)


def test_an_identity_of_another_account_than_the_repositories_is_named() -> None:
    where = {"name": "team/app", "arn": "arn:aws:ecr:eu-west-1:999988887777:repository/team/app"}
    owner = {"name": "octopus", "path": "/", "arn": "arn:aws:iam::123456789012:user/octopus"}
    there = resource("aws_ecr_repository.app", where)
    here = resource("aws_iam_user.feed", owner)
    words = r"in account 999988887777, its users and roles in 123456789012: aws_iam_user\.feed"
    with pytest.raises(AccountError, match=words):
        account_from_plan(plan(there, here))


def test_a_policy_that_aws_would_refuse_is_named() -> None:
    text = LIST.replace('"Resource"', '"Principal": "*", "Resource"')
    refused_by_ecr = resource(
        "aws_ecr_repository_policy.app", {"repository": "team/app", "policy": text}
    )
    with pytest.raises(AccountError, match=r"aws_ecr_repository_policy\.app: .*Resource"):
        account_from_plan(plan(repository("team/app"), user(), refused_by_ecr))


def test_a_named_identity_must_be_there() -> None:
    with pytest.raises(AccountError, match="no user or role 'nobody'"):
        account_from_plan(plan(repository("team/app"), user()), identity="nobody")
