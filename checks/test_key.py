"""The feed's access key and its IAM user: key age, other keys, console password."""

from __future__ import annotations

from datetime import datetime

from ecr_feed.check import LOW, MEDIUM, check
from ecr_feed.config import Feed
from ecr_feed.facts.aws import ReadError
from ecr_feed.facts.iam import AccessKey
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.feed.access_key import FeedUser
from ecr_feed.outcomes import expect, not_assessed
from ecr_feed.report.record import ROTATE_AFTER

_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
_READS = ("iam:GetUser", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed")


def _console_password(plan: PlanFacts, region: str, package: str | None) -> str | None:
    return None if plan.console_password else "No document gives the feed's user a password."


@check(
    id="KEY-1",
    severity=MEDIUM,
    title="The feed's access key is at most 90 days old",
    why="A leaked long-term key works until it is deleted.",
    fix="Create a second key, set it in the feed, run this again, then delete the old key.",
    reads=_READS,
    refs=(_KEYS,),
    in_plan="A plan has no access key yet.",
)
def test_key_is_young(feed: Feed, feed_user: FeedUser, now: datetime) -> None:
    own = _listed_key(feed_user)
    if own.created_at is None:
        not_assessed("IAM did not return the key's creation date.")
    age = now - own.created_at
    expect(
        age <= ROTATE_AFTER,
        f"The feed's access key {own.id} is {age.days} days old.",
        expected=f"at most {ROTATE_AFTER.days} days",
        found=f"{age.days} days",
    )


@check(
    id="KEY-2",
    severity=LOW,
    title="The feed's user has no inactive key",
    why="Anyone allowed to change the user can activate an inactive key again.",
    fix="Delete the inactive key: `aws iam delete-access-key`.",
    reads=_READS,
    refs=(_KEYS,),
    in_plan="A plan has no access key yet.",
)
def test_no_inactive_key(feed: Feed, feed_user: FeedUser) -> None:
    _listed_key(feed_user)
    dead = [key.id for key in feed_user.other_keys() if not key.is_active]
    expect(
        not dead,
        f"User {feed_user.name} has an inactive access key: {', '.join(dead)}.",
        expected="active keys only",
        found=f"inactive: {', '.join(dead)}" if dead else "active keys only",
        fix=_deletion(feed_user, dead),
    )


@check(
    id="KEY-3",
    severity=MEDIUM,
    title="The feed's user has no unused second key",
    why="An unused key adds risk and no benefit.",
    fix="Delete the unused key: `aws iam delete-access-key`.",
    reads=_READS,
    refs=(_KEYS,),
    in_plan="A plan has no access key yet.",
)
def test_no_unused_second_key(feed: Feed, feed_user: FeedUser) -> None:
    _listed_key(feed_user)
    others = [key for key in feed_user.other_keys() if key.is_active]
    for key in others:
        _known_use(key)
    unused = [key.id for key in others if key.last_used_at is None]
    expect(
        not unused,
        f"User {feed_user.name} has a second access key that was never used: {', '.join(unused)}.",
        expected="no unused second key",
        found=f"a second key that was never used: {', '.join(unused)}"
        if unused
        else "no unused second key",
        fix=_deletion(feed_user, unused),
    )


@check(
    id="KEY-4",
    severity=MEDIUM,
    title="The feed's user has no console password",
    why="Octopus does not use the console: a console password adds risk and no benefit.",
    fix="Delete the user's console password: `aws iam delete-login-profile`.",
    reads=(*_READS, "iam:GetLoginProfile"),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords.html",),
    in_plan=_console_password,
)
def test_no_console_password(feed: Feed, feed_user: FeedUser, plan: PlanFacts | None) -> None:
    if plan is None:  # a plan has no keys that IAM could list
        _listed_key(feed_user)
    has = feed_user.has_console_password()
    expect(
        not has,
        f"User {feed_user.name} can log in to the console.",
        expected="no console password",
        found="a console password" if has else "no console password",
        fix=f"aws iam delete-login-profile --user-name {feed_user.name}" if has else None,
    )


def _listed_key(user: FeedUser) -> AccessKey:
    """The feed's own key; ends the check where IAM lists the user's keys without it.

    What IAM returned is then not about the feed's user, or not complete.
    """
    own = user.own_key()
    if own is None:
        not_assessed(f"IAM does not list the feed's key among the keys of user {user.name}.")
    return own


def _deletion(user: FeedUser, key_ids: list[str]) -> str | None:
    """One command for each key; None where there is nothing to delete."""
    command = f"aws iam delete-access-key --user-name {user.name} --access-key-id"
    return "; ".join(f"{command} {key_id}" for key_id in key_ids) or None


def _known_use(key: AccessKey) -> None:
    if key.unread:
        raise ReadError(key.unread[0])
