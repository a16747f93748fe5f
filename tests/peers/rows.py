"""A row of the table: one caller's policies, one call, and IAM's answer as AWS documents it.

`{user}`, `{role}` and `{own}` in documents stand for the row's own user, role and repository.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ecr_feed.iam import Outcome

ACCOUNT: Final = "123456789012"
OTHER: Final = "210987654321"
REGION: Final = "eu-west-1"
SESSION: Final = "deploy"
TAGS: Final = {"team": "payments", "Env": "Prod"}  # of team/app; no other repository has any

Statement = Mapping[str, Any]
Statements = tuple[Statement, ...]

ALLOWED = Outcome.ALLOWED
DENIED = Outcome.EXPLICIT_DENY  # a Deny matches
NOTHING = Outcome.IMPLICIT_DENY  # nothing allows it


def arn(name: str, region: str = REGION) -> str:
    """A repository's ARN."""
    return f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}"


APP: Final = arn("team/app")
OWN: Final = arn("{own}")
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/{{user}}"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/{{role}}"


@dataclass(frozen=True)
class Permission:
    """An action on a resource, and the condition keys of this call alone."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A call as boto3 makes it, and the permissions that it needs, all of them."""

    service: str
    method: str
    params: Mapping[str, Any]
    permissions: tuple[Permission, ...]
    region: str = REGION


def ecr(method: str, name: str = "team/app", *, region: str = REGION, **params: Any) -> Call:
    """A call on one repository, such as `ecr("list_images", "team/api")`."""
    operation = "".join(word.capitalize() for word in method.split("_"))
    permission = Permission(f"ecr:{operation}", arn(name, region), _tagged(name))
    return Call("ecr", method, {"repositoryName": name, **params}, (permission,), region)


def named(*names: str) -> Call:
    """DescribeRepositories of these; each is judged."""
    permissions = tuple(
        Permission("ecr:DescribeRepositories", arn(name), _tagged(name)) for name in names
    )
    return Call("ecr", "describe_repositories", {"repositoryNames": list(names)}, permissions)


def create(name: str, **tags: str) -> Call:
    """CreateRepository with tags; of one that is there, so that nothing changes."""
    asked: dict[str, str | tuple[str, ...]] = {f"aws:RequestTag/{k}": v for k, v in tags.items()}
    asked["aws:TagKeys"] = tuple(tags)
    actions = ("ecr:CreateRepository", "ecr:TagResource")
    permissions = tuple(
        Permission(action, arn(name), {**_tagged(name), **asked}) for action in actions
    )
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    return Call("ecr", "create_repository", {"repositoryName": name, "tags": given}, permissions)


def _tagged(name: str) -> dict[str, str | tuple[str, ...]]:
    if name != "team/app":
        return {}
    prefixes = ("aws:ResourceTag", "ecr:ResourceTag")
    return {f"{prefix}/{key}": value for prefix in prefixes for key, value in TAGS.items()}


TOKEN: Final = Call(
    "ecr", "get_authorization_token", {}, (Permission("ecr:GetAuthorizationToken", "*"),)
)
LISTING: Final = Call(
    "ecr", "describe_repositories", {}, (Permission("ecr:DescribeRepositories", arn("*")),)
)
IMAGES: Final = ecr("list_images")
OWN_IMAGES: Final = ecr("list_images", "{own}")
WHO: Final = Call("sts", "get_caller_identity", {}, (Permission("sts:GetCallerIdentity", "*"),))
SELF: Final = Call("iam", "get_user", {"UserName": "{user}"}, (Permission("iam:GetUser", USER),))


def allow(action: Any = "ecr:*", resource: Any = "*", **condition: Any) -> Statement:
    """An Allow; keywords are condition operators, `__` standing for the colon in their names."""
    return _statement("Allow", action, resource, condition)


def deny(action: Any = "ecr:*", resource: Any = "*", **condition: Any) -> Statement:
    """A Deny, likewise."""
    return _statement("Deny", action, resource, condition)


def grant(to: Any, action: Any = "ecr:*", effect: str = "Allow", **condition: Any) -> Statement:
    """A statement of a repository policy: it names a principal and no resource."""
    found: dict[str, Any] = {"Effect": effect, "Principal": to, "Action": action}
    return found | ({"Condition": _named(condition)} if condition else {})


def _statement(effect: str, action: Any, resource: Any, condition: Mapping[str, Any]) -> Statement:
    found: dict[str, Any] = {"Effect": effect, "Action": action, "Resource": resource}
    return found | ({"Condition": _named(condition)} if condition else {})


def _named(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("__", ":"): block for name, block in condition.items()}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    inline       statements of the caller's own inline policy, of this Version ("" for none)
    attached     managed policies, one each
    versions     versions of one more managed policy, each made the default or not
    group        statements of an inline policy, and of an attached one, of the caller's group
    boundary     the permissions boundary; () for none
    repository   the policy of the row's own repository; () for none
    session      None: the row's user calls; else its role does, in a session with this policy
    tags, path   of the user or role
    differs      why ministack answers otherwise; "" where it must agree
    """

    name: str
    call: Call
    expected: Outcome
    inline: Statements = ()
    version: str = "2012-10-17"
    attached: tuple[Statements, ...] = ()
    versions: tuple[tuple[bool, Statements], ...] = ()
    group: Statements = ()
    group_attached: Statements = ()
    boundary: Statements = ()
    repository: Statements = ()
    session: Statements | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    differs: str = ""

    @property
    def slug(self) -> str:
        """The row's name as users, roles, groups and repositories may be named."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def principal(self) -> str:
        """The caller's ARN."""
        if self.session is None:
            return self.fill(USER)
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.slug}/{SESSION}"

    def fill(self, text: str) -> str:
        """A text with the row's own names."""
        named = f"{self.path[1:]}{self.slug}"
        for what, name in (("{user}", named), ("{role}", named), ("{own}", f"own/{self.slug}")):
            text = text.replace(what, name)
        return text

    def document(self, statements: Statements, version: str = "2012-10-17") -> str:
        """A policy document of the row, as JSON text."""
        given = {"Version": version} if version else {}
        return self.fill(json.dumps({**given, "Statement": list(statements)}))

    def documents(self) -> Iterator[str]:
        """Every identity policy that applies to the caller: its own, attached, its group's."""
        if self.inline:
            yield self.document(self.inline, self.version)
        default = [each for n, (made, each) in enumerate(self.versions) if made or not n]
        for statements in (*self.attached, *default[-1:], self.group, self.group_attached):
            if statements:
                yield self.document(statements)


def row(name: str, call: Call, expected: Outcome, *inline: Statement, **more: Any) -> Row:
    """A row; `inline` are the statements of the caller's own policy."""
    return Row(name=name, call=call, expected=expected, inline=inline, **more)
