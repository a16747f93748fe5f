from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from ecr_feed.embedded.protocol.wire import ServiceError
from tests.embedded.world import ACCOUNT, REGION, World, world

FILE = """
[[repository]]
name = "team/app"
images = [{ tags = ["1.0.0"] }]
[[repository]]
name = "team/api"
[[user]]
name = "feed"
keys = [{ label = "feed" }]
[user.policies]
token = { allow = "ecr:GetAuthorizationToken" }
pull = { allow = "ecr:BatchGetImage", on = "repository/team/app" }
"""


def password(made: World) -> str:
    data = made.client("ecr", "feed").get_authorization_token()["authorizationData"][0]
    return base64.b64decode(data["authorizationToken"]).decode().removeprefix("AWS:")


def test_a_password_tells_whose_it_is_and_for_how_long() -> None:
    made = world(FILE)
    holder = made.core.token_caller(password(made))
    assert holder is not None
    assert (holder.caller.name, holder.account, holder.region) == ("feed", ACCOUNT, REGION)
    assert holder.expires_at > made.core.now()
    made.core.advance(timedelta(hours=12, seconds=1))
    assert holder.expires_at < made.core.now()
    assert made.core.token_caller("nobody's") is None


def test_permissions_are_those_at_the_time_of_use() -> None:
    made = world(FILE)
    holder = made.core.token_caller(password(made))
    assert holder is not None
    made.core.permit(holder, "BatchGetImage", "team/app")
    with pytest.raises(ServiceError, match="not authorized to perform: ecr:BatchGetImage"):
        made.core.permit(holder, "BatchGetImage", "team/api")
    with pytest.raises(ServiceError, match=r"repository/\*"):
        made.core.permit(holder, "DescribeRepositories")
    got = made.core.call_as(
        holder,
        "BatchGetImage",
        {"repositoryName": "team/app", "imageIds": [{"imageTag": "1.0.0"}]},
    )
    assert len(got["images"]) == 1
    made.client("iam").delete_user_policy(UserName="feed", PolicyName="pull")
    with pytest.raises(ServiceError, match="AccessDenied"):
        made.core.permit(holder, "BatchGetImage", "team/app")


def test_each_token_is_another() -> None:
    made = world(FILE)
    assert len({password(made) for _ in range(5)}) == 5
