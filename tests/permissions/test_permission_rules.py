"""What the answers about a permission mean for the PERM and SCOPE rules."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.facts.aws import ReadError
from ecr_feed.facts.iam import LeftOpen, Principal
from ecr_feed.findings import OutcomeWord
from ecr_feed.iam import ActionGroup
from ecr_feed.permissions.needs import DESCRIBE, PULL, READ, TOKEN
from ecr_feed.permissions.permission_rules import (
    NO_AUDITOR,
    judge_agreement,
    judge_breadth,
    judge_listing,
    judge_permission,
    judge_pull_permission,
)
from ecr_feed.permissions.plan_says import PlanSays
from tests.field.helpers import ALL, FOUR, allow, deny, fault, repository, table, user
from tests.support.feeds import APP, Opened, arn, opened

MET, NOT_MET = OutcomeWord.MET, OutcomeWord.NOT_MET
NOT_ASSESSED, NOT_APPLICABLE = OutcomeWord.NOT_ASSESSED, OutcomeWord.NOT_APPLICABLE
SHELF = repository(APP)


def outcomes(at: Opened) -> dict[str, OutcomeWord]:
    """Each action's outcome on the one package."""
    judged = {TOKEN: judge_permission(at.rights, TOKEN, None)}
    judged |= {action: judge_permission(at.rights, action, APP) for action in READ}
    judged |= {action: judge_pull_permission(at.rights, action, APP) for action in PULL}
    return {action: each.outcome for action, each in judged.items()}


@pytest.mark.parametrize("allowed", [ALL, FOUR, FOUR[:1], ("s3:*",)])
def test_an_action_is_met_where_it_is_allowed(allowed: tuple[str, ...]) -> None:
    with opened(SHELF, user("feed", allow(allowed)), pulls=True) as at:
        assert outcomes(at) == {each: MET if each in allowed else NOT_MET for each in ALL}


def test_a_denial_says_what_was_denied_and_how_to_allow_it() -> None:
    with opened(SHELF, user("feed", allow(FOUR[:3]))) as at:
        judged = judge_permission(at.rights, READ[2], APP)
    assert judged.message == f"The feed may not call {READ[2]} on {APP}."
    assert judged.expected == f"{READ[2]} allowed on {arn()}"
    assert "no identity-based policy allows" in judged.because
    found = str(judged.found)
    assert f"statement 1 of the identity-based policy 'own'; its Action is {FOUR[0]}" in found
    assert found.endswith(f"AWS: {judged.because}")
    assert f'"Action": "{READ[2]}"' in (judged.fix or "")
    assert judged.evidence["action"] == READ[2]
    witnesses: Any = judged.evidence["witnesses"]
    assert {each["witness"]: each["answer"] for each in witnesses} == {
        "probe": "denied",
        "simulation": "denied",
        "evaluation": "denied",
    }
    assert judged.evidence["request_id"]


def test_without_an_auditor_only_calls_answer() -> None:
    with opened(SHELF, user("feed", allow(FOUR)), auditor=None, pulls=True) as at:
        found = outcomes(at)
        assert [found[each] for each in FOUR] == [MET] * 4
        assert [found[each] for each in PULL] == [NOT_APPLICABLE] * 2
        message = judge_pull_permission(at.rights, PULL[0], APP).message
        assert message.startswith(NO_AUDITOR)
        assert "--deep" in message
        assert judge_agreement(at.rights).message == NO_AUDITOR
        assert "needed no list without names" in judge_listing(at.rights).message


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Shop/Cart", "REPO-2"), ("shop/gone", "REPO-1")],
)
def test_without_a_repository_there_is_no_permission(name: str, reason: str) -> None:
    with opened(user("feed", allow(ALL)), packages=(name,), pulls=True) as at:
        for action in (*READ, *PULL):
            judged = judge_permission(at.rights, action, name)
            assert judged.outcome is NOT_APPLICABLE
            assert f"({reason})" in judged.message


@pytest.mark.parametrize(
    ("on", "outcome"), [("repository/*", MET), ("*", MET), (f"repository/{APP}", NOT_MET)]
)
def test_the_list_without_names(on: str, outcome: OutcomeWord) -> None:
    with opened(SHELF, user("feed", allow(ALL), allow(DESCRIBE, on))) as at:
        assert judge_listing(at.rights).outcome is MET
    with opened(SHELF, user("feed", allow(TOKEN), allow(READ, on))) as at:
        assert judge_listing(at.rights).outcome is outcome


def test_a_failed_call_is_not_a_denial() -> None:
    throttled = fault("feed", operation="DescribeImages", code="ThrottlingException")
    with opened(SHELF, user("feed", allow(ALL)), throttled) as at, pytest.raises(ReadError):
        judge_permission(at.rights, READ[1], APP)


def test_what_an_auditor_may_not_read_is_not_assessed() -> None:
    watcher = user("watcher", allow("iam:GetUser"))
    with opened(SHELF, user("feed", allow(ALL)), watcher, auditor="watcher", pulls=True) as at:
        judged = judge_pull_permission(at.rights, PULL[0], APP)
        assert judged.outcome is NOT_ASSESSED
        assert judged.evidence["resource"] == arn()
        assert outcomes(at)[READ[0]] is MET  # the call was made
        with pytest.raises(ReadError, match="AccessDenied"):
            judge_agreement(at.rights)


@pytest.mark.parametrize(
    ("statement", "outcome"), [(allow(TOKEN), NOT_ASSESSED), (deny(READ[2]), NOT_MET)]
)
def test_an_unknown_policy_of_a_plan_may_allow_but_not_undo_a_deny(
    statement: dict[str, Any], outcome: OutcomeWord
) -> None:
    both = user("feed", allow(FOUR[:3]), statement)
    with opened(SHELF, both, plan_says=PlanSays((LeftOpen("policy x is unknown"),))) as at:
        judged = judge_permission(at.rights, READ[2], APP)
    assert judged.outcome is outcome
    assert ("policy x is unknown" in judged.message) is (outcome is NOT_ASSESSED)


def test_answers_that_agree() -> None:
    with opened(SHELF, user("feed", allow(FOUR)), pulls=True) as at:
        assert judge_agreement(at.rights).holds


def test_answers_of_which_one_could_not_be_had() -> None:
    gone = fault("*", operation="SimulatePrincipalPolicy", code="AccessDenied")
    with opened(SHELF, gone, user("feed", allow(FOUR))) as at, pytest.raises(ReadError) as raised:
        judge_agreement(at.rights)
    assert raised.value.failure.operation == "SimulatePrincipalPolicy"


def test_a_policy_that_only_the_call_meets() -> None:
    shut = table("network", vpce="vpce-1", vpc="vpc-1").replace("[[network]]", "[network]")
    shut += 'endpoint_policy = [{ deny = "ecr:ListImages" }, { allow = "*" }]\n'
    with opened(shut, SHELF, user("feed", allow(ALL)), pulls=True) as at:
        judged = judge_agreement(at.rights)
        assert judged.outcome is NOT_MET
        assert judged.message == "The answers disagree about 1 permission."
        assert "AWS names the VPC endpoint policy" in str(judged.found)
        assert judged.fix == f"Allow {READ[2]} on {arn()} in the VPC endpoint policy."
        # An action that is never called might be denied there too.
        pull = judge_pull_permission(at.rights, PULL[0], APP)
        assert pull.outcome is NOT_ASSESSED


GROUPS = {
    "ecr:PutImage": ActionGroup.ECR_WRITE,
    "ecr:SetRepositoryPolicy": ActionGroup.ESCALATION,
    "iam:PutUserPolicy": ActionGroup.ESCALATION,
    "iam:GetUser": ActionGroup.IAM,
    "s3:GetObject": ActionGroup.OTHER,
}


@pytest.mark.parametrize("action", [None, *GROUPS])
def test_what_a_feed_does_not_need_falls_into_one_group(action: str | None) -> None:
    more = [allow(action)] if action else []
    on = [f"repository/{APP}"]
    needed = [allow(TOKEN), allow(DESCRIBE, "repository/*"), allow(READ[1:], on)]
    with opened(SHELF, user("feed", *needed, *more)) as at:
        for group in ActionGroup:
            judged = judge_breadth(at.rights, at.rights.principal(), group)
            if action is not None and GROUPS[action] is group:
                assert judged.outcome is NOT_MET
                assert action in str(judged.evidence[str(group)])
                assert judged.found
            else:
                assert (judged.outcome, judged.evidence) == (MET, {})


def test_a_long_list_of_actions_is_cut() -> None:
    with opened(SHELF, user("feed", allow("*"))) as at:
        judged = judge_breadth(at.rights, at.rights.principal(), ActionGroup.OTHER)
    shown: Any = judged.evidence[str(ActionGroup.OTHER)]
    assert len(shown) == 21
    assert shown[-1].startswith("and ")


def test_no_policy_limits_the_root_user() -> None:
    root = Principal("root", "arn:aws:iam::123456789012:root", "123456789012", "root")
    with opened(SHELF, user("feed", allow(ALL))) as at:
        judged = judge_breadth(at.rights, root, *ActionGroup)
    assert (judged.outcome, "IDENT-3" in judged.message) == (NOT_APPLICABLE, True)


@pytest.mark.parametrize(
    ("action", "on", "outcome"),
    [("s3:GetObject", "*", NOT_MET), ("ecr:ListImages", f"repository/{APP}", NOT_ASSESSED)],
)
def test_excess_counts_though_another_policy_could_not_be_read(
    action: str, on: str, outcome: OutcomeWord
) -> None:
    """What was read is enough to be not met; to be met, every policy has to be read."""
    watcher = user("watcher", allow("iam:*"), deny("iam:ListAttachedUserPolicies"))
    mine = user(
        "feed", allow(TOKEN), allow(action, f"repository/{APP}" if "ecr" in action else "*")
    )
    with opened(SHELF, mine, watcher, auditor="watcher") as at:
        judged = judge_breadth(at.rights, at.rights.principal(), *ActionGroup)
    assert judged.outcome is outcome
    assert ("ListAttachedUserPolicies" in judged.message) is (outcome is NOT_ASSESSED)
