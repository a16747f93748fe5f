from __future__ import annotations

import pytest

from ecr_feed.config import Feed, KeyCredentials, Package
from ecr_feed.iam import Need
from ecr_feed.permissions.needs import CALLED, DESCRIBE, PULL, READ, TOKEN, needs, resource_of

ACCOUNT = "123456789012"


def feed(*packages: str, region: str = "eu-west-1", pulls: bool = False) -> Feed:
    return Feed(
        name="Feed",
        region=region,
        packages=tuple(Package(id=name) for name in packages),
        credentials=KeyCredentials(key="feed"),
        pulls=pulls,
    )


@pytest.mark.parametrize(
    ("action", "package", "region", "resource"),
    [
        (TOKEN, None, "eu-west-1", "*"),
        (TOKEN, "shop/cart", "eu-west-1", "*"),
        (DESCRIBE, None, "eu-west-1", f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/*"),
        (READ[1], "a/b", "cn-north-1", f"arn:aws-cn:ecr:cn-north-1:{ACCOUNT}:repository/a/b"),
    ],
)
def test_the_resource_of_an_action(
    action: str, package: str | None, region: str, resource: str
) -> None:
    assert resource_of(action, ACCOUNT, region, package) == resource


@pytest.mark.parametrize("pulls", [False, True])
def test_a_feed_needs_its_packages_the_token_and_the_list(pulls: bool) -> None:
    arn = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/"
    expected = {Need(TOKEN), Need(DESCRIBE, f"{arn}*")}
    for name in ("a/b", "c"):
        expected |= {Need(action, arn + name) for action in (*READ, *(PULL if pulls else ()))}
    wanted = needs(feed("a/b", "c", pulls=pulls), ACCOUNT)
    assert set(wanted) == expected
    assert len(wanted) == len(expected)


def test_what_is_called_and_what_is_pulled_are_apart() -> None:
    assert not {*CALLED} & {*PULL}
    assert {*CALLED} == {TOKEN, *READ}
