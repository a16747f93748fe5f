"""When a feed's registry is asked, for which image, and what ends a check before it is."""

from __future__ import annotations

import base64
import json

import pytest

from ecr_feed.config import Package
from ecr_feed.facts.aws import ReadError, Trouble
from ecr_feed.feed.registry import TEST_ENDPOINT
from ecr_feed.oci import Step
from ecr_feed.outcomes import NotApplicable, NotAssessed, collecting_evidence
from tests.field.helpers import ALL, FOUR, allow, fault, repository, table, user
from tests.support.feeds import ACCOUNT, APP, opened

SHELF = repository(APP)
FEED = user("feed", allow("*"))
IMAGES = [
    {"tags": ["1.0.0"], "age_days": 9},
    {"tags": ["1.1.0", "latest"], "age_days": 2},
    {"tags": ["sha256-" + "0" * 64 + ".sig"], "age_days": 1},
]
RULE = table("cache_rule", prefix="shop", upstream="upstream.example")


def test_a_login_is_made_once() -> None:
    with opened(SHELF, FEED) as at:
        login = at.view.registry.login()
        assert (login.login.ok, login.wrong_password.ok) == (True, True)
        assert at.view.registry.login() is login


def test_a_test_endpoint_has_no_registry() -> None:
    with opened(SHELF, FEED, at_aws=False) as at:
        assert not at.view.registry.applies
        for ask in (at.view.registry.login, lambda: at.view.registry.pull(APP)):
            with pytest.raises(NotApplicable) as caught:
                ask()
            assert str(caught.value) == TEST_ENDPOINT


def test_the_newest_version_is_asked_for() -> None:
    with opened(repository(APP, images=IMAGES), FEED) as at:
        with collecting_evidence() as evidence:
            walk = at.view.registry.pull(APP)
        assert walk.wanted.tag == "1.1.0"
        assert all(step.ok for step in walk.steps)
        touched = evidence["touched"]
        assert isinstance(touched, list)
        assert any(f"/v2/{APP}/manifests/1.1.0 200" in each for each in touched)
        (views,) = at.view.registry.views(APP)
        assert views.active_tags == {"1.0.0", "1.1.0", "latest", "sha256-" + "0" * 64 + ".sig"}


def test_the_tag_and_platform_of_the_feeds_file() -> None:
    wanted = (Package(id=APP, tag="1.0.0", platform="linux/amd64"),)
    with opened(repository(APP, images=IMAGES), FEED, packages=wanted) as at:
        walk = at.view.registry.pull(APP)
    assert (walk.wanted.tag, str(walk.wanted.platform)) == ("1.0.0", "linux/amd64")


@pytest.mark.parametrize("images", [[], [IMAGES[2]]])
def test_without_a_version_there_is_no_tag(images: list[object]) -> None:
    with opened(repository(APP, images=images), FEED) as at:
        assert at.view.registry.pull(APP).wanted.tag is None


def test_a_missing_repository_is_not_asked_for() -> None:
    with opened(FEED) as at, pytest.raises(NotApplicable, match="REPO-1"):
        at.view.registry.pull(APP)


def test_what_a_cache_rule_serves_is_not_read() -> None:
    with opened(SHELF, FEED, RULE) as at, pytest.raises(NotApplicable, match="pull-through"):
        at.view.registry.pull(APP)


def test_by_digest_where_the_cache_rules_are_unknown() -> None:
    watcher = user("watcher", allow("iam:*"))
    with opened(repository(APP, images=IMAGES), FEED, watcher, auditor="watcher") as at:
        assert str(at.view.registry.pull(APP).wanted.tag).startswith("sha256:")


def test_images_that_could_not_be_read_are_not_no_images() -> None:
    part = fault("feed", operation="DescribeImages", code="ServerException", status=500)
    with opened(SHELF, FEED, part) as at, pytest.raises(ReadError, match="DescribeImages"):
        at.view.registry.pull(APP)


def registry_fault(**fields: object) -> str:
    return table("fault", service="registry", **fields)


def test_what_disagrees_is_read_once_more_and_what_agrees_is_not() -> None:
    stale = registry_fault(operation="tags", replace=['"3.1.0"', '"3.0.0"'], times=1)
    with opened(SHELF, FEED, stale) as at:
        with collecting_evidence() as evidence:
            views = at.view.registry.views(APP)
        assert [each.lists_differ for each in views] == [True, False]
        assert at.view.registry.views(APP) is views
        touched = evidence["touched"]
        assert isinstance(touched, list)
        assert sum("/tags/list" in each for each in touched) == 2
        assert at.drain()["DescribeImages"] == 2
    with opened(SHELF, FEED) as at:
        assert len(at.view.registry.views(APP)) == 1
        assert at.drain()["DescribeImages"] == 1


def test_a_tag_that_only_the_api_has_is_walked_once_more() -> None:
    gone = registry_fault(operation="manifest", code="ImageNotFoundException")
    with opened(SHELF, FEED, gone) as at:
        walk = at.view.registry.pull(APP)
        (head,) = walk.of(Step.HEAD)
        assert head.trouble is Trouble.CONTRADICTION
        assert len(head.answers) == 6
    once = registry_fault(operation="manifest", code="ImageNotFoundException", times=1)
    with opened(SHELF, FEED, once) as at:
        assert all(step.ok for step in at.view.registry.pull(APP).steps)


@pytest.mark.parametrize(
    ("pulls", "error", "reason"), [(True, NotAssessed, "PERM-5"), (False, NotApplicable, "pulls")]
)
def test_a_manifest_that_may_not_be_read(pulls: bool, error: type[Exception], reason: str) -> None:
    with (
        opened(SHELF, user("feed", allow(FOUR)), pulls=pulls) as at,
        pytest.raises(error, match=reason),
    ):
        at.view.registry.pull(APP)


def test_a_refusal_by_the_registry_counts_without_an_auditor() -> None:
    mine = user("feed", allow(FOUR))
    with opened(SHELF, mine, auditor=None) as at, pytest.raises(NotApplicable, match="pulls"):
        at.view.registry.pull(APP)
    with opened(SHELF, mine, auditor=None, pulls=True) as at:
        assert not all(step.ok for step in at.view.registry.pull(APP).of(Step.HEAD))


def test_a_list_of_tags_that_is_denied() -> None:
    with opened(SHELF, user("feed", allow(tuple(set(ALL) - {"ecr:ListImages"})))) as at:
        assert at.view.registry.pull(APP).tags is None
        with pytest.raises(NotAssessed, match="PERM-4"):
            at.view.registry.views(APP)


HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"


def answered(text: str, expires: int) -> str:
    """ECR's answer to GetAuthorizationToken, replaced."""
    token = base64.b64encode(text.encode()).decode()
    data = {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": f"https://{HOST}"}
    return fault(
        "feed",
        operation="GetAuthorizationToken",
        content_type="application/x-amz-json-1.1",
        body=json.dumps({"authorizationData": [data]}),
    )


@pytest.mark.parametrize(
    ("part", "account", "rule"),
    [
        (answered("<html>", 1_900_000_000), None, "TOKEN-1"),
        (answered("AWS:secret", 1_700_000_000), None, "TOKEN-2"),
        ("", "210987654321", "TOKEN-3"),
    ],
)
def test_a_token_that_cannot_be_used_is_not_sent(part: str, account: str | None, rule: str) -> None:
    with opened(SHELF, FEED, part, account=account) as at, pytest.raises(NotAssessed, match=rule):
        at.view.registry.login()
