"""The fix for a denied permission: the smallest policy, or the policy that denies it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ecr_feed.facts.aws import Answer
from ecr_feed.facts.iam import Effect
from ecr_feed.iam import Need, smallest_policy
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.blockers import blocker, needs_allow
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.needs import needs


def denial_fix(rights: Rights, answers: Answers) -> str:
    """The fix of one denial: what blocks the call, and the smallest missing policy.

    The policy allows everything that is missing, so that one change of it is enough.
    """
    way = blocker(answers)
    if not needs_allow(answers):
        return way
    own = Need(answers.action, answers.resource)
    wanted = missing(rights.all_answers())
    documents = smallest_policy(wanted if own in wanted else [own])
    text = " and ".join(json.dumps(each, separators=(", ", ": ")) for each in documents)
    first = f"{way} Also add" if way else "Add"
    return f"{first} to the identity policies of {rights.grantee()}: {text}"


def missing(answered: Iterable[Answers]) -> list[Need]:
    """What is denied and what an identity policy could grant."""
    return [
        Need(answers.action, answers.resource)
        for answers in answered
        if answers.answer is Answer.DENIED and needs_allow(answers)
    ]


def policy_fix(rights: Rights, *, ask: bool) -> dict[str, object] | None:
    """The smallest policy that allows all that the feed needs and is denied; None for nothing.

    `ask`: every answer is obtained, which may make calls; else the answers obtained so far are
    used. None too where a plan leaves a policy unknown: that policy may allow what is missing.
    """
    if any(each.effect is Effect.ANY for each in rights.plan_says.left_open):
        return None
    answered = [*rights.all_answers(), *rights.listing_answers()] if ask else rights.so_far()
    denied = missing(answered)
    if not denied:
        return None
    needed = set(needs(rights.account.feed, rights.account_id()))
    documents = smallest_policy(need for need in denied if need in needed)
    return dict(documents[0]) if documents else None
