"""What a report shows of a feed's account, derived from its facts when the report is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ecr_feed.facts.aws import AuthorizationToken, Identity, ReadError
from ecr_feed.facts.iam import AccessKey
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.feed.access_key import FeedUser, user_of
from ecr_feed.iam import Decision, Outcome
from ecr_feed.permissions import fixes
from ecr_feed.permissions.answers import Rights
from ecr_feed.text.words import few

T = TypeVar("T")


def learnt(
    rights: Rights,
    *,
    policy_fix: bool,
    others: Sequence[Mapping[str, Any]] = (),
) -> dict[str, object]:
    """Account, identity, token and keys of a feed, and the policy that it lacks.

    JSON values: `account` (12 digits), `identity_arn`, `identity_source`, `auditor_arn` ("" where
    unknown), `token` (when it was fetched and when it expires, ISO 8601; [] where unknown), `keys`
    (of the feed's user: `key_id`, `status`, `created_at`, `last_used_at`), `policy_fix` (the
    policies that are missing, as `permissions.attachment.Attachment.plain` has them, or None),
    `remarks` (by stated condition key: why no answer rests on it, "" where one does).

    A fact that no check has read is read now. One that cannot be had is left out: its rule says
    why. `policy_fix` asks for every answer about the feed's permissions; else the answers that were
    obtained so far are used. `others` are the policies of other feeds.
    """
    identity = _unless_unread(rights.account.identity)
    token = _unless_unread(rights.account.token)
    return {
        **_of_identity(identity),
        "token": _times(token),
        "keys": [_key(key) for key in _keys(rights, identity)],
        "policy_fix": fixes.policy_fix(rights, ask=policy_fix, others=others),
        "auditor_arn": _auditor_arn(rights),
        "remarks": _remarks(rights),
    }


def learnt_so_far(rights: Rights) -> dict[str, object]:
    """The same for a run that was interrupted: nothing more is read; no keys, no auditor."""
    access, token = rights.account.known()
    return {
        **_of_identity(access.identity if access else None),
        "token": _times(token),
        "keys": [],
        "policy_fix": fixes.policy_fix(rights, ask=False, read=False),
        "auditor_arn": "",
        "remarks": _remarks(rights),
    }


def stated(rights: Rights, plan: PlanFacts, way: str, *, ask: bool) -> dict[str, object]:
    """The same for a plan: what its documents state. It has no token, key or auditor."""
    known = plan.account_known and plan.identity
    return {
        "account": plan.account,
        "identity_arn": plan.principal if known else "",
        "identity_source": "the documents" if known else "",
        "policy_fix": fixes.policy_fix(rights, ask=ask, planned=way),
        "remarks": _remarks(rights),
    }


def _remarks(rights: Rights) -> dict[str, str]:
    """Why no answer rests on a stated condition key; "" where one does."""
    answered = rights.so_far()
    resting = {key.lower() for answers in answered for key in answers.stated}
    decisions = [answers.decision for answers in answered if answers.decision is not None]
    return {
        each.key: "" if each.lower in resting else _unused(rights, each.lower, decisions)
        for each in rights.account.feed.context
    }


def _unused(rights: Rights, key: str, decisions: Sequence[Decision]) -> str:
    looking = [each for each in decisions if key in each.policies.condition_keys]
    if not rights.has_auditor:
        return "No answer rests on it: without an auditor, only the feed's own calls answer."
    if not decisions:
        return "No answer rests on it: no policy was evaluated."
    if not looking:
        return "No policy that was read looks at it."
    envs = [each.request.env for each in looking if each.outcome is not Outcome.UNDETERMINED]
    if own := sorted({value for env in envs for value in env.values.get(key, ())}):
        return f"It is not used: what was read says {few(own)}."
    if envs and all(key not in env.unknown for env in envs):
        return "It is not used: the feed's requests never have it."
    return "No answer rests on it."


def _unless_unread(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ReadError:
        return None  # the rule about this fact says why


def _of_identity(identity: Identity | None) -> dict[str, object]:
    return {
        "account": identity.account if identity else "",
        "identity_arn": identity.arn if identity else "",
        "identity_source": identity.source if identity else "",
    }


def _times(token: AuthorizationToken | None) -> list[str]:
    return [token.fetched_at.isoformat(), token.expires_at.isoformat()] if token else []


def _keys(rights: Rights, identity: Identity | None) -> tuple[AccessKey, ...]:
    """The keys of the feed's user, where an auditor may list them."""
    user = user_of(identity) if identity is not None else None
    key_id = _unless_unread(rights.account.access_key_id)
    if not rights.has_auditor or user is None or not key_id:
        return ()
    return _unless_unread(FeedUser(rights, user, key_id).keys) or ()


def _key(key: AccessKey) -> dict[str, str | None]:
    made, used = key.created_at, key.last_used_at
    return {
        "key_id": key.id,
        "status": key.status,
        "created_at": made.isoformat() if made else None,
        "last_used_at": used.isoformat() if used else None,
    }


def _auditor_arn(rights: Rights) -> str:
    if not rights.has_auditor:
        return ""
    auditor = _unless_unread(lambda: rights.audit().identity())
    return auditor.arn if auditor else ""
