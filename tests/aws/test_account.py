from __future__ import annotations

from socket import EAI_NONAME, gaierror

import pytest
from botocore.exceptions import EndpointConnectionError

from ecr_feed.aws.account import Account
from ecr_feed.facts.aws import Answer, Failure, ReadError, Trouble
from tests.aws.fake import (
    ACCOUNT,
    NOW,
    FakeAws,
    ReceivedCall,
    Reply,
    arn,
    denial,
    fault,
    ok,
    query_fault,
)
from tests.aws.helpers import account, embedded, failure_of, feed
from tests.support.planned_calls import planned_calls

FORTY = [f"team/app{number}" for number in range(40)]
ACTIONS = (
    "ecr:GetAuthorizationToken",
    "ecr:DescribeRepositories",
    "ecr:DescribeImages",
    "ecr:ListImages",
)


def ask_everything(one: Account, packages: list[str]) -> None:
    """What the checks ask, and more than once."""
    one.access()
    one.identity()
    one.token()
    for package in packages * 2:
        one.inventory().repository(package)
        one.images(package)
        for action in ACTIONS:
            one.permission(action, None if action == ACTIONS[0] else package)


@pytest.mark.parametrize(
    ("packages", "repositories", "images", "page"),
    [(40, 40, 5, 1000), (40, 3000, 0, 1000), (1, 1, 2500, 1000), (120, 1500, 1, 1000)],
)
def test_the_calls_equal_the_formula(
    packages: int, repositories: int, images: int, page: int
) -> None:
    names = [f"team/app{number:04}" for number in range(repositories)]
    fake = FakeAws(dict.fromkeys(names, images), page=page)
    sessions = embedded(fake)
    one = Account(feed(*names[:packages]), sessions)
    ask_everything(one, names[:packages])
    recorded: dict[str, int] = {}
    for call in sessions.log.drain():
        action = f"{call.service}:{call.operation}"
        recorded[action] = recorded.get(action, 0) + 1
    assert recorded == dict(planned_calls(packages, repositories, images))


def test_the_formula_with_missing_packages() -> None:
    fake = FakeAws(dict.fromkeys(FORTY[:38], 1))
    one = account(fake, *FORTY)
    for name in FORTY:
        one.permission("ecr:ListImages", name)
    assert one.permission("ecr:DescribeRepositories").answer == Answer.ALLOWED
    expected = planned_calls(40, 38, 1, missing=2, listing=True)
    assert {action.partition(":")[2]: n for action, n in expected.items()} == dict(fake.calls)


def test_a_healthy_feed() -> None:
    one = account(FakeAws({"team/app": 3}))
    assert one.access().region_enabled is True
    assert one.identity().arn == f"arn:aws:iam::{ACCOUNT}:user/octopus"
    assert one.token().expires_at.timestamp() == NOW + 43200
    assert [image.tags for image in one.images("team/app")] == [("1.0",), ("1.1",), ("1.2",)]
    for action in ACTIONS:
        assert one.permission(action, "team/app").answer == Answer.ALLOWED


def test_archived_images_are_asked_for() -> None:
    fake = FakeAws({"team/app": 1})
    one = account(fake)
    one.images("team/app")
    asked = [a.parameters for a in fake.seen if a.operation == "DescribeImages"]
    assert asked[0]["filter"] == {"imageStatus": "ANY"}
    assert not one.active_only


def test_an_endpoint_that_knows_no_image_status_says_so() -> None:
    fake = FakeAws({"team/app": 1})
    own = fake._DescribeImages

    def script(asked: ReceivedCall) -> Reply:
        if "filter" in asked.parameters:
            return fault("InvalidParameterException", "filter")
        return own(asked)

    fake.replies["DescribeImages"] = script
    one = account(fake)
    assert len(one.images("team/app")) == 1
    assert one.active_only


def test_a_denied_list_of_one_repository_stops_nobody_else() -> None:
    fake = FakeAws({"team/app": 1, "team/api": 1})
    fake.replies["ListImages team/api"] = lambda asked: denial("ListImages", arn("team/api"))
    one = account(fake, "team/app", "team/api")
    assert one.permission("ecr:ListImages", "team/app").answer == Answer.ALLOWED
    denied = one.permission("ecr:ListImages", "team/api")
    assert (denied.answer, denied.resource) == (Answer.DENIED, arn("team/api"))
    assert denied.evidence["request_id"] == "req-fault"
    assert one.permission("ecr:DescribeImages", "team/api").answer == Answer.ALLOWED


def test_a_denied_token_is_a_denied_permission_and_leaves_the_rest() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetAuthorizationToken"] = lambda asked: denial("GetAuthorizationToken", "*")
    one = account(fake)
    assert one.permission("ecr:GetAuthorizationToken").answer == Answer.DENIED
    assert failure_of(one.token).trouble == Trouble.DENIED
    assert one.access().failure is None
    assert len(one.images("team/app")) == 1


def test_a_package_without_a_repository_is_asked_for_nothing_more() -> None:
    fake = FakeAws({"team/app": 1})
    one = account(fake, "team/gone", "Team/App")
    assert failure_of(one.images, "team/gone").trouble == Trouble.NOT_FOUND
    assert failure_of(one.images, "Team/App").trouble == Trouble.NOT_FOUND
    assert one.permission("ecr:ListImages", "team/gone").answer == Answer.UNDETERMINED
    assert fake.calls["DescribeImages"] == fake.calls["ListImages"] == 0


def test_an_action_that_is_not_probed_is_undetermined() -> None:
    permission = account(FakeAws()).permission("ecr:BatchGetImage", "team/app")
    assert permission.answer == Answer.UNDETERMINED


def test_throttled_out_is_no_denial() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["ListImages"] = lambda asked: fault("ThrottlingException", "Rate exceeded")
    failure = failure_of(account(fake).permission, "ecr:ListImages", "team/app")
    assert (failure.trouble, failure.attempts) == (Trouble.THROTTLED, 10)
    assert "(10 attempts)" in failure.summary


def test_a_throttled_call_that_gets_through() -> None:
    fake = FakeAws({"team/app": 1})
    own = fake._ListImages

    def script(asked: ReceivedCall) -> Reply:
        return own(asked) if fake.calls["ListImages"] > 8 else fault("ThrottleException", "Rate")

    fake.replies["ListImages"] = script
    assert account(fake).permission("ecr:ListImages", "team/app").answer == Answer.ALLOWED


def test_a_truncated_page_of_images_is_malformed() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["DescribeImages"] = lambda asked: ok({})
    assert failure_of(account(fake).images, "team/app").trouble == Trouble.MALFORMED
    fake.replies["DescribeImages"] = lambda asked: ok({"imageDetails": [{"imageTags": ["1"]}]})
    assert failure_of(account(fake).images, "team/app").trouble == Trouble.MALFORMED
    fake.replies["DescribeImages"] = lambda asked: ok({"imageDetails": [], "nextToken": "t"})
    failure = failure_of(account(fake).images, "team/app")
    assert "loops" in failure.message


@pytest.mark.parametrize(
    "region", ["eu-west1", "east-au", "EU-WEST-1", "eu-WEST-1", "us-east-1a", "aws-global", "x"]
)
def test_a_region_that_fits_no_partition_is_never_called(region: str) -> None:
    fake = FakeAws({"team/app": 1})
    one = account(fake, region=region)
    for call in (one.access, one.identity, one.token, one.inventory):
        assert failure_of(call).code == "UnknownRegion"
    assert failure_of(one.images, "team/app").code == "UnknownRegion"
    assert failure_of(one.other_regions, "team/app").code == "UnknownRegion"
    assert failure_of(lambda: raised(one.unshown_region())).code == "UnknownRegion"
    assert not fake.seen


def raised(failure: Failure | None) -> None:
    if failure is not None:
        raise ReadError(failure)


@pytest.mark.parametrize("code", ["", "InvalidClientTokenId", "AccessDenied"])
def test_a_region_newer_than_the_list_exists_where_aws_answers(code: str) -> None:
    fake = FakeAws({"team/app": 1})
    if code:
        fake.replies["GetCallerIdentity"] = lambda asked: query_fault(code, "no")
    one = account(fake, region="eu-west-9")
    assert one.unshown_region() is None
    assert {call.region for call in fake.seen} >= {"eu-west-9"}


def unresolved(asked: ReceivedCall) -> Reply:
    raise EndpointConnectionError(endpoint_url="x", error=gaierror(EAI_NONAME, "dns"))


@pytest.mark.parametrize("ecr", [False, True])
def test_a_region_where_sts_is_silent_exists_where_ecr_answers(ecr: bool) -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetCallerIdentity"] = unresolved
    if not ecr:
        fake.replies["GetAuthorizationToken"] = unresolved
    one = account(fake, region="eu-west-9")
    failure = one.unshown_region()
    assert (failure is None) is ecr
    if failure is not None:
        assert failure.code == "UnknownRegion"
        assert "GetCallerIdentity" in failure.message
        assert "GetAuthorizationToken" in failure.message
        assert failure_of(one.inventory).code == "UnknownRegion"


def test_where_else_a_missing_package_is() -> None:
    fake = FakeAws({})
    own = fake._DescribeRepositories

    def script(asked: ReceivedCall) -> Reply:
        if asked.region == "ap-southeast-2":
            fake.repositories = {"team/app": 1}
            reply = own(asked)
            fake.repositories = {}
            return reply
        if asked.region == "me-south-1":
            return fault("UnrecognizedClientException", "The security token is invalid")
        if asked.region == "eu-west-2":
            return fault("ServerException", "oops")
        return own(asked)

    fake.replies["DescribeRepositories"] = script
    sessions = embedded(fake, connect_timeout=1.0)
    one = Account(feed("team/app", "team/worker"), sessions)
    found = one.other_regions("team/app")
    assert found.regions == ("ap-southeast-2",)
    # me-south-1 is not enabled, and so holds nothing; eu-west-2 may hold it.
    assert set(found.failures) == {"eu-west-2"}
    assert one.other_regions("team/worker").regions == ()
    assert found.asked == 33
    before = fake.calls.total()
    one.other_regions("team/app")
    assert fake.calls.total() == before


def test_nothing_missing_nothing_asked() -> None:
    fake = FakeAws({"team/app": 1})
    assert account(fake).other_regions("team/app").asked == 0


def test_two_feeds_with_the_same_credentials_are_read_once() -> None:
    fake = FakeAws({"team/app": 1, "team/api": 1})
    sessions = embedded(fake)
    one = Account(feed("team/app"), sessions)
    two = Account(feed("team/app", "team/api"), sessions)
    ask_everything(one, ["team/app"])
    ask_everything(two, ["team/app", "team/api"])
    assert fake.calls["GetCallerIdentity"] == fake.calls["GetAuthorizationToken"] == 1
    assert fake.calls["DescribeImages"] == fake.calls["ListImages"] == 2
