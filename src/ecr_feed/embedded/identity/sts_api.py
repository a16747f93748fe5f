"""The STS API: GetCallerIdentity, GetSessionToken, AssumeRole, AssumeRoleWithWebIdentity."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ecr_feed.embedded.iam.store import Entity
from ecr_feed.embedded.identity.authorise import CallerPolicies
from ecr_feed.embedded.identity.callers import ApiCaller, Session
from ecr_feed.embedded.identity.issued_sessions import (
    role_session,
    session_policies,
    shown,
    user_session,
)
from ecr_feed.embedded.identity.required_permissions import about_call, tags
from ecr_feed.embedded.protocol.operation_calls import ApiCall
from ecr_feed.embedded.protocol.wire import Result, ServiceError
from ecr_feed.embedded.world import AuthenticatedCall, World
from ecr_feed.iam import Decision, Policies, Request, decide


@dataclass(frozen=True, slots=True)
class WebToken:
    """The claims that are used. `audience` is `azp` if the token has one, as in AWS."""

    issuer: str
    subject: str
    audience: str
    expires: datetime

    @property
    def host(self) -> str:
        """The issuer without its scheme, which names providers and condition keys."""
        return self.issuer.removeprefix("https://")

    @property
    def context(self) -> dict[str, str]:
        """The `HOST:claim` condition keys."""
        return {f"{self.host}:sub": self.subject, f"{self.host}:aud": self.audience}

    def check_life(self, now: datetime) -> None:
        """Raise ExpiredTokenException for an expired token."""
        if now >= self.expires:
            text = (
                f"Token expired: current date/time {int(now.timestamp())} must be before the "
                f"expiration date/time {int(self.expires.timestamp())}"
            )
            raise ServiceError("ExpiredTokenException", text)


def read_web_token(text: str) -> WebToken:
    """The token's claims. Raises InvalidIdentityToken for a text that is not a complete JWT."""
    claims = _claims(text)
    audience = claims.get("azp") or claims.get("aud")
    if isinstance(audience, list):
        audience = audience[0] if audience else ""
    wanted = (claims.get("iss"), claims.get("sub"), audience)
    if not all(isinstance(each, str) and each for each in wanted) or "exp" not in claims:
        raise _invalid("Missing a required claim: iss, sub, aud or exp")
    try:
        expires = datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (TypeError, ValueError, OverflowError):
        raise _invalid("The exp claim is not a time") from None
    return WebToken(str(claims["iss"]), str(claims["sub"]), str(audience), expires)


def _claims(text: str) -> dict[str, Any]:
    parts = text.split(".")
    if len(parts) != 3:
        raise _invalid("The ID Token provided is not a valid JWT.")
    body = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(base64.urlsafe_b64decode(body))
    except (ValueError, binascii.Error):
        raise _invalid("The ID Token provided is not a valid JWT.") from None
    if not isinstance(claims, dict):
        raise _invalid("The ID Token provided is not a valid JWT.")
    return claims


def _invalid(text: str) -> ServiceError:
    return ServiceError("InvalidIdentityToken", text)


CHAINED: Final = 3600  # seconds: the limit of a role assumed by a role
_WEB: Final = "sts:AssumeRoleWithWebIdentity"


def assume_role(world: World, caller: ApiCaller, call: ApiCall) -> Result:
    """A session of a role; trust policy and the caller's policies must allow it."""
    params = call.params
    if caller.kind == "root":
        raise ServiceError("AccessDenied", "Roles may not be assumed by root accounts.", 403)
    role, account = find_role(world, params["RoleArn"])
    context = about_call(world.environment, caller, call.region, world.clock.now())
    context |= {"sts:RoleSessionName": params["RoleSessionName"]}
    if "ExternalId" in params:
        context["sts:ExternalId"] = params["ExternalId"]
    context |= tags("aws:RequestTag", _tags(params))
    actions = ["sts:AssumeRole", *(["sts:TagSession"] if params.get("Tags") else [])]
    if role is None:
        raise _not_authorised(caller.arn, actions[0], params["RoleArn"])
    for action in actions:
        if not _trusted(world, caller, role, action, context).allowed:
            raise _not_authorised(caller.arn, action, role.arn)
    chained = caller.session is not None and caller.session.kind == "role"
    life = _life(world, account, role, params, chained=chained)
    return _granted(world, account, role, params, life)


def _trusted(
    world: World, caller: ApiCaller, role: Entity, action: str, context: Mapping[str, Any]
) -> Decision:
    principals = CallerPolicies(world.directory, world.environment)
    trust = principals.parsed.document(role.trust, "trust", f"trust policy of {role.name}")
    policies = principals.policies(caller, trust)
    entity = principals.entity(caller)
    owned = tags("aws:PrincipalTag", entity.tags if entity else {})
    return decide(Request(caller.arn, action, role.arn, {**context, **owned}), policies)


def _tags(params: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}


def _not_authorised(who: str, action: str, role_arn: str) -> ServiceError:
    text = f"User: {who} is not authorized to perform: {action} on resource: {role_arn}"
    return ServiceError("AccessDenied", text, 403)


def find_role(world: World, arn: str) -> tuple[Entity | None, str]:
    """The role of an ARN (None if it does not exist), and its account."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise ServiceError("ValidationError", f"{arn} is invalid")
    name = parts[5].rsplit("/", 1)[-1]
    role = world.directory.details(parts[4]).roles.get(name)
    return (role if role and role.arn == arn else None), parts[4]


def _life(
    world: World, account: str, role: Entity, params: Mapping[str, Any], *, chained: bool = False
) -> timedelta:
    asked = int(params.get("DurationSeconds", 3600))
    found = world.iam.ask(account, "GetRole", {"RoleName": role.name})["Role"]
    if asked > int(found.get("MaxSessionDuration", 3600)):
        text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise ServiceError("ValidationError", text)
    if chained and asked > CHAINED:
        text = (
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining."
        )
        raise ServiceError("ValidationError", text)
    return timedelta(seconds=asked)


def _granted(
    world: World,
    account: str,
    role: Entity,
    params: Mapping[str, Any],
    life: timedelta,
    web: Mapping[str, str] | None = None,
) -> Result:
    session = role_session(
        world,
        account,
        role,
        params["RoleSessionName"],
        life,
        policies=session_policies(world, account, params),
        tags=_tags(params),
        web=dict(web or {}),
    )
    return {"Credentials": shown(session), "AssumedRoleUser": _role_user(session)}


def _role_user(session: Session) -> Result:
    return {"AssumedRoleId": session.user_id, "Arn": session.arn}


def assume_with_web_identity(world: World, caller: ApiCaller, call: ApiCall) -> Result:
    """A session of a role for an OIDC token; checks provider, audience, expiry, trust policy.

    The token's signature is not checked: there is no issuer to fetch keys from.
    """
    params = call.params
    token = read_web_token(params["WebIdentityToken"])
    role, account = find_role(world, params["RoleArn"])
    provider = _provider(world, account, token)
    token.check_life(world.clock.now())
    if role is None or not _web_trusted(world, caller, call, role, (token, provider)).allowed:
        text = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
        raise ServiceError("AccessDenied", text, 403)
    life = _life(world, account, role, params)
    web = token.context | {"aws:FederatedProvider": provider}
    answer = _granted(world, account, role, params, life, web)
    return answer | {
        "SubjectFromWebIdentityToken": token.subject,
        "Provider": provider,
        "Audience": token.audience,
    }


def _provider(world: World, account: str, token: WebToken) -> str:
    """The ARN of the account's provider for the token's issuer, audience checked."""
    arn = f"arn:{world.partition}:iam::{account}:oidc-provider/{token.host}"
    try:
        found = world.iam.ask(
            account, "GetOpenIDConnectProvider", {"OpenIDConnectProviderArn": arn}
        )
    except ServiceError as error:
        text = f"No OpenIDConnect provider found in your account for {token.issuer}"
        raise ServiceError("InvalidIdentityToken", text) from error
    if token.audience not in found.get("ClientIDList", []):
        raise ServiceError("InvalidIdentityToken", "Incorrect token audience")
    return arn


def _web_trusted(
    world: World, caller: ApiCaller, call: ApiCall, role: Entity, said: tuple[WebToken, str]
) -> Decision:
    token, provider = said
    principals = CallerPolicies(world.directory, world.environment)
    trust = principals.parsed.document(role.trust, "trust", f"trust policy of {role.name}")
    context = about_call(world.environment, caller, call.region, world.clock.now())
    context |= token.context
    context["aws:FederatedProvider"] = provider
    context["sts:RoleSessionName"] = call.params["RoleSessionName"]
    request = Request(provider, _WEB, role.arn, context)
    rcps = principals.parsed.levels(world.environment.rcps, "rcp")
    return decide(request, replace(Policies(resource=trust), rcps=rcps))


def caller_identity(call: AuthenticatedCall) -> Result:
    """GetCallerIdentity: needs no permission, and no policy can deny it."""
    caller = call.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def session_for_user(call: AuthenticatedCall) -> Result:
    """GetSessionToken: temporary credentials of a user; AccessDenied for a session."""
    caller = call.caller
    if caller.kind != "user" or caller.session:
        text = "Cannot call GetSessionToken with session credentials"
        raise ServiceError("AccessDenied", text, 403)
    user = call.world.directory.details(caller.account).users[caller.name]
    life = timedelta(seconds=call.params.get("DurationSeconds", 43200))
    return {"Credentials": shown(user_session(call.world, caller.account, user, life))}


def answer_sts(call: AuthenticatedCall) -> Result:
    """The answer of an STS call."""
    handler = HANDLERS.get(call.api_call.operation)
    if handler is None:
        text = f"The embedded account does not implement sts:{call.api_call.operation}."
        raise ServiceError("InvalidAction", text)
    return handler(call)


HANDLERS: Final[Mapping[str, Callable[[AuthenticatedCall], Result]]] = {
    "GetCallerIdentity": caller_identity,
    "GetSessionToken": session_for_user,
    "AssumeRole": lambda c: assume_role(c.world, c.caller, c.api_call),
    "AssumeRoleWithWebIdentity": lambda c: assume_with_web_identity(c.world, c.caller, c.api_call),
}
