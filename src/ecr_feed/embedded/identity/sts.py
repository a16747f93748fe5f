"""STS: who am I, and sessions judged by the role's trust policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ecr_feed.embedded.core.world import World
from ecr_feed.embedded.identity.assume import assume_role, assume_with_web_identity
from ecr_feed.embedded.identity.callers import Caller, is_root
from ecr_feed.embedded.identity.sessions import federated_session, shown, user_session
from ecr_feed.embedded.protocol.protocol import Call
from ecr_feed.embedded.protocol.wire import ServiceError

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StsCall:
    """One STS call of one caller."""

    world: World
    caller: Caller
    call: Call

    @property
    def params(self) -> dict[str, Any]:
        """The call's parameters."""
        return self.call.params


def caller_identity(asked: StsCall) -> Answer:
    """Whose credentials these are: needs no permission, and no policy can deny it."""
    caller = asked.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def key_info(asked: StsCall) -> Answer:
    """The account of an access key."""
    key_id = asked.params["AccessKeyId"]
    ring = asked.world.keys
    found = ring.keys.get(key_id) or ring.sessions.get(key_id)
    if is_root(key_id):
        return {"Account": key_id}
    if found is None:
        raise ServiceError("ValidationError", f"Invalid AccessKeyId {key_id}")
    return {"Account": found.account}


def session_for_user(asked: StsCall) -> Answer:
    """GetSessionToken: a user's own permissions for a while; not from temporary credentials."""
    caller = asked.caller
    if caller.kind != "user" or caller.session:
        text = "Cannot call GetSessionToken with session credentials"
        raise ServiceError("AccessDenied", text, 403)
    user = asked.world.directory.details(caller.account).users[caller.name]
    life = timedelta(seconds=asked.params.get("DurationSeconds", 43200))
    return {"Credentials": shown(user_session(asked.world, caller.account, user, life))}


def federation_token(asked: StsCall) -> Answer:
    """GetFederationToken: a user's permissions, cut by the policies handed in, under a new name."""
    caller, params = asked.caller, asked.params
    if caller.kind != "user" or caller.session:
        text = "Cannot call GetFederationToken with session credentials"
        raise ServiceError("AccessDenied", text, 403)
    user = asked.world.directory.details(caller.account).users[caller.name]
    session = federated_session(asked.world, caller.account, user, params)
    who = {"FederatedUserId": session.user_id, "Arn": session.arn}
    return {"Credentials": shown(session), "FederatedUser": who}


def answer_sts(asked: StsCall) -> Answer:
    """The answer of an STS call."""
    handler = HANDLERS.get(asked.call.operation)
    if handler is None:
        text = f"The embedded account does not stand in for sts:{asked.call.operation}."
        raise ServiceError("InvalidAction", text)
    return handler(asked)


HANDLERS: Final[Mapping[str, Callable[[StsCall], Answer]]] = {
    "GetCallerIdentity": caller_identity,
    "GetAccessKeyInfo": key_info,
    "GetSessionToken": session_for_user,
    "GetFederationToken": federation_token,
    "AssumeRole": lambda a: assume_role(a.world, a.caller, a.call),
    "AssumeRoleWithWebIdentity": lambda a: assume_with_web_identity(a.world, a.caller, a.call),
}
