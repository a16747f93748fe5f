"""IAM's operations on the embedded account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from ecr_feed.embedded.core.world import World
from ecr_feed.embedded.identity.callers import AccessKey, Caller
from ecr_feed.embedded.protocol.protocol import Call
from ecr_feed.embedded.protocol.wire import ServiceError

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IamCall:
    """One IAM call of one caller."""

    world: World
    caller: Caller
    call: Call

    @property
    def params(self) -> dict[str, Any]:
        """The call's parameters."""
        return self.call.params

    @property
    def account(self) -> str:
        """The caller's account: IAM acts in no other."""
        return self.caller.account

    def user(self) -> str:
        """The user named, or the caller where none is; NoSuchEntity where there is none."""
        name = str(self.params.get("UserName") or self.caller.name)
        if not name:
            raise ServiceError("NoSuchEntity", "The user with name  cannot be found.", 404)
        # Not the whole directory, which is read anew after every write: users are made in numbers.
        self.world.iam.ask(self.account, "GetUser", {"UserName": name})
        return name


# Where no user is named, these mean the caller.
_OWN: Final = frozenset({"GetUser", "GetLoginProfile", "ListMFADevices", "ListSSHPublicKeys"})


def forward(asked: IamCall) -> Answer:
    """Have moto answer, in the caller's account."""
    operation = asked.call.operation
    form = dict(parse_qsl(asked.call.request.body.decode(), keep_blank_values=True))
    if operation in _OWN and "UserName" not in form:
        form["UserName"] = asked.caller.name
    managed = _wanted_managed(operation, form)
    answer = asked.world.iam.ask(asked.account, operation, form)
    if managed is not None:
        is_managed = [":iam::aws:" in p["Arn"] for p in answer.get("Policies", [])]
        pairs = zip(answer.get("Policies", []), is_managed, strict=True)
        answer["Policies"] = [policy for policy, aws in pairs if aws == managed]
    return answer


def _wanted_managed(operation: str, form: dict[str, str]) -> bool | None:
    """Whether AWS-managed policies alone, or the account's own alone, are asked for; None for both.

    Their stand-ins are the account's own in moto's eyes, so its filter is not used.
    """
    if operation == "ListPolicies":
        scope = form.pop("Scope", "All")
        return None if scope == "All" else scope == "AWS"
    if operation != "GetAccountAuthorizationDetails":
        return None
    filters = {key: value for key, value in form.items() if key.startswith("Filter.")}
    kinds = set(filters.values()) & {"LocalManagedPolicy", "AWSManagedPolicy"}
    for key, value in filters.items():
        if value == "AWSManagedPolicy":
            form[key] = "LocalManagedPolicy"
    return None if len(kinds) != 1 else kinds == {"AWSManagedPolicy"}


def get_user(asked: IamCall) -> Answer:
    """A user; the account itself for its root."""
    if asked.caller.kind == "root" and "UserName" not in asked.params:
        root = {"Path": "/", "UserId": asked.account, "Arn": asked.caller.arn}
        return {"User": root | {"CreateDate": asked.world.clock.now()}}
    if asked.caller.kind == "role" and "UserName" not in asked.params:
        text = "Must specify userName when calling with non-User credentials"
        raise ServiceError("ValidationError", text)
    return forward(asked)


def create_user(asked: IamCall) -> Answer:
    """A new user, with the boundary that moto drops."""
    boundary = asked.params.get("PermissionsBoundary", "")
    if boundary:
        _check_policy(asked, boundary)
    answer = forward(asked)
    if boundary:
        _set_boundary(asked, asked.params["UserName"], boundary)
        answer["User"]["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    return answer


def delete_user(asked: IamCall) -> Answer:
    """Remove a user who has no keys left."""
    name = asked.user()
    if asked.world.keys.of_user(asked.account, name):
        text = "Cannot delete entity, must delete access keys first."
        raise ServiceError("DeleteConflict", text, 409)
    answer = forward(asked)
    asked.world.iam.boundaries.pop((asked.account, name), None)
    return answer


def put_boundary(asked: IamCall) -> Answer:
    """Set a user's permissions boundary."""
    name = asked.user()
    _check_policy(asked, asked.params["PermissionsBoundary"])
    _set_boundary(asked, name, asked.params["PermissionsBoundary"])
    return {}


def _set_boundary(asked: IamCall, name: str, arn: str) -> None:
    asked.world.iam.boundaries[asked.account, name] = arn
    asked.world.iam.writes += 1


def _check_policy(asked: IamCall, arn: str) -> None:
    """A boundary must be a policy that exists; an AWS-managed one gets its stand-in here."""
    asked.world.iam.ask(asked.account, "GetPolicy", {"PolicyArn": arn})
    asked.world.iam.writes += 1  # the stand-in may be new


def delete_boundary(asked: IamCall) -> Answer:
    """Remove a user's permissions boundary."""
    if asked.world.iam.boundaries.pop((asked.account, asked.user()), None) is None:
        raise ServiceError("NoSuchEntity", "The user has no permissions boundary.", 404)
    asked.world.iam.writes += 1
    return {}


def set_default_version(asked: IamCall) -> Answer:
    """Choose a managed policy's default version; moto loses it where it is chosen already."""
    policy = asked.world.iam.ask(
        asked.account, "GetPolicy", {"PolicyArn": asked.params["PolicyArn"]}
    )
    if policy["Policy"]["DefaultVersionId"] == asked.params["VersionId"]:
        return {}
    return forward(asked)


def create_key(asked: IamCall) -> Answer:
    """A new access key: the one time its secret is shown."""
    if asked.caller.kind == "root" and "UserName" not in asked.params:
        raise ServiceError("InvalidAction", "The embedded account makes no keys for root.")
    key = asked.world.keys.create(asked.account, asked.user(), asked.world.clock.now())
    return {"AccessKey": {**_shown(key), "SecretAccessKey": key.secret}}


def _shown(key: AccessKey) -> Answer:
    return {
        "UserName": key.user,
        "AccessKeyId": key.key_id,
        "Status": key.status,
        "CreateDate": key.created,
    }


def list_keys(asked: IamCall) -> Answer:
    """A user's keys, without secrets."""
    if asked.caller.kind == "root" and "UserName" not in asked.params:
        return {"AccessKeyMetadata": []}
    keys = asked.world.keys.of_user(asked.account, asked.user())
    return {"AccessKeyMetadata": [_shown(key) for key in keys]}


def update_key(asked: IamCall) -> Answer:
    """Activate or deactivate a key."""
    key = asked.world.keys.find(asked.account, asked.params["AccessKeyId"], asked.user())
    key.status = asked.params["Status"]
    return {}


def delete_key(asked: IamCall) -> Answer:
    """Remove a key for good."""
    key = asked.world.keys.find(asked.account, asked.params["AccessKeyId"], asked.user())
    del asked.world.keys.keys[key.key_id]
    return {}


def key_last_used(asked: IamCall) -> Answer:
    """When and where a key was used last; `N/A` and no date where it never was."""
    key = asked.world.keys.find(asked.account, asked.params["AccessKeyId"])
    used: Answer = {"ServiceName": "N/A", "Region": "N/A"}
    if key.last_used:
        when, service, region = key.last_used
        used = {"LastUsedDate": when, "ServiceName": service, "Region": region}
    return {"UserName": key.user, "AccessKeyLastUsed": used}


HANDLERS: Final[Mapping[str, Callable[[IamCall], Answer]]] = {
    "GetUser": get_user,
    "CreateUser": create_user,
    "DeleteUser": delete_user,
    "PutUserPermissionsBoundary": put_boundary,
    "DeleteUserPermissionsBoundary": delete_boundary,
    "SetDefaultPolicyVersion": set_default_version,
    "CreateAccessKey": create_key,
    "ListAccessKeys": list_keys,
    "UpdateAccessKey": update_key,
    "DeleteAccessKey": delete_key,
    "GetAccessKeyLastUsed": key_last_used,
}
