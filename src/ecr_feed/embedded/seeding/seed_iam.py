"""Fill IAM from an account file: users, roles, groups, policies and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from ecr_feed.aws.transport.backend import SigningKey
from ecr_feed.embedded.identity.callers import new_key_id, new_secret
from ecr_feed.embedded.identity.issued_sessions import instance_session
from ecr_feed.embedded.seeding.account_file import (
    AccountFile,
    KeyTable,
    PrincipalTable,
    RoleTable,
    UserTable,
)
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.shorthand import PolicyKind, document
from ecr_feed.facts.aws import Secret

_CANNOT_SIGN = ("deleted", "unknown", "expired", "inactive", "wrong-secret")
_EC2_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def fill_iam(owner: Owner, account: AccountFile) -> dict[str, SigningKey]:
    """Create everything of IAM in the file; returns label -> key."""
    return _IamFiller(owner, account).run()


class _IamFiller:
    """Fills one account's IAM."""

    def __init__(self, owner: Owner, account: AccountFile) -> None:
        self._owner = owner
        self._file = account
        self._names = account.placeholders
        self._arns: dict[str, str] = {}  # the account's own policies, by name
        self._keys: dict[str, SigningKey] = {}

    @property
    def _iam(self) -> Any:
        return self._owner.client("iam", self._file.region, self._file.account)

    def run(self) -> dict[str, SigningKey]:
        """Create everything in order of dependency."""
        for policy in self._file.policy:
            text = self._text(policy.document)
            made = self._iam.create_policy(
                PolicyName=policy.name, Path=policy.path, PolicyDocument=text
            )
            self._arns[policy.name] = made["Policy"]["Arn"]
        for provider in self._file.oidc_provider:
            self._iam.create_open_id_connect_provider(
                Url=provider.url,
                ClientIDList=list(provider.audiences),
                ThumbprintList=["0" * 40],
            )
        for group in self._file.group:
            self._iam.create_group(GroupName=group.name, Path=group.path)
            self._grant("group", group.name, group.policies, group.attached)
        for user in self._file.user:
            self._user(user)
        for role in self._file.role:
            self._role(role)
        return self._keys

    def _text(self, policy: Any, kind: PolicyKind = "identity") -> str:
        return document(policy, kind, self._names)

    def _arn(self, name: str) -> str:
        """A policy's ARN from its name: the account's own first, else AWS's."""
        if name.startswith("arn:"):
            return name
        return self._arns.get(name, f"arn:{self._file.partition}:iam::aws:policy/{name}")

    def _grant(
        self, kind: str, name: str, policies: Mapping[str, Any], attached: tuple[str, ...]
    ) -> None:
        named = {f"{kind.capitalize()}Name": name}
        put: Callable[..., Any] = getattr(self._iam, f"put_{kind}_policy")
        attach: Callable[..., Any] = getattr(self._iam, f"attach_{kind}_policy")
        for policy_name, policy in policies.items():
            put(**named, PolicyName=policy_name, PolicyDocument=self._text(policy))
        for each in attached:
            attach(**named, PolicyArn=self._arn(each))

    def _boundary(self, principal: PrincipalTable) -> dict[str, str]:
        if principal.boundary_policy:
            return {"PermissionsBoundary": self._arn(principal.boundary_policy)}
        if principal.boundary is None:
            return {}
        made = self._iam.create_policy(
            PolicyName=f"{principal.name}-boundary", PolicyDocument=self._text(principal.boundary)
        )
        return {"PermissionsBoundary": made["Policy"]["Arn"]}

    def _user(self, user: UserTable) -> None:
        self._iam.create_user(
            UserName=user.name, Path=user.path, Tags=_tags(user), **self._boundary(user)
        )
        self._grant("user", user.name, user.policies, user.attached)
        for group in user.groups:
            self._iam.add_user_to_group(GroupName=group, UserName=user.name)
        if user.console_password:
            self._iam.create_login_profile(UserName=user.name, Password=new_secret() + "aA1!")
        for key in user.keys:
            with self._owner.ago(key.age_days):
                self._keys[key.label] = self._user_key(user, key)
            self._use(key)

    def _user_key(self, user: UserTable, key: KeyTable) -> SigningKey:
        if key.status == "unknown":
            return SigningKey(new_key_id("AKIA", self._file.account), Secret(new_secret()))
        made = self._iam.create_access_key(UserName=user.name)["AccessKey"]
        named = {"UserName": user.name, "AccessKeyId": made["AccessKeyId"]}
        if key.temporary:
            return self._temporary(key, (made["AccessKeyId"], made["SecretAccessKey"], None), named)
        if key.status == "deleted":
            self._iam.delete_access_key(**named)
        if key.status == "inactive":
            self._iam.update_access_key(**named, Status="Inactive")
        secret = new_secret() if key.status == "wrong-secret" else made["SecretAccessKey"]
        return SigningKey(made["AccessKeyId"], Secret(secret))

    def _temporary(
        self, key: KeyTable, long_lived: tuple[str, str, None], named: dict[str, str]
    ) -> SigningKey:
        """GetSessionToken for the user; the long-lived key is deleted afterwards."""
        sts = self._owner.as_key("sts", self._file.region, long_lived)
        with self._owner.ago(1 if key.status == "expired" else 0):
            made = sts.get_session_token(DurationSeconds=3600)["Credentials"]
        self._iam.delete_access_key(**named)
        return _temporary_key(made)

    def _use(self, key: KeyTable) -> None:
        if key.used_days is None or key.status in _CANNOT_SIGN:
            return
        made = self._keys[key.label]
        token = made.session_token.reveal() if made.session_token else None
        signer = (made.access_key_id, made.secret.reveal(), token)
        with self._owner.ago(key.used_days):
            self._owner.as_key("sts", self._file.region, signer).get_caller_identity()

    def _role(self, role: RoleTable) -> None:
        trust = role.trust if role.trust != {"Statement": []} else _EC2_TRUST
        self._iam.create_role(
            RoleName=role.name,
            Path=role.path,
            AssumeRolePolicyDocument=self._text(trust, "trust"),
            MaxSessionDuration=role.max_session_seconds,
            Tags=_tags(role),
            **self._boundary(role),
        )
        self._grant("role", role.name, role.policies, role.attached)
        for key in role.keys:
            self._keys[key.label] = self._role_key(role, key)

    def _role_key(self, role: RoleTable, key: KeyTable) -> SigningKey:
        """A session as a worker's metadata service provides it, without an API call."""
        core = self._owner.core
        if core is None:
            made = self._owner.client("sts", self._file.region, self._file.account).assume_role(
                RoleArn=self._role_arn(role), RoleSessionName=role.session_name
            )["Credentials"]
            return _temporary_key(made)
        age = key.age_days or (1 if key.status == "expired" else 0)
        with self._owner.ago(age):
            session = instance_session(
                core.world,
                self._file.account,
                role.name,
                role.session_name,
                timedelta(seconds=role.max_session_seconds),
            )
        secret, token = Secret(session.secret), Secret(session.token)
        return SigningKey(session.key_id, secret, token, session.expires)

    def _role_arn(self, role: RoleTable) -> str:
        return f"arn:{self._file.partition}:iam::{self._file.account}:role{role.path}{role.name}"


def _temporary_key(made: Mapping[str, Any]) -> SigningKey:
    return SigningKey(
        made["AccessKeyId"],
        Secret(made["SecretAccessKey"]),
        Secret(made["SessionToken"]),
        made["Expiration"],
    )


def _tags(principal: PrincipalTable) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in principal.tags.items()]
