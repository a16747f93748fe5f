from __future__ import annotations

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.plan import planned_calls
from ecr_feed.config import KeyCredentials
from ecr_feed.facts import Answer, Trouble
from tests.aws.fake import (
    ACCOUNT,
    NOW,
    Asked,
    FakeAws,
    Reply,
    arn,
    denial,
    fault,
    identity,
    ok,
    query_fault,
)
from tests.aws.helpers import account, embedded, failure_of, feed

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
    assert [image.tags for image in one.images("team/app")] == [("1.0",)] * 3
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

    def script(asked: Asked) -> Reply:
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
    assert "(10 attempts)" in failure.said


def test_a_throttled_call_that_gets_through() -> None:
    fake = FakeAws({"team/app": 1})
    own = fake._ListImages

    def script(asked: Asked) -> Reply:
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
    assert "circles" in failure.message


@pytest.mark.parametrize("region", ["eu-wset-1", "east-au", "EU-WEST-1", "us-east-1a", "x"])
def test_a_region_that_nobody_knows_is_never_called(region: str) -> None:
    fake = FakeAws({"team/app": 1})
    one = account(fake, region=region)
    for call in (one.access, one.identity, one.token, one.inventory):
        assert failure_of(call).code == "UnknownRegion"
    assert failure_of(one.images, "team/app").code == "UnknownRegion"
    assert failure_of(one.elsewhere, "team/app").code == "UnknownRegion"
    assert not fake.seen


def test_where_else_a_missing_package_is() -> None:
    fake = FakeAws({})
    own = fake._DescribeRepositories

    def script(asked: Asked) -> Reply:
        if asked.region == "ap-southeast-2":
            fake.repositories = {"team/app": 1}
            reply = own(asked)
            fake.repositories = {}
            return reply
        if asked.region == "me-south-1":
            return fault("UnrecognizedClientException", "The security token is invalid")
        return own(asked)

    fake.replies["DescribeRepositories"] = script
    sessions = embedded(fake, connect_timeout=1.0)
    one = Account(feed("team/app", "team/worker"), sessions)
    found = one.elsewhere("team/app")
    assert found.regions == ("ap-southeast-2",)
    assert set(found.failures) == {"me-south-1"}
    assert one.elsewhere("team/worker").regions == ()
    assert found.asked == 33
    before = fake.calls.total()
    one.elsewhere("team/app")
    assert fake.calls.total() == before


def test_nothing_missing_nothing_asked() -> None:
    fake = FakeAws({"team/app": 1})
    assert account(fake).elsewhere("team/app").asked == 0


def test_a_dead_key_costs_two_calls_and_is_named_by_all() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault(
        "InvalidClientTokenId", "The security token included in the request is invalid."
    )
    one = account(fake)
    access = one.access()
    assert access.identity is None
    assert access.failure is not None
    assert access.failure.trouble == Trouble.UNKNOWN_KEY
    assert access.region_enabled is None
    assert "unknown, deleted or inactive" in access.because
    for call in (one.identity, one.token, one.inventory):
        assert failure_of(call).trouble == Trouble.UNKNOWN_KEY
    assert failure_of(one.images, "team/app").trouble == Trouble.UNKNOWN_KEY
    assert [asked.region for asked in fake.seen] == ["eu-west-1", "us-east-1"]


def refused_in(region: str) -> FakeAws:
    fake = FakeAws({"team/app": 1})

    def script(asked: Asked) -> Reply:
        if asked.region == region:
            return query_fault("InvalidClientTokenId", "invalid")
        return identity()

    fake.replies["GetCallerIdentity"] = script
    return fake


def test_a_region_that_is_not_enabled_is_no_dead_key() -> None:
    fake = refused_in("me-south-1")
    one = account(fake, region="me-south-1")
    access = one.access()
    assert access.region_enabled is False
    assert access.identity is not None
    assert access.elsewhere == "us-east-1"
    assert one.identity().account == ACCOUNT
    assert failure_of(one.token).trouble == Trouble.UNKNOWN_KEY
    assert len(fake.seen) == 2


def test_sts_in_us_east_1_is_checked_against_another() -> None:
    fake = refused_in("us-east-1")
    assert account(fake, region="us-east-1").access().elsewhere == "us-west-2"


def test_sts_that_says_the_region_is_off() -> None:
    fake = FakeAws()
    fake.replies["GetCallerIdentity"] = lambda asked: (
        query_fault("RegionDisabledException", "STS is not activated")
        if asked.region == "me-south-1"
        else identity()
    )
    access = account(fake, region="me-south-1").access()
    assert (access.region_enabled, access.elsewhere) == (False, "us-east-1")


def ecr_refuses(code: str, message: str = "") -> FakeAws:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetAuthorizationToken"] = lambda asked: fault(code, message)
    return fake


def test_ecr_refuses_what_sts_accepts() -> None:
    fake = ecr_refuses("UnrecognizedClientException", "invalid")
    one = account(fake)
    access = one.access()
    assert access.identity is not None
    assert access.region_enabled is True
    assert access.failure is not None
    assert failure_of(one.inventory).trouble == Trouble.UNKNOWN_KEY
    assert fake.calls["DescribeRepositories"] == 0
    assert account(fake, region="me-south-1").access().region_enabled is False


def test_a_late_clock_concludes_nothing() -> None:
    fake = FakeAws()
    message = (
        "Signature expired: 20261101T100000Z is now earlier than 20261101T114500Z"
        " (20261101T120000Z - 15 min.)"
    )
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault("SignatureDoesNotMatch", message)
    one = account(fake)
    access = one.access()
    assert (access.identity, access.region_enabled) == (None, None)
    assert failure_of(one.token).trouble == Trouble.CLOCK
    assert len(fake.seen) == 1


def test_an_ended_session() -> None:
    one = account(ecr_refuses("ExpiredTokenException", "The security token has expired"))
    assert failure_of(one.inventory).trouble == Trouble.EXPIRED


def test_sts_out_of_reach_leaves_ecr_judged() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["GetCallerIdentity"] = lambda asked: query_fault("Throttling", "Rate exceeded")
    one = account(fake)
    assert failure_of(one.identity).trouble == Trouble.THROTTLED
    assert one.access().region_enabled is True
    assert len(one.images("team/app")) == 1


def test_the_identity_of_a_broken_answer_is_malformed() -> None:
    fake = FakeAws()
    fake.replies["GetCallerIdentity"] = lambda asked: Reply(200, b"<html><body/></html>")
    assert failure_of(account(fake).identity).trouble == Trouble.MALFORMED


def test_a_label_that_the_seed_does_not_have() -> None:
    fake = FakeAws()
    one = account(fake, credentials=KeyCredentials(key="nobody"))
    assert failure_of(one.identity).trouble == Trouble.NO_CREDENTIALS
    assert not fake.seen


def test_two_feeds_with_the_same_credentials_are_read_once() -> None:
    fake = FakeAws({"team/app": 1, "team/api": 1})
    sessions = embedded(fake)
    one = Account(feed("team/app"), sessions)
    two = Account(feed("team/app", "team/api"), sessions)
    ask_everything(one, ["team/app"])
    ask_everything(two, ["team/app", "team/api"])
    assert fake.calls["GetCallerIdentity"] == fake.calls["GetAuthorizationToken"] == 1
    assert fake.calls["DescribeImages"] == fake.calls["ListImages"] == 2
