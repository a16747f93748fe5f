"""The policy that a denied feed lacks, in a finding's fix and as a file."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.facts.iam import LeftOpen
from ecr_feed.permissions.fixes import denial_fix, missing, needed_policy, policy_fix
from ecr_feed.permissions.needs import DESCRIBE, PULL, READ, TOKEN
from ecr_feed.permissions.plan_says import PlanSays
from tests.field.helpers import AUDIT, FOUR, allow, deny, fault, repository, user
from tests.support.feeds import APP, Opened, arn, opened

SHELF = repository(APP)
OTHER = repository("shop/web")
BOTH = (APP, "shop/web")
AUDIT_READS = [*AUDIT[1:], "iam:GetUser*", "iam:GetRole*", "iam:GetPolicy*"]
USER = "arn:aws:iam::123456789012:user/feed"


def granted(fix: dict[str, Any] | None) -> set[tuple[str, str]]:
    """What the documents of a fix allow, by action and resource."""

    def each(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else list(value)

    return {
        (action, resource)
        for placed in (fix or {"documents": []})["documents"]
        for statement in placed["document"]["Statement"]
        for action in each(statement["Action"])
        for resource in each(statement["Resource"])
    }


def fix_of(at: Opened, action: str, package: str | None) -> str:
    return denial_fix(at.rights, at.rights.answers(action, package))


def test_one_fix_allows_everything_that_is_missing() -> None:
    with opened(SHELF, OTHER, user("feed", allow(FOUR[:2])), packages=BOTH, pulls=True) as at:
        fixes = {fix_of(at, action, name) for action in READ[1:] for name in BOTH}
        assert len(fixes) == 1
        fix = fixes.pop()
        assert fix.startswith(f"Add to the identity policies of {USER}: {{")
        for part in (*READ[1:], *PULL, arn(), arn("shop/web")):
            assert f'"{part}"' in fix
        assert TOKEN not in fix


def test_the_fix_of_the_list_without_names_is_for_the_list_alone() -> None:
    with opened(SHELF, user("feed", allow(TOKEN), allow(READ[:2], f"repository/{APP}"))) as at:
        fix = fix_of(at, DESCRIBE, None)
    assert f'"{arn("*")}"' in fix
    assert READ[2] not in fix


def test_no_allow_helps_against_a_deny() -> None:
    with opened(SHELF, user("feed", allow("*"), deny(READ[2]))) as at:
        assert fix_of(at, READ[2], APP).startswith("Narrow the Deny in the ")
        assert policy_fix(at.rights, ask=True) is None


def test_a_limit_and_a_missing_allow_are_both_told() -> None:
    with opened(SHELF, user("feed", allow(FOUR[:3]), boundary=[allow(FOUR[:3])])) as at:
        fix = fix_of(at, READ[2], APP)
    assert fix.startswith(f"Allow {READ[2]} on {arn()} in the permissions boundary. Also add to ")


@pytest.mark.parametrize("pulls", [False, True])
def test_the_policy_is_for_what_the_feed_needs(pulls: bool) -> None:
    with opened(SHELF, user("feed", allow(TOKEN)), pulls=pulls) as at:
        document = policy_fix(at.rights, ask=True)
    # The list without names covers each repository.
    actions = (*READ[1:], *(PULL if pulls else ()))
    assert granted(document) == {(DESCRIBE, arn("*")), *((action, arn()) for action in actions)}


def test_without_asking_only_what_was_answered_counts() -> None:
    with opened(SHELF, user("feed", allow(FOUR[:2])), pulls=True) as at:
        assert policy_fix(at.rights, ask=False) is None
        assert at.drain()["DescribeImages"] == 0
        at.rights.answers(READ[2], APP)
        at.rights.answers(TOKEN, None)
        at.drain()
        assert granted(policy_fix(at.rights, ask=False)) == {(READ[2], arn())}
        assert at.drain() == {"GetAccountSummary": 1}
        assert granted(policy_fix(at.rights, ask=False, read=False)) == {(READ[2], arn())}
        assert not at.drain()


def test_what_was_answered_beside_the_needs_is_not_granted() -> None:
    """LOGIN and PULL rules ask about pulls of a feed that does not need them."""
    with opened(SHELF, user("feed", allow(FOUR)), pulls=False) as at:
        answers = at.rights.answers(PULL[0], APP)
        assert missing([answers])
        assert policy_fix(at.rights, ask=False) is None


def test_a_plan_with_an_unknown_policy_has_no_policy_fix() -> None:
    with opened(
        SHELF, user("feed", allow(TOKEN)), plan_says=PlanSays((LeftOpen("it depends"),))
    ) as at:
        assert policy_fix(at.rights, ask=True) is None


def test_nothing_is_missing_of_a_feed_that_has_all() -> None:
    with opened(SHELF, user("feed", allow(FOUR))) as at:
        assert policy_fix(at.rights, ask=True) is None


def test_an_answer_that_could_not_be_had_is_left_out() -> None:
    busy = fault("feed", operation="DescribeImages", code="ThrottlingException")
    with opened(SHELF, user("feed", allow(FOUR[:3])), busy) as at:
        assert granted(policy_fix(at.rights, ask=True)) == {(READ[2], arn())}


MANY = tuple(f"shop/{number:02}" for number in range(20))


def test_a_long_policy_is_named_in_each_fix_and_stands_in_none() -> None:
    shelves = [repository(name) for name in MANY]
    with opened(*shelves, user("feed", allow(FOUR[0])), packages=MANY) as at:
        fixes = {fix_of(at, action, name) for action in READ for name in MANY}
    (fix,) = fixes
    assert fix.startswith(f"Attach this feed's policy to {USER}: it allows all that is missing.")
    assert "{" not in fix
    assert "--output-format policy-fix" in fix


VPCE = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}


def test_no_allow_without_the_condition_that_was_missed() -> None:
    own = user("feed", allow([TOKEN, READ[2]]), allow(READ[:2], f"repository/{APP}", when=VPCE))
    with opened(SHELF, own) as at:
        named, listing = fix_of(at, READ[1], APP), fix_of(at, DESCRIBE, None)
        assert policy_fix(at.rights, ask=True) is None
    for fix in (named, listing):
        assert "aws:SourceVpce expects vpce-1, found unknown. Send the requests through" in fix
        assert "Add" not in fix


def test_the_list_without_names_lifts_no_condition_on_one_name() -> None:
    own = user("feed", allow([TOKEN, READ[1]]), allow(DESCRIBE, f"repository/{APP}", when=VPCE))
    with opened(SHELF, own) as at:
        fix = policy_fix(at.rights, ask=True)
    assert granted(fix) == {(READ[2], arn())}
    assert fix is not None
    (note,) = fix["notes"]
    assert note.startswith(f"Left out: {DESCRIBE} on {arn()}. Meet or correct the")


@pytest.mark.parametrize(
    ("auditor", "says"),
    [
        (None, "No auditor is configured: what the identity has already"),
        (allow([*AUDIT_READS]), "IAM's default quotas are assumed: iam:GetAccountSummary"),
    ],
)
def test_what_is_not_known_of_the_identity_is_said(auditor: Any, says: str) -> None:
    watcher = user("watcher", auditor or allow("iam:*"))
    key = None if auditor is None else "watcher"
    with opened(SHELF, user("feed", allow(FOUR[:3])), watcher, auditor=key) as at:
        fix = policy_fix(at.rights, ask=True)
    assert fix is not None
    (note,) = fix["notes"]
    assert note.startswith(says)
    assert fix["documents"][0]["way"] == ("managed" if auditor is None else "inline")


def test_policies_that_could_not_be_read_leave_no_room_inline() -> None:
    watcher = user("watcher", allow(AUDIT), deny("iam:GetUserPolicy"))
    with opened(SHELF, user("feed", allow(FOUR[:3])), watcher, auditor="watcher") as at:
        fix = policy_fix(at.rights, ask=True)
    assert fix is not None
    assert fix["documents"][0]["way"] == "managed"
    (note,) = fix["notes"]
    assert note.startswith("Not all that the identity has already is known: iam:GetUserPolicy")


@pytest.mark.parametrize(
    ("planned", "said", "notes"),
    [
        ("managed", "Add the statements to the files of --policy.", 0),
        ("user", "Add the statements to the files of --policy.", 0),
        ("", "Add the statements to the policies of the plan.", 0),
    ],
)
def test_in_a_plan_statements_are_added_and_nothing_is_attached(
    planned: str, said: str, notes: int
) -> None:
    with opened(SHELF, user("feed", allow(FOUR[:3]))) as at:
        fix = policy_fix(at.rights, ask=True, planned=planned)
    assert fix is not None
    assert (fix["said"], fix["attach_to"], len(fix["notes"])) == (said, None, notes)


def test_in_a_plan_what_is_in_the_files_counts_against_the_quota() -> None:
    names = tuple(f"shop/{'x' * 200}{number}" for number in range(6))
    shelves = [repository(name) for name in names]
    own = user("feed", allow([TOKEN, DESCRIBE]), allow(READ[1], [f"repository/{names[0]}"]))
    with opened(*shelves, own, packages=names) as at:
        fix = policy_fix(at.rights, ask=True, planned="user")
        role = policy_fix(at.rights, ask=True, planned="role")
    assert fix is not None
    assert role is not None
    assert fix["notes"][0].startswith("Beyond IAM's quota: 2,")
    assert role["notes"] == []


def test_a_package_that_no_repository_can_be_named_widens_nothing() -> None:
    with opened(SHELF, user("feed", allow(FOUR)), packages=(APP, "shop/*", "Not A Name")) as at:
        policy = needed_policy(at.rights)
    names = {resource.partition("repository/")[2] for _, resource in granted(policy)}
    assert names == {"", "*", APP}


def test_two_feeds_of_one_user_share_its_room() -> None:
    names = tuple(f"shop/{'x' * 150}{number}" for number in range(6))
    shelves = [repository(name) for name in names]
    with opened(*shelves, user("feed", allow(FOUR[:2])), packages=names) as at:
        first = policy_fix(at.rights, ask=True)
        assert first is not None
        second = policy_fix(at.rights, ask=True, others=[first])
        assert second is not None
        elsewhere = {**first, "attach_to": {**first["attach_to"], "name": "another"}}
        apart = policy_fix(at.rights, ask=True, others=[elsewhere])
    assert [each["way"] for each in first["documents"]] == ["inline"]
    assert [each["way"] for each in second["documents"]] == ["managed"]
    assert second["documents"][0]["name"] != first["documents"][0]["name"]
    assert apart == first


def test_what_depends_on_an_unknown_value_is_not_written_without_the_condition() -> None:
    """Pulls are not called: whether the condition is met is not known."""
    own = user("feed", allow(FOUR), allow(PULL, when=VPCE, sid="OurVpc"))
    with opened(SHELF, own, pulls=True) as at:
        [*at.rights.all_answers()]
        policy = needed_policy(at.rights)
    assert policy is not None
    assert not {action for action, _ in granted(policy)} & {*PULL}
    assert "OurVpc" in policy["notes"][0]
