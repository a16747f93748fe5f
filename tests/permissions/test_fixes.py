"""The policy that a denied feed lacks, in a finding's fix and as a file."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.facts.iam import LeftOpen
from ecr_feed.permissions.fixes import denial_fix, missing, policy_fix
from ecr_feed.permissions.needs import DESCRIBE, PULL, READ, TOKEN
from ecr_feed.permissions.plan_says import PlanSays
from tests.field.helpers import FOUR, allow, deny, fault, repository, user
from tests.support.feeds import APP, Opened, arn, opened

SHELF = repository(APP)
OTHER = repository("shop/web")
BOTH = (APP, "shop/web")
USER = "arn:aws:iam::123456789012:user/feed"


def granted(document: dict[str, Any] | None) -> set[tuple[str, str]]:
    """What a policy document allows, by action and resource."""

    def each(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else list(value)

    return {
        (action, resource)
        for statement in (document or {"Statement": []})["Statement"]
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
