"""Create sessions, as AssumeRole*, GetSessionToken and an instance's metadata service do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ecr_feed.embedded.iam.iam_api import check_document
from ecr_feed.embedded.iam.store import Entity
from ecr_feed.embedded.identity.callers import Session, new_key_id, new_secret, session_token
from ecr_feed.embedded.protocol.wire import ServiceError
from ecr_feed.embedded.world import World


def role_session(
    world: World, account: str, role: Entity, name: str, life: timedelta, **more: Any
) -> Session:
    """A session of a role; the caller is already authorised. `more`: further fields of Session."""
    return _start(
        world,
        account,
        role,
        life,
        arn=f"arn:{world.partition}:sts::{account}:assumed-role/{role.name}/{name}",
        user_id=f"{role.entity_id}:{name}",
        **more,
    )


def _start(world: World, account: str, issuer: Entity, life: timedelta, **more: Any) -> Session:
    """Issue temporary credentials; `more`: further fields of Session."""
    now = world.clock.now()
    return world.keys.start(
        Session(
            key_id=new_key_id("ASIA", account),
            secret=new_secret(),
            token=session_token(),
            account=account,
            issuer=issuer.arn,
            issued=now,
            expires=now + life,
            **more,
        )
    )


def instance_session(
    world: World, account: str, role_name: str, name: str, life: timedelta
) -> Session:
    """A session as EC2's metadata service provides it. Raises NoSuchEntity."""
    role = world.directory.details(account).roles.get(role_name)
    if role is None:
        raise ServiceError("NoSuchEntity", f"The role with name {role_name} cannot be found.", 404)
    return role_session(world, account, role, name, life)


def user_session(world: World, account: str, user: Entity, life: timedelta) -> Session:
    """A session of a user (GetSessionToken) with the user's ARN and permissions."""
    return _start(world, account, user, life, arn=user.arn, user_id=user.entity_id, kind="user")


def session_policies(world: World, account: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The session policies of a call: the document in `Policy`, and managed ones by ARN."""
    texts = []
    if "Policy" in params:
        check_document(params["Policy"], "session")
        texts.append(params["Policy"])
    for each in params.get("PolicyArns", []):
        world.iam.ask(account, "GetPolicy", {"PolicyArn": each["arn"]})
        world.iam.writes += 1  # an AWS-managed policy's stand-in may be new
        texts.append(world.directory.details(account).policies[each["arn"]])
    return tuple(texts)


def shown(session: Session) -> Mapping[str, Any]:
    """The Credentials structure of STS's answers."""
    return {
        "AccessKeyId": session.key_id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.expires,
    }
