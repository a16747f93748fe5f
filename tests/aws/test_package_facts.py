"""Answers that contradict the inventory are neither believed nor taken for a missing repository."""

from __future__ import annotations

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.facts.aws import Answer, Trouble
from tests.aws.fake import FakeAws, ReceivedCall, Reply, denial, fault
from tests.aws.helpers import account, embedded, failure_of, feed

GONE = "RepositoryNotFoundException"


@pytest.mark.parametrize(
    ("operation", "action"),
    [("DescribeImages", "ecr:DescribeImages"), ("ListImages", "ecr:ListImages")],
)
def test_a_listed_repository_that_another_call_does_not_find(operation: str, action: str) -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies[operation] = lambda asked: fault(GONE, "no such repository")
    failure = failure_of(account(fake).permission, action, "team/app")
    assert failure.trouble is Trouble.CONTRADICTION
    assert failure.operation == operation
    assert "ecr:DescribeRepositories returned arn:aws:ecr:" in failure.message


def test_a_missing_repository_is_no_contradiction() -> None:
    fake = FakeAws({"team/app": 1})
    one = account(fake, "team/app", "team/gone")
    for action in ("ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"):
        found = one.permission(action, "team/gone")
        assert found.answer is Answer.UNDETERMINED
        assert found.failure is not None
        assert found.failure.trouble is Trouble.NOT_FOUND


def test_a_repository_that_could_not_be_described_is_not_missing_for_its_images() -> None:
    """Whether it exists is REPO-1's to say, and that is not assessed."""
    fake = FakeAws({})
    fake.replies["DescribeRepositories"] = lambda asked: fault("ServerException", "oops", 500)
    one = account(fake)
    assert failure_of(one.permission, "ecr:DescribeImages", "team/app").trouble is Trouble.NOT_FOUND


@pytest.mark.parametrize("code", ["ImageNotFoundException", "LayersNotFoundException"])
def test_another_thing_that_is_not_found_is_not_a_missing_repository(code: str) -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["DescribeRepositories"] = lambda asked: fault(code, "not found")
    one = account(fake)
    assert failure_of(one.inventory().repository, "team/app").code == code
    fake.replies["GetAuthorizationToken"] = lambda asked: fault(code, "not found")
    assert failure_of(account(fake).permission, "ecr:GetAuthorizationToken").code == code


def test_a_list_that_has_what_no_call_by_name_finds() -> None:
    fake = FakeAws({"team/app": 1})
    own = fake._DescribeRepositories

    def by_name(asked: ReceivedCall) -> Reply:
        return fault(GONE, "no") if "repositoryNames" in asked.parameters else own(asked)

    fake.replies["DescribeRepositories"] = by_name
    inventory = account(fake).inventory()
    for call in (inventory.repository, inventory.permission):
        failure = failure_of(call, "team/app")
        assert failure.trouble is Trouble.CONTRADICTION
        assert "the list has arn:aws:ecr:" in failure.message


def test_a_missing_repository_whose_images_another_feed_has_read() -> None:
    fake = FakeAws({"team/app": 1})
    sessions = embedded(fake)
    assert Account(feed("team/app"), sessions).images("team/app")
    fake.repositories = {}
    second = Account(feed("team/app"), sessions)
    failure = failure_of(second.images, "team/app")
    assert failure.trouble is Trouble.CONTRADICTION
    assert "ecr:DescribeImages returned 1 image" in failure.message


def test_a_name_that_another_region_refuses_is_unread_there() -> None:
    """Its list is denied; one name is found by a call, the other one is denied."""
    fake = FakeAws({})
    own = fake._DescribeRepositories

    def elsewhere(asked: ReceivedCall) -> Reply:
        if asked.region != "us-east-1":
            return own(asked)
        names = asked.parameters.get("repositoryNames")
        if names == ["team/app"]:
            fake.repositories = {"team/app": 1}
            reply = own(asked)
            fake.repositories = {}
            return reply
        return denial("ecr:DescribeRepositories", "*")

    fake.replies["DescribeRepositories"] = elsewhere
    one = account(fake, "team/app", "team/worker")
    assert one.other_regions("team/app").regions == ("us-east-1",)
    assert one.other_regions("team/app").failures == {}
    worker = one.other_regions("team/worker")
    assert worker.regions == ()
    assert {name: each.trouble for name, each in worker.failures.items()} == {
        "us-east-1": Trouble.DENIED
    }


def test_a_region_that_is_not_enabled_is_said_to_be() -> None:
    fake = FakeAws({})
    own = fake._DescribeRepositories

    def elsewhere(asked: ReceivedCall) -> Reply:
        if asked.region == "me-south-1":
            return fault("UnrecognizedClientException", "The security token is invalid")
        return own(asked)

    fake.replies["DescribeRepositories"] = elsewhere
    found = account(fake).other_regions("team/app")
    assert (found.not_enabled, found.failures) == (("me-south-1",), {})
