"""Which answers what a plan leaves open does leave open."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.facts.iam import Effect, LeftOpen
from ecr_feed.iam import Decision, Policies, Request, decide, parse
from ecr_feed.permissions.plan_says import PlanSays

USER = "arn:aws:iam::123456789012:user/octopus"
APP = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
ACTION = "ecr:ListImages"


def decision(*, own: bool, granted: bool) -> Decision:
    """By an identity policy, by a repository policy, by both or by none."""
    allow: dict[str, Any] = {"Effect": "Allow", "Action": ACTION}
    identity = parse({"Version": "2012-10-17", "Statement": [allow | {"Resource": "*"}]})
    resource = parse(
        {"Version": "2012-10-17", "Statement": [allow | {"Principal": {"AWS": USER}}]},
        kind="resource",
    )
    policies = Policies(identity=(identity,) if own else (), resource=resource if granted else None)
    return decide(Request(USER, ACTION, APP), policies)


@pytest.mark.parametrize(
    ("effect", "allowed", "denied"),
    [
        (Effect.ANY, True, True),
        (Effect.LIMITS, True, False),
        (Effect.GRANTS, False, True),
        (Effect.REFUSED, False, False),
        (Effect.VERDICT, False, False),
    ],
)
def test_an_item_opens_what_it_can_change(effect: Effect, allowed: bool, denied: bool) -> None:
    says = PlanSays((LeftOpen("x is unknown", effect=effect),))
    own = decision(own=True, granted=True)
    nothing = decision(own=False, granted=False)
    assert bool(says.doubt("team/app", allowed=True, decision=own)) is allowed
    assert bool(says.doubt("team/app", allowed=False, decision=nothing)) is denied


@pytest.mark.parametrize(("own", "rests"), [(True, False), (False, True)])
def test_a_grant_that_may_be_refused_opens_what_rests_on_it(own: bool, rests: bool) -> None:
    says = PlanSays((LeftOpen("x grants it", "team/app", Effect.REFUSED),))
    made = decision(own=own, granted=True)
    assert made.allowed
    assert bool(says.doubt("team/app", allowed=True, decision=made)) is rests
    assert not says.doubt("team/api", allowed=True, decision=made)


def test_an_item_about_a_repository_is_about_no_other() -> None:
    says = PlanSays((LeftOpen("x is unknown", "team/app"),))
    made = decision(own=True, granted=False)
    assert "x is unknown" in says.doubt("team/app", allowed=True, decision=made)
    assert not says.doubt("team/api", allowed=True, decision=made)
    assert not says.doubt(None, allowed=True, decision=made)
    assert says.may_grant is None
