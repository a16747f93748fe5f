"""IAM's operations on the embedded account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from ecr_feed.embedded.identity.callers import StoredKey
from ecr_feed.embedded.protocol.wire import Result, ServiceError
from ecr_feed.embedded.world import AuthenticatedCall
from ecr_feed.iam import PolicyError, parse


@dataclass(frozen=True, slots=True)
class IamCall(AuthenticatedCall):
    """One IAM call."""

    @property
    def account(self) -> str:
        """The caller's account; IAM calls affect only that one."""
        return self.caller.account

    def user(self) -> str:
        """The named user, by default the caller. Raises NoSuchEntity."""
        name = str(self.params.get("UserName") or self.caller.name)
        if not name:
            raise ServiceError("NoSuchEntity", "The user with name  cannot be found.", 404)
        # Not the whole directory, which is read again after every write.
        self.world.iam.ask(self.account, "GetUser", {"UserName": name})
        return name


# Operations whose default user is the caller.
_OWN: Final = frozenset({"GetUser", "GetLoginProfile", "ListMFADevices", "ListSSHPublicKeys"})


def forward(call: IamCall) -> Result:
    """Answer through moto, in the caller's account."""
    operation = call.api_call.operation
    form = dict(parse_qsl(call.api_call.request.body.decode(), keep_blank_values=True))
    if operation in _OWN and "UserName" not in form:
        form["UserName"] = call.caller.name
    managed = _wanted_managed(operation, form)
    answer = call.world.iam.ask(call.account, operation, form)
    if managed is not None:
        is_managed = [":iam::aws:" in p["Arn"] for p in answer.get("Policies", [])]
        pairs = zip(answer.get("Policies", []), is_managed, strict=True)
        answer["Policies"] = [policy for policy, aws in pairs if aws == managed]
    return answer


def _wanted_managed(operation: str, form: dict[str, str]) -> bool | None:
    """True: only AWS-managed policies are wanted; False: only the account's own; None: both.

    To moto the stand-ins are the account's own policies, so its filter is not used.
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


def get_user(call: IamCall) -> Result:
    """A user; the account itself for its root."""
    if call.caller.kind == "root" and "UserName" not in call.params:
        root = {"Path": "/", "UserId": call.account, "Arn": call.caller.arn}
        return {"User": root | {"CreateDate": call.world.clock.now()}}
    if call.caller.kind == "role" and "UserName" not in call.params:
        text = "Must specify userName when calling with non-User credentials"
        raise ServiceError("ValidationError", text)
    return forward(call)


def create_user(call: IamCall) -> Result:
    """A new user; moto drops the boundary, so it is stored here."""
    boundary = call.params.get("PermissionsBoundary", "")
    if boundary:
        _check_policy(call, boundary)
    answer = forward(call)
    if boundary:
        _set_boundary(call, call.params["UserName"], boundary)
        answer["User"]["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    return answer


def delete_user(call: IamCall) -> Result:
    """Remove a user who has no keys left."""
    name = call.user()
    if call.world.keys.of_user(call.account, name):
        text = "Cannot delete entity, must delete access keys first."
        raise ServiceError("DeleteConflict", text, 409)
    answer = forward(call)
    call.world.iam.boundaries.pop((call.account, name), None)
    return answer


def put_boundary(call: IamCall) -> Result:
    """Set a user's permissions boundary."""
    name = call.user()
    _check_policy(call, call.params["PermissionsBoundary"])
    _set_boundary(call, name, call.params["PermissionsBoundary"])
    return {}


def _set_boundary(call: IamCall, name: str, arn: str) -> None:
    call.world.iam.boundaries[call.account, name] = arn
    call.world.iam.writes += 1


def _check_policy(call: IamCall, arn: str) -> None:
    """Raise NoSuchEntity unless the policy exists; creates an AWS-managed one's stand-in."""
    call.world.iam.ask(call.account, "GetPolicy", {"PolicyArn": arn})
    call.world.iam.writes += 1  # the stand-in may be new


def delete_boundary(call: IamCall) -> Result:
    """Remove a user's permissions boundary."""
    if call.world.iam.boundaries.pop((call.account, call.user()), None) is None:
        raise ServiceError("NoSuchEntity", "The user has no permissions boundary.", 404)
    call.world.iam.writes += 1
    return {}


def set_default_version(call: IamCall) -> Result:
    """Set a managed policy's default version; moto loses one that is set again."""
    policy = call.world.iam.ask(call.account, "GetPolicy", {"PolicyArn": call.params["PolicyArn"]})
    if policy["Policy"]["DefaultVersionId"] == call.params["VersionId"]:
        return {}
    return forward(call)


def create_key(call: IamCall) -> Result:
    """A new access key; the only answer with its secret."""
    if call.caller.kind == "root" and "UserName" not in call.params:
        raise ServiceError("InvalidAction", "The embedded account makes no keys for root.")
    key = call.world.keys.create(call.account, call.user(), call.world.clock.now())
    return {"AccessKey": {**_shown(key), "SecretAccessKey": key.secret}}


def _shown(key: StoredKey) -> Result:
    return {
        "UserName": key.user,
        "AccessKeyId": key.key_id,
        "Status": key.status,
        "CreateDate": key.created,
    }


def list_keys(call: IamCall) -> Result:
    """A user's keys, without secrets."""
    if call.caller.kind == "root" and "UserName" not in call.params:
        return {"AccessKeyMetadata": []}
    keys = call.world.keys.of_user(call.account, call.user())
    return {"AccessKeyMetadata": [_shown(key) for key in keys]}


def update_key(call: IamCall) -> Result:
    """Activate or deactivate a key."""
    key = call.world.keys.find(call.account, call.params["AccessKeyId"], call.user())
    key.status = call.params["Status"]
    return {}


def delete_key(call: IamCall) -> Result:
    """Delete a key."""
    key = call.world.keys.find(call.account, call.params["AccessKeyId"], call.user())
    del call.world.keys.keys[key.key_id]
    return {}


def key_last_used(call: IamCall) -> Result:
    """When and where a key was last used; `N/A` and no date for an unused key."""
    key = call.world.keys.find(call.account, call.params["AccessKeyId"])
    used: Result = {"ServiceName": "N/A", "Region": "N/A"}
    if key.last_used:
        when, service, region = key.last_used
        used = {"LastUsedDate": when, "ServiceName": service, "Region": region}
    return {"UserName": key.user, "AccessKeyLastUsed": used}


HANDLERS: Final[Mapping[str, Callable[[IamCall], Result]]] = {
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


# Operation -> the parameter with a policy document, and the document's kind.
_WRITES: Final[Mapping[str, tuple[str, str]]] = {
    "PutUserPolicy": ("PolicyDocument", "identity"),
    "PutGroupPolicy": ("PolicyDocument", "identity"),
    "PutRolePolicy": ("PolicyDocument", "identity"),
    "CreatePolicy": ("PolicyDocument", "identity"),
    "CreatePolicyVersion": ("PolicyDocument", "identity"),
    "CreateRole": ("AssumeRolePolicyDocument", "trust"),
    "UpdateAssumeRolePolicy": ("PolicyDocument", "trust"),
}


def check_stored_policy(operation: str, params: Mapping[str, Any]) -> None:
    """Raise MalformedPolicyDocument where IAM would refuse the document."""
    if operation in _WRITES:
        name, kind = _WRITES[operation]
        check_document(params[name], kind)


def check_document(text: str, kind: str) -> None:
    """Raise MalformedPolicyDocument for a text that is not a policy of this kind."""
    try:
        parse(text, kind=kind)
    except PolicyError as error:
        raise ServiceError("MalformedPolicyDocument", f"Syntax errors in policy: {error}") from None
