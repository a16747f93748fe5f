"""What reports show of a feed's account, whichever rules ran."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_feed.feed.learnt import learnt, learnt_so_far
from ecr_feed.permissions.needs import READ
from tests.field.helpers import AUDIT, FOUR, PULL, allow, deny, fault, repository, role, user
from tests.support.feeds import ACCOUNT, APP, opened

SHELF = repository(APP)
FEED = user("feed", allow(FOUR))
WATCHER = user("watcher", allow(AUDIT))
ARN = f"arn:aws:iam::{ACCOUNT}:user/feed"


def test_what_no_rule_has_read_is_read_for_the_report() -> None:
    with opened(SHELF, FEED, WATCHER, auditor="watcher") as at:
        found: Any = learnt(at.rights, policy_fix=False)
        # The auditor is asked for the keys alone, not for the user's policies.
        assert at.drain() == {
            "GetCallerIdentity": 2,
            "GetAuthorizationToken": 1,
            "ListAccessKeys": 1,
            "GetAccessKeyLastUsed": 1,
        }
        assert json.loads(json.dumps(found)) == found
        assert (found["account"], found["identity_arn"]) == (ACCOUNT, ARN)
        assert found["identity_source"] == "key feed of the embedded account"
        assert found["auditor_arn"] == f"arn:aws:iam::{ACCOUNT}:user/watcher"
        fetched, expires = found["token"]
        assert fetched < expires
        (key,) = found["keys"]
        assert (key["status"], key["key_id"][:4]) == ("Active", "AKIA")
        assert key["created_at"] < key["last_used_at"]
        assert found["policy_fix"] is None


def test_what_a_rule_has_read_costs_no_call() -> None:
    with opened(SHELF, FEED) as at:
        at.view.account.token()
        at.view.user(at.rights.principal()).keys()
        at.drain()
        assert learnt(at.rights, policy_fix=False)["keys"]
        assert not at.drain()


def test_without_an_auditor_no_key_is_asked_for() -> None:
    with opened(SHELF, FEED, auditor=None) as at:
        found = learnt(at.rights, policy_fix=False)
        assert (found["keys"], found["auditor_arn"], found["identity_arn"]) == ([], "", ARN)
        assert "ListAccessKeys" not in at.drain()


def test_a_role_has_no_keys() -> None:
    with opened(SHELF, role("octopus", allow(FOUR), label="feed")) as at:
        found = learnt(at.rights, policy_fix=False)
        assert found["keys"] == []
        assert ":assumed-role/octopus/" in str(found["identity_arn"])
        assert "ListAccessKeys" not in at.drain()


@pytest.mark.parametrize(
    ("trouble", "missing"),
    [
        (fault("feed", operation="GetAuthorizationToken", code="ThrottlingException"), {"token"}),
        (
            fault("feed", service="sts", operation="GetCallerIdentity", code="InternalFailure"),
            {"account", "identity_arn", "identity_source", "keys", "auditor_arn"},
        ),
        (user("gagged", deny("*")), set()),
    ],
)
def test_what_cannot_be_had_is_left_out(trouble: str, missing: set[str]) -> None:
    with opened(SHELF, FEED, trouble) as at:
        found = learnt(at.rights, policy_fix=False)
    assert {key for key, value in found.items() if not value} == missing | {"policy_fix", "remarks"}


def test_keys_that_the_auditor_may_not_list_are_left_out() -> None:
    watcher = user("watcher", allow(AUDIT), deny("iam:ListAccessKeys"))
    with opened(SHELF, FEED, watcher, auditor="watcher") as at:
        found = learnt(at.rights, policy_fix=False)
    assert found["keys"] == []
    assert found["auditor_arn"]


def test_the_policy_fix_is_asked_for_or_made_of_answers_so_far() -> None:
    with opened(SHELF, user("feed", allow(FOUR[:3]))) as at:
        assert learnt(at.rights, policy_fix=False)["policy_fix"] is None
        at.rights.answers(READ[2], APP)
        soon = learnt(at.rights, policy_fix=False)["policy_fix"]
    with opened(SHELF, user("feed", allow(FOUR[:3]))) as at:
        asked: Any = learnt(at.rights, policy_fix=True)["policy_fix"]
    assert asked == soon
    (placed,) = asked["documents"]
    assert placed["document"]["Statement"][0]["Action"] == READ[2]
    assert (placed["way"], asked["attach_to"]["name"]) == ("inline", "feed")


def test_an_interrupted_run_reads_nothing_more() -> None:
    with opened(SHELF, FEED) as at:
        found = learnt_so_far(at.rights)
        assert not any(found.values())
        at.view.account.token()
        at.view.account.identity()
        at.drain()
        found = learnt_so_far(at.rights)
        assert found["identity_arn"] == ARN
        assert found["token"]
        assert not at.drain()
        assert set(found) == set(learnt(at.rights, policy_fix=False))


ON = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
STATED = {
    "aws:SourceVpce": "vpce-1",
    "aws:SourceIp": "198.51.100.7",
    "aws:MultiFactorAuthPresent": "true",
    "aws:PrincipalOrgID": "o-1",
    "aws:SourceVpc": "vpc-1",
}
LOOKING = user(
    "feed",
    allow(FOUR),
    allow(PULL[0], when=ON),
    allow("s3:*", when={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    allow("s3:*", when={"StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:SourceVpc": "vpc-1"}}),
)


def test_what_is_said_of_each_stated_value() -> None:
    with opened(SHELF, LOOKING, pulls=True, context=STATED) as at:
        list(at.rights.all_answers())
        before = at.drain()
        found: Any = learnt(at.rights, policy_fix=False)["remarks"]
        assert before["SimulatePrincipalPolicy"]
    assert list(found) == list(STATED)
    assert found["aws:SourceVpce"] == ""
    assert found["aws:SourceIp"] == "No policy that was read looks at it."
    assert found["aws:MultiFactorAuthPresent"].endswith("the feed's requests never have it.")
    assert found["aws:PrincipalOrgID"].endswith("the feed's requests never have it.")
    assert found["aws:SourceVpc"] == "No answer rests on it."


def test_a_value_that_was_read_is_named() -> None:
    shelf = repository(APP, tags={"team": "web"})
    mine = user("feed", allow(FOUR), allow(PULL, when=TAGGED))
    with opened(shelf, mine, pulls=True, context={"aws:ResourceTag/team": "shop"}) as at:
        list(at.rights.all_answers())
        (said,) = learnt_so_far(at.rights)["remarks"].values()  # type: ignore[attr-defined] # JSON
    assert said == "It is not used: what was read says web."


TAGGED = {"StringEquals": {"aws:ResourceTag/team": "shop"}}


def test_without_an_evaluation_nothing_rests_on_a_stated_value() -> None:
    stated = {"aws:SourceVpce": "vpce-1"}
    with opened(SHELF, FEED, auditor=None, context=stated) as at:
        (said,) = learnt_so_far(at.rights)["remarks"].values()  # type: ignore[attr-defined] # JSON
        assert "without an auditor" in said
    with opened(SHELF, FEED, context=stated) as at:
        (said,) = learnt_so_far(at.rights)["remarks"].values()  # type: ignore[attr-defined] # JSON
        assert "no policy was evaluated" in said
        assert not at.drain()
