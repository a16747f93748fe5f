from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded.world import ACCOUNT, World, refused, world

USER = f"arn:aws:iam::{ACCOUNT}:user/ci/feed"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
GROUP = f"arn:aws:iam::{ACCOUNT}:group/readers"
APP = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team/app"
API = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team/api"
FILE = """
[[group]]
name = "readers"
[group.policies]
list = { allow = "ecr:ListImages" }
[[user]]
name = "feed"
path = "/ci/"
groups = ["readers"]
attached = ["AmazonEC2ContainerRegistryPullOnly"]
[user.policies]
scoped = [
  { allow = ["ecr:DescribeImages", "ecr:GetAuthorizationToken"], on = "repository/team/app" },
  { deny = "ecr:DeleteRepository" },
  { allow = "ecr:PutImage", when = { StringEquals = { "aws:PrincipalTag/team" = "x" } } },
]
[[user]]
name = "bounded"
policies = { p = { allow = "ecr:*" } }
boundary = { allow = "ecr:ListImages" }
[[role]]
name = "worker"
policies = { p = { allow = "ecr:*" } }
"""


@pytest.fixture(scope="module")
def made() -> World:
    return world(FILE)


def ask(made: World, source: str, actions: list[str], **more: Any) -> list[dict[str, Any]]:
    said = made.client("iam").simulate_principal_policy(
        PolicySourceArn=source, ActionNames=actions, **more
    )
    results: list[dict[str, Any]] = said["EvaluationResults"]
    return results


def test_one_result_per_action_the_strictest_and_each_resource_inside(made: World) -> None:
    results = ask(made, USER, ["ecr:DescribeImages", "ecr:ListImages"], ResourceArns=[APP, API])
    assert [row["EvalActionName"] for row in results] == ["ecr:DescribeImages", "ecr:ListImages"]
    assert [row["EvalDecision"] for row in results] == ["implicitDeny", "allowed"]
    each = results[0]["ResourceSpecificResults"]
    assert [(row["EvalResourceName"], row["EvalResourceDecision"]) for row in each] == [
        (APP, "allowed"),
        (API, "implicitDeny"),
    ]


@pytest.mark.parametrize(
    ("action", "resource", "word"),
    [
        ("ecr:DescribeImages", APP, "allowed"),
        ("ecr:DescribeImages", "*", "implicitDeny"),
        ("ecr:GetAuthorizationToken", "*", "allowed"),  # by the attached policy, not the scoped one
        ("ecr:BatchGetImage", API, "allowed"),
        ("ecr:DeleteRepository", APP, "explicitDeny"),
        ("ecr:CreateRepository", APP, "implicitDeny"),
    ],
)
def test_words(made: World, action: str, resource: str, word: str) -> None:
    result = ask(made, USER, [action], ResourceArns=[resource])[0]
    assert result["EvalDecision"] == word
    assert result["EvalResourceName"] == resource


def test_context_that_nobody_gave_is_missing(made: World) -> None:
    result = ask(made, USER, ["ecr:PutImage"])[0]
    assert result["MissingContextValues"] == ["aws:PrincipalTag/team"]
    assert result["EvalDecision"] == "implicitDeny"
    entry = {
        "ContextKeyName": "aws:PrincipalTag/team",
        "ContextKeyValues": ["x"],
        "ContextKeyType": "string",
    }
    result = ask(made, USER, ["ecr:PutImage"], ContextEntries=[entry])[0]
    assert result["MissingContextValues"] == []
    assert result["EvalDecision"] == "allowed"


def test_a_boundary_is_told(made: World) -> None:
    bounded = f"arn:aws:iam::{ACCOUNT}:user/bounded"
    results = ask(made, bounded, ["ecr:ListImages", "ecr:DescribeImages"])
    assert [row["EvalDecision"] for row in results] == ["allowed", "implicitDeny"]
    told = [
        row["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] for row in results
    ]
    assert told == [True, False]
    assert "PermissionsBoundaryDecisionDetail" not in ask(made, USER, ["ecr:ListImages"])[0]


def test_organisation_policies_are_told() -> None:
    made = world(
        '[[scp]]\ndocument = { deny = "ecr:ListImages" }\n'
        '[[user]]\nname = "u"\npolicies = { p = { allow = "*" } }'
    )
    source = f"arn:aws:iam::{ACCOUNT}:user/u"
    results = ask(made, source, ["ecr:ListImages", "ecr:DescribeImages"])
    assert [row["EvalDecision"] for row in results] == ["explicitDeny", "allowed"]
    told = [row["OrganizationsDecisionDetail"]["AllowedByOrganizations"] for row in results]
    assert told == [False, True]


def test_a_resource_policy_counts_for_users_and_is_refused_for_roles(made: World) -> None:
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "ecr:ListImages"},
                {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "ecr:PutImageX"},
                {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "ecr:CreateRepository"},
            ],
        }
    )
    more = {"ResourceArns": [APP], "ResourcePolicy": policy}
    results = ask(made, USER, ["ecr:ListImages", "ecr:CreateRepository"], **more)
    assert [row["EvalDecision"] for row in results] == ["explicitDeny", "allowed"]
    said = refused(
        made.client("iam").simulate_principal_policy,
        PolicySourceArn=ROLE,
        ActionNames=["ecr:ListImages"],
        **more,
    )
    assert said[0] == "InvalidInput"


def test_roles_and_groups_are_sources_too(made: World) -> None:
    assert ask(made, ROLE, ["ecr:PutImage"])[0]["EvalDecision"] == "allowed"
    assert ask(made, GROUP, ["ecr:ListImages"])[0]["EvalDecision"] == "allowed"
    assert ask(made, GROUP, ["ecr:PutImage"])[0]["EvalDecision"] == "implicitDeny"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:root", "InvalidInput"),
        (f"arn:aws:iam::{ACCOUNT}:user/nobody", "NoSuchEntity"),
        (f"arn:aws:iam::{ACCOUNT}:user/feed", "NoSuchEntity"),  # without its path
    ],
)
def test_what_is_no_source(made: World, source: str, code: str) -> None:
    call = made.client("iam").simulate_principal_policy
    said = refused(call, PolicySourceArn=source, ActionNames=["ecr:ListImages"])
    assert said[0] == code
    if "assumed-role" in source:
        assert "does not clearly define entity type and name" in said[1]


def test_results_come_in_pages(made: World) -> None:
    actions = [f"ecr:Action{n}" for n in range(120)]
    iam = made.client("iam")
    first = iam.simulate_principal_policy(PolicySourceArn=USER, ActionNames=actions)
    assert (len(first["EvaluationResults"]), first["IsTruncated"]) == (100, True)
    rest = iam.simulate_principal_policy(
        PolicySourceArn=USER, ActionNames=actions, Marker=first["Marker"]
    )
    assert (len(rest["EvaluationResults"]), rest["IsTruncated"]) == (20, False)
