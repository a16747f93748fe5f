"""Who there is and which policies hold for whom: one read, kept until IAM is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ecr_feed.embedded.iam.store import IamStore


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, role or group. `inline` are (name, document), `attached` policy ARNs."""

    kind: str
    name: str
    arn: str
    entity_id: str
    inline: tuple[tuple[str, str], ...] = ()
    attached: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    trust: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """One account's IAM as evaluation needs it. `policies`: ARN -> default version's document."""

    users: Mapping[str, Entity]
    roles: Mapping[str, Entity]
    groups: Mapping[str, Entity]
    policies: Mapping[str, str]

    def by_arn(self, arn: str) -> Entity | None:
        """A user, role or group by its ARN."""
        everyone = (*self.users.values(), *self.roles.values(), *self.groups.values())
        return next((each for each in everyone if each.arn == arn), None)


@dataclass(slots=True)
class Directory:
    """Details per account, read again after any write."""

    store: IamStore
    _kept: dict[str, tuple[int, Details]] = field(default_factory=dict)

    def details(self, account: str) -> Details:
        """The account's IAM as it is now."""
        kept = self._kept.get(account)
        if kept is None or kept[0] != self.store.writes:
            kept = (self.store.writes, _read(self.store, account))
            self._kept[account] = kept
        return kept[1]


def _read(store: IamStore, account: str) -> Details:
    answer = store.ask(account, "GetAccountAuthorizationDetails")
    return Details(
        users={u["UserName"]: _entity("user", u) for u in answer["UserDetailList"]},
        roles={r["RoleName"]: _entity("role", r) for r in answer["RoleDetailList"]},
        groups={g["GroupName"]: _entity("group", g) for g in answer["GroupDetailList"]},
        policies={p["Arn"]: _default_document(p) for p in answer["Policies"]},
    )


def _entity(kind: str, found: Mapping[str, Any]) -> Entity:
    title = kind.capitalize()
    return Entity(
        kind=kind,
        name=found[f"{title}Name"],
        arn=found["Arn"],
        entity_id=found[f"{title}Id"],
        inline=tuple(
            (each["PolicyName"], unquote(each["PolicyDocument"]))
            for each in found.get(f"{title}PolicyList", [])
        ),
        attached=tuple(p["PolicyArn"] for p in found.get("AttachedManagedPolicies", [])),
        groups=tuple(found.get("GroupList", [])),
        boundary=found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        trust=unquote(found.get("AssumeRolePolicyDocument", "")),
    )


def _default_document(policy: Mapping[str, Any]) -> str:
    versions = policy["PolicyVersionList"]
    return unquote(next(v["Document"] for v in versions if v["IsDefaultVersion"]))
