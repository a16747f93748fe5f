"""The fix for a denied permission: the smallest policy, or the policy that denies it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ecr_feed.facts.aws import Answer, ReadError
from ecr_feed.iam import Need, smallest_policy
from ecr_feed.permissions.answers import PROBED, PULL, TOKEN, Answers, Rights
from ecr_feed.permissions.blockers import blocker, needs_allow


def policy_fix(rights: Rights, answers: Answers) -> str:
    """The fix of one denial: what blocks the call, and the smallest missing policy."""
    way = blocker(answers)
    if not needs_allow(answers):
        return way
    own = Need(answers.action, answers.resource)
    wanted = missing_needs(rights)
    documents = smallest_policy(wanted if own in wanted else [own])
    rights.policy_fix = rights.policy_fix or dict(documents[0])
    text = " and ".join(json.dumps(each, separators=(", ", ": ")) for each in documents)
    first = f"{way} Also add" if way else "Add"
    return f"{first} to the identity policies of {_whose(rights)}: {text}"


def missing_needs(rights: Rights) -> list[Need]:
    """Everything that the feed needs and that an identity policy could grant, over all packages."""
    return [
        Need(answers.action, answers.resource)
        for answers in all_answers(rights)
        if answers.answer is Answer.DENIED and needs_allow(answers)
    ]


def all_answers(rights: Rights) -> Iterator[Answers]:
    """The answers on every action that the feed needs, where there are any."""
    actions = [*PROBED, *(PULL if rights.account.feed.pulls else ())]
    wanted: list[tuple[str, str | None]] = [(TOKEN, None)]
    wanted += [(action, package) for package in rights.packages() for action in actions]
    for action, package in wanted:
        try:
            yield rights.answers(action, package)
        except ReadError:
            continue  # its own rule says that it was not assessed


def needs(rights: Rights) -> list[Need]:
    """What a feed needs, on exactly its packages; Octopus's search needs the list without names."""
    actions = [*PROBED, *(PULL if rights.account.feed.pulls else ())]
    return [
        Need(TOKEN),
        Need(PROBED[0], rights.resource(PROBED[0], None)),
        *(
            Need(action, rights.resource(action, package.id))
            for package in rights.account.feed.packages
            for action in actions
        ),
    ]


def _whose(rights: Rights) -> str:
    try:
        arn = rights.principal().arn if rights.has_auditor else rights.account.identity().arn
    except ReadError:
        arn = rights.account.identity().arn
    return arn
