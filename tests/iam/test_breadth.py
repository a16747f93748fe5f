from __future__ import annotations

import pytest

from ecr_feed.iam import ActionGroup, Document, Need, Policies, breadth, parse, smallest_policy
from tests.iam.helpers import JSON, REPOSITORY, TOKEN, USER, A, allow, deny, policy

READS = ["ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"]
NEEDS = [Need(TOKEN), *(Need(action, REPOSITORY) for action in READS)]
MINIMUM = [allow(TOKEN), allow(READS, REPOSITORY)]


def groups(
    *statements: JSON, boundary: Document | None = None
) -> dict[ActionGroup, tuple[str, ...]]:
    policies = Policies((policy(*statements),), boundary)
    return {finding.group: finding.actions for finding in breadth(policies, NEEDS)}


def test_the_minimum_has_least_privilege() -> None:
    assert groups(*MINIMUM) == {}
    documents = tuple(parse(each) for each in smallest_policy(NEEDS))
    assert breadth(Policies(documents), NEEDS) == ()


def test_nothing_granted_is_no_finding() -> None:
    assert breadth(Policies(), NEEDS) == ()


def test_the_token_on_a_star_is_right() -> None:
    assert groups(allow(TOKEN, "*")) == {}


def test_asking_who_one_is_needs_no_permission() -> None:
    assert groups(allow("sts:GetCallerIdentity")) == {}


def test_a_grant_that_reaches_nothing_is_none() -> None:
    assert (
        groups(allow("iam:PutUserPolicy", "arn:aws:s3:::bucket"), allow("s3:PutObject", REPOSITORY))
        == {}
    )
    assert groups(allow("ecr:GetRegistryPolicy", "arn:aws:ecr:*:*:*")) == {}


def test_more_repositories_than_needed() -> None:
    (finding,) = breadth(Policies((policy(allow(READS, "*"), name="feed"),)), NEEDS)
    assert finding.group is ActionGroup.ECR_READ
    assert finding.actions == tuple(sorted(READS))
    assert finding.excess[0].resources == ("*",)
    assert [str(ref) for ref in finding.statements] == ["statement 1 of 'feed'"]
    assert finding.summary == (
        "reads more of ECR: 3 actions "
        "(ecr:DescribeImages, ecr:DescribeRepositories, ecr:ListImages)"
    )


def test_a_needed_pattern() -> None:
    every = REPOSITORY.replace("team/app", "*")
    needs = [*NEEDS, Need("ecr:DescribeRepositories", every)]
    granted = policy(*MINIMUM, allow("ecr:DescribeRepositories", every))
    assert breadth(Policies((granted,)), needs) == ()


def test_everything_in_ecr() -> None:
    found = groups(allow("ecr:*"))
    assert set(found) == {ActionGroup.ESCALATION, ActionGroup.ECR_WRITE, ActionGroup.ECR_READ}
    assert "ecr:PutImage" in found[ActionGroup.ECR_WRITE]
    assert "ecr:SetRepositoryPolicy" in found[ActionGroup.ESCALATION]
    assert "ecr:BatchGetImage" in found[ActionGroup.ECR_READ]
    assert TOKEN not in found[ActionGroup.ECR_READ]


def test_everything() -> None:
    found = groups(allow("*"))
    assert list(found) == list(ActionGroup)
    assert found[ActionGroup.EVERYTHING] == ("*",)
    assert "iam:PassRole" in found[ActionGroup.ESCALATION]
    assert "iam:GetUser" in found[ActionGroup.IAM]
    assert len(found[ActionGroup.OTHER]) > 18_000


@pytest.mark.parametrize(
    ("action", "resource", "reason"),
    [
        ("iam:PutUserPolicy", USER, "writes a policy into a user"),
        ("iam:put*policy", f"arn:aws:iam::{A}:user/*", "writes a policy into a user"),
        ("iam:AddUserToGroup", "*", "takes on a group's permissions"),
        ("iam:DeleteUserPermissionsBoundary", USER, "manages permissions"),
        ("iam:PassRole", f"arn:aws:iam::{A}:role/admin", "hands a role to a service"),
    ],
)
def test_escalation(action: str, resource: str, reason: str) -> None:
    findings = breadth(Policies((policy(*MINIMUM, allow(action, resource)),)), NEEDS)
    (finding,) = [each for each in findings if each.group is ActionGroup.ESCALATION]
    assert any(each.reason.startswith(reason) for each in finding.excess)


def test_other_services_are_named() -> None:
    (finding,) = breadth(Policies((policy(allow(["s3:GetObject", "logs:PutLogEvents"])),)), NEEDS)
    assert (finding.group, finding.services) == (ActionGroup.OTHER, ("logs", "s3"))


def test_an_unconditional_deny_takes_away() -> None:
    assert groups(allow("ecr:*", REPOSITORY), deny("ecr:*", REPOSITORY)) == {}
    left = groups(allow("ecr:*"), {"Effect": "Deny", "NotAction": [*READS, TOKEN], "Resource": "*"})
    assert left == {ActionGroup.ECR_READ: tuple(sorted(READS))}
    elsewhere = {"Effect": "Deny", "Action": "*", "NotResource": REPOSITORY}
    assert set(groups(allow("*"), elsewhere)) == {
        ActionGroup.ESCALATION,
        ActionGroup.ECR_WRITE,
        ActionGroup.ECR_READ,
    }


def test_a_deny_elsewhere_or_with_a_condition_takes_nothing_away() -> None:
    put = allow("ecr:PutImage", REPOSITORY)
    other = deny("ecr:*", REPOSITORY + "2")
    maybe = deny("ecr:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert groups(put, other, maybe) == {ActionGroup.ECR_WRITE: ("ecr:PutImage",)}


def test_a_boundary_limits() -> None:
    boundary = policy(allow(["ecr:List*", "ecr:Put*"], REPOSITORY), deny("ecr:PutImage"))
    assert groups(allow("ecr:*"), boundary=boundary) == {
        ActionGroup.ECR_WRITE: tuple(
            f"ecr:{name}"
            for name in (
                "PutImageScanningConfiguration",
                "PutImageTagMutability",
                "PutLifecyclePolicy",
            )
        ),
        ActionGroup.ECR_READ: ("ecr:ListImages", "ecr:ListTagsForResource"),
    }


def test_conditions_are_noted() -> None:
    conditional = allow("ecr:PutImage", Condition={"Bool": {"aws:SecureTransport": "true"}})
    (finding,) = breadth(Policies((policy(conditional),)), NEEDS)
    assert finding.excess[0].conditional
    (plain,) = breadth(Policies((policy(conditional, allow("ecr:PutImage")),)), NEEDS)
    assert not plain.excess[0].conditional


def test_not_action_and_not_resource_grant_widely() -> None:
    found = groups({"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"})
    assert ActionGroup.EVERYTHING not in found
    assert "ec2:RunInstances" in found[ActionGroup.OTHER]
    assert not any(each.startswith("s3:") for each in found[ActionGroup.OTHER])
    spared = groups({"Effect": "Allow", "Action": "ecr:PutImage", "NotResource": REPOSITORY})
    assert spared == {ActionGroup.ECR_WRITE: ("ecr:PutImage",)}
    nothing = groups({"Effect": "Allow", "Action": "ecr:PutImage", "NotResource": "*"})
    assert nothing == {}
