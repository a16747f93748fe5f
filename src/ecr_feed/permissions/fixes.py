"""The fix for denied permissions: the smallest policies, or the policy that denies them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from ecr_feed.config import OidcCredentials
from ecr_feed.facts.aws import Answer, ReadError
from ecr_feed.facts.iam import Effect, Principal
from ecr_feed.iam import DEFAULT_QUOTAS, Need, PolicyQuotas, smallest_policy, used_size
from ecr_feed.iam.patterns import covers
from ecr_feed.naming import is_repository_name
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.attachment import (
    ANY_SIZE,
    Attachment,
    Holder,
    Room,
    common_path,
    fitted,
    holder_of,
    room_for,
    way_of,
)
from ecr_feed.permissions.blockers import blocker, is_conditional, needs_allow
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.needs import needs
from ecr_feed.text.words import few, many

FIX: Final = "fix"
FEED: Final = "feed"
"""What a policy is for, as its name in IAM says: what is missing, or all that the feed needs."""
_SHOWN: Final = 30  # permissions of a policy that stands in the fix of each finding
_LONGEST: Final = 480  # characters of it
_WHERE: Final = (
    "it allows all that is missing. --output-format policy-fix writes it to files, with the "
    "commands; report.html and results.json (policy_fix) have it too."
)
_NO_AUDITOR: Final = (
    "No auditor is configured: what the identity has already and the account's own quotas are not "
    "known. IAM's default quotas are assumed."
)


def denial_fix(rights: Rights, answers: Answers) -> str:
    """The fix of one denial: what blocks the call, and the smallest missing policy.

    The policy allows everything that is missing, so that one change of it is enough; where that is
    long, the fix says where the policy is.
    """
    way = blocker(answers)
    if not needs_allow(answers):
        return way
    own = Need(answers.action, answers.resource)
    if "*" in own.resource:
        limited = _lifted(own, _conditional(rights.all_answers()))
        if limited:
            return f"{way} {blocker(limited[0])}".lstrip()
    text = _whole(rights, own)
    if text is None:
        first = f"{way} Also attach" if way else "Attach"
        return f"{first} this feed's policy to {rights.grantee()}: {_WHERE}"
    first = f"{way} Also add" if way else "Add"
    return f"{first} to the identity policies of {rights.grantee()}: {text}"


def _whole(rights: Rights, own: Need) -> str | None:
    """A policy for all that is missing; None where it is too long to stand in each finding."""
    wanted = list(islice(_missing(rights.all_answers()), _SHOWN + 1))
    if len(wanted) > _SHOWN:
        return None
    text = _text(wanted if own in wanted else [own])
    return text if len(text) <= _LONGEST else None


def _text(wanted: Iterable[Need]) -> str:
    documents = smallest_policy(wanted)
    return " and ".join(json.dumps(each, separators=(", ", ": ")) for each in documents)


def missing(answered: Iterable[Answers]) -> list[Need]:
    """What is denied and what an identity policy could grant."""
    return [*_missing(answered)]


def _missing(answered: Iterable[Answers]) -> Iterable[Need]:
    return (
        Need(answers.action, answers.resource)
        for answers in answered
        if answers.answer is Answer.DENIED and needs_allow(answers)
    )


def policy_fix(
    rights: Rights,
    *,
    ask: bool,
    read: bool = True,
    planned: str | None = None,
    others: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any] | None:
    """The policies that allow all that the feed needs and is denied; None for nothing.

    JSON values: see `Attachment.plain`. `ask`: every answer is obtained, which may make calls; else
    the answers obtained so far are used. `read`: what the identity has already may be read. None
    too where a plan leaves a policy unknown: that policy may allow what is missing. `planned`,
    `others`: see `needed_policy`.
    """
    if any(each.effect is Effect.ANY for each in rights.plan_says.left_open):
        return None
    answered = [*rights.all_answers(), *rights.listing_answers()] if ask else rights.so_far()
    denied = [each for each in answered if each.answer is Answer.DENIED]
    if not denied:
        return None
    needed = set(_needed(rights))
    ours = [each for each in denied if Need(each.action, each.resource) in needed]
    wanted, left_out = _without_lifting(missing(ours), ours)
    left_out += [each for each in ours if not needs_allow(each) and each not in left_out]
    if not wanted:
        return None
    subject = _Subject(rights, planned, others, read=read)
    return subject.attached(wanted, FIX, left_out).plain


def needed_policy(
    rights: Rights,
    *,
    planned: str | None = None,
    others: Sequence[Mapping[str, Any]] = (),
    spare: int = 0,
) -> dict[str, Any] | None:
    """The policies that allow all that the feed needs, whatever it is allowed already.

    JSON values: see `Attachment.plain`. What a statement allows under a condition that is not met,
    or that nobody knows to be met, is left out. None for a feed whose account is unknown (its
    credentials were refused, and the feeds file names none), and where nothing is left to allow:
    its findings say so.

    `planned`: None for an account that exists, else how the policies of a plan are attached (one of
    `planned.attachment.WAYS`, or "" for a Terraform plan). Each document is `spare` characters
    smaller than it may be. `others` are the policies of other feeds, which may be for the same
    identity.
    """
    try:
        wanted = _needed(rights)
    except ReadError:
        return None
    kept, left_out = _without_lifting(wanted, rights.so_far())
    if not kept:
        return None
    return _Subject(rights, planned, others, spare=spare).attached(kept, FEED, left_out).plain


def _without_lifting(
    wanted: Iterable[Need], answered: Iterable[Answers]
) -> tuple[list[Need], list[Answers]]:
    """The needs whose Allow lifts no condition, and the answers that kept others out."""
    limited = _conditional(answered)
    lifted = {need: _lifted(need, limited) for need in wanted}
    left_out = {id(each): each for found in lifted.values() for each in found}
    return [need for need, found in lifted.items() if not found], [*left_out.values()]


def _conditional(answered: Iterable[Answers]) -> list[Answers]:
    """What is not allowed, as far as anybody knows, for want of a condition that is met."""
    return [each for each in answered if each.answer is not Answer.ALLOWED and is_conditional(each)]


def _lifted(need: Need, limited: Iterable[Answers]) -> list[Answers]:
    """What an Allow of the need would allow without the condition that is not met."""
    return [
        each
        for each in limited
        if each.action == need.action and covers(need.resource, each.resource)
    ]


def _needed(rights: Rights) -> list[Need]:
    """What the feed needs, on packages that can have a repository."""
    feed = rights.account.feed
    legal = tuple(package for package in feed.packages if is_repository_name(package.id))
    return needs(feed.model_copy(update={"packages": legal}), rights.account_id())


@dataclass(frozen=True, slots=True)
class _Subject:
    """The feed whose identity gets the policies."""

    rights: Rights
    planned: str | None
    others: Sequence[Mapping[str, Any]] = ()
    read: bool = True
    spare: int = 0

    def attached(self, wanted: list[Need], purpose: str, left_out: Iterable[Answers]) -> Attachment:
        """The documents for the needs, and the way to attach them."""
        if self.planned is not None:
            return self._in_a_plan(self.planned, wanted, purpose, self._left_out(left_out))
        base = f"ecr-{self.rights.account.feed.slug}-{purpose}"
        found = holder_of(_arn(self.rights))
        if isinstance(found, str):
            room = Room(0, DEFAULT_QUOTAS.attached["role"])
            placed, _ = fitted(wanted, room, base, self.spare)
            said = f"They are within the quota of managed policies; {found}."
            return Attachment(len(wanted), tuple(placed), None, said, self._left_out(left_out))
        room, notes = self._room(found)
        room = room.beside(found, self.others)
        placed, fits = fitted(wanted, room, base, self.spare)
        said = f"Attach them {way_of(placed, found)}." if len(placed) > 1 else ""
        said = said or f"Attach it {way_of(placed, found)}."
        beyond = () if fits else self._beyond(wanted, len(placed), room, found)
        told = (*beyond, *notes, *self._left_out(left_out))
        return Attachment(len(wanted), tuple(placed), found, said, told)

    def _left_out(self, answered: Iterable[Answers]) -> tuple[str, ...]:
        """What the documents do not allow, though it is needed, and why."""
        reasons: dict[str, list[str]] = {}
        for each in answered:
            why = self.rights.shown(blocker(each))
            reasons.setdefault(why, []).append(f"{each.action} on {each.resource}")
        return tuple(f"Left out: {few(what, 3)}. {why}" for why, what in reasons.items())

    def _room(self, holder: Holder) -> tuple[Room, tuple[str, ...]]:
        """What the identity has room for, and what of that is not known."""
        if not self.rights.has_auditor:
            return room_for(holder, None, DEFAULT_QUOTAS), (_NO_AUDITOR,)
        if not self.read:
            return room_for(holder, None, DEFAULT_QUOTAS), ()
        quotas, unread = self._quotas()
        principal, unseen = self._principal()
        return room_for(holder, principal, quotas), (*unread, *unseen)

    def _quotas(self) -> tuple[PolicyQuotas, tuple[str, ...]]:
        try:
            return self.rights.audit().quotas(), ()
        except ReadError as error:
            said = f"IAM's default quotas are assumed: {error.failure.summary}"
            return DEFAULT_QUOTAS, (said,)

    def _principal(self) -> tuple[Principal | None, tuple[str, ...]]:
        try:
            principal = self.rights.principal()
        except ReadError as error:
            said = f"What the identity has already is not known: {error.failure.summary}"
            return None, (said,)
        if not principal.unread:
            return principal, ()
        said = f"Not all that the identity has already is known: {principal.unread[0].summary}"
        return principal, (said,)

    def _beyond(
        self, wanted: list[Need], number: int, room: Room, holder: Holder
    ) -> tuple[str, ...]:
        documents = many(number, "managed policy")
        said = (
            f"Beyond IAM's quota: {documents} would be needed, and {room.attached} more can be "
            f"attached to {holder}. AWS raises that number on request."
        )
        return said, self._path(wanted)

    def _path(self, wanted: list[Need]) -> str:
        """One statement on a path that holds nothing else, where the registry was read whole."""
        try:
            inventory = self.rights.account.inventory()
        except ReadError:
            inventory = None
        if inventory is None or not inventory.complete:
            return (
                "No common path is proposed: the registry's list of repositories was not read, so "
                "that other repositories may be under it."
            )
        statement = common_path(wanted, inventory.repositories)
        if statement is None:
            return "No common path is proposed: there is none that holds this feed's packages only."
        return (
            f"One statement instead of the packages' own would do: {json.dumps(statement)}. No "
            "other repository of this registry is under that path; those that are created there "
            "later will be allowed too."
        )

    def _in_a_plan(
        self, way: str, wanted: list[Need], purpose: str, notes: tuple[str, ...]
    ) -> Attachment:
        """In a plan nothing is attached yet: where the statements are added, and their quota."""
        adds = purpose == FIX
        most = DEFAULT_QUOTAS.inline.get(way)
        room = Room(0, DEFAULT_QUOTAS.attached["user"]) if most is None else Room(ANY_SIZE, 0)
        placed, _ = fitted(wanted, room, f"ecr-{purpose}", self.spare)
        beyond: tuple[str, ...] = ()
        if most is not None:
            policies = self.rights.principal().policies if adds else ()
            size = sum(used_size(each.document) for each in policies) + placed[0].characters
            if size > most:
                said = (
                    f"Beyond IAM's quota: {size:,} characters, and IAM takes {most:,} in all "
                    f"inline policies of a {way} (--attach {way})."
                )
                beyond = (said,)
        where = "the files of --policy" if way else "the policies of the plan"
        said = f"Add the statements to {where}." if adds else f"It can stand in place of {where}."
        if adds and len(placed) > 1:
            said = f"Attach them beside {where}."
        return Attachment(len(wanted), tuple(placed), None, said, (*beyond, *notes))


def _arn(rights: Rights) -> str:
    """The ARN of the feed's identity; "" where it is unknown."""
    credentials = rights.account.feed.credentials
    if isinstance(credentials, OidcCredentials):
        return credentials.role_arn
    try:
        return rights.account.identity().arn
    except ReadError:
        return ""
