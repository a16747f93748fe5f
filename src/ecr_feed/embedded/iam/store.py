"""Users, roles, groups and their policies, stored in moto, and their lookup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.parsers import create_parser

from ecr_feed.embedded.iam.moto_iam import (
    ChangedTexts,
    MotoIam,
    from_stand_in,
    stand_in,
    to_stand_in,
)
from ecr_feed.embedded.protocol.botocore_data import operation_model, paginators
from ecr_feed.embedded.protocol.wire import Result, ServiceError

_VERSION = "2010-05-08"
Form = dict[str, str]


@dataclass(slots=True)
class IamStore:
    """All IAM state of all accounts. `writes` counts changes, for caches to compare."""

    partition: str = "aws"
    moto: MotoIam = field(default_factory=MotoIam)
    boundaries: dict[tuple[str, str], str] = field(default_factory=dict)  # (account, user) -> ARN
    written: ChangedTexts = field(default_factory=ChangedTexts)
    writes: int = 0

    def ask(self, account: str, operation: str, form: Mapping[str, str] | None = None) -> Result:
        """One IAM operation, answered by moto, all pages in one. Raises ServiceError."""
        given = {k: v for k, v in (form or {}).items() if k not in ("Marker", "MaxItems")}
        given = {k: self._translated(account, v) for k, v in given.items()}
        if text := given.get("PolicyDocument"):
            given["PolicyDocument"] = self.written.storable(operation, text)
        given |= {"Action": operation, "Version": _VERSION}
        answer = self._all_pages(account, operation, given)
        if not operation.startswith(("Get", "List", "Simulate")):
            self.writes += 1
        model = operation_model("iam", operation)
        shape, written = model.output_shape, self.written.as_written
        answer = _encoded(shape, answer, written) if shape else {}
        answer = from_stand_in(account, self.partition, answer)
        return self._completed(account, operation, answer)

    def _translated(self, account: str, value: str) -> str:
        """Replace an AWS-managed policy's ARN by its stand-in's, which is created on first use."""
        managed = stand_in(self.partition, value)
        if managed is None:
            return value
        form = {"Action": "CreatePolicy", "Version": _VERSION, **managed}
        self.moto.iam(account, self.partition, form)  # fails harmlessly if it exists
        return to_stand_in(account, self.partition, value)

    def _all_pages(self, account: str, operation: str, form: Form) -> Result:
        rule = paginators("iam").get(operation)
        if rule is None:
            return self._one(account, operation, form)
        keys = rule["result_key"] if isinstance(rule["result_key"], list) else [rule["result_key"]]
        answer = self._one(account, operation, {**form, "MaxItems": "1000"})
        page = answer
        while page.get("IsTruncated") and page.get("Marker"):
            again = {**form, "MaxItems": "1000", "Marker": page["Marker"]}
            page = self._one(account, operation, again)
            for key in keys:
                answer[key] = answer.get(key, []) + page.get(key, [])
        return {k: v for k, v in answer.items() if k not in ("IsTruncated", "Marker")}

    def _one(self, account: str, operation: str, form: Form) -> Result:
        try:
            status, body = self.moto.iam(account, self.partition, form)
        except NotImplementedError:
            text = f"The embedded account does not implement iam:{operation}."
            raise ServiceError("InvalidAction", text) from None
        parsed = _parse_xml(operation_model("iam", operation), status, body)
        if error := parsed.get("Error"):
            raise ServiceError(error["Code"], error["Message"], status)
        parsed.pop("ResponseMetadata", None)
        return parsed

    def _completed(self, account: str, operation: str, answer: Result) -> Result:
        users = [answer["User"]] if "User" in answer else answer.get("Users", [])
        for user in (*users, *answer.get("UserDetailList", [])):
            user["UserId"] = "AIDA" + user["UserId"][3:].upper()
            boundary = self.boundaries.get((account, user["UserName"]))
            if boundary and operation != "ListUsers":
                user["PermissionsBoundary"] = {
                    "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
                    "PermissionsBoundaryArn": boundary,
                }
        return answer


def _parse_xml(operation: Any, status: int, body: bytes) -> dict[str, Any]:
    """A query-protocol answer, parsed by botocore's parser."""
    response = {"status_code": status, "headers": {}, "body": body}
    parsed: dict[str, Any] = create_parser("query").parse(response, operation.output_shape)
    return parsed


def _encoded(shape: Any, value: Any, shown: Callable[[Any], Any]) -> Any:
    """The answer with every policy document URL-encoded, as IAM sends them."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {k: _encoded(members[k], v, shown) for k, v in value.items() if k in members}
    if kind == "list":
        return [_encoded(shape.member, item, shown) for item in value]
    return shown(value) if shape.name == "policyDocumentType" else value


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
    """One account's IAM for evaluation. `policies`: ARN -> default version's document."""

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
