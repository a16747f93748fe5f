"""The short forms of account files: policies, faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ecr_feed.embedded.faults import ConnectionKind

_KEYS: Final = frozenset({"allow", "deny", "on", "to", "when", "sid"})
PolicyKind = Literal["identity", "resource", "registry", "endpoint", "trust"]
_WITH_RESOURCE: Final = ("identity", "registry", "endpoint")


def _check(value: Any) -> Any:
    """Refuse values that are not a policy in any form; the service checks the rest."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError as error:
            raise ValueError(f"a policy given as text is JSON; {error}") from None
        return value
    for statement in value if isinstance(value, list) else [value]:
        _check_statement(statement)
    return value


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, Mapping):
        raise ValueError(f"a statement is a table with `allow` or `deny`, found {statement!r}")
    if "Statement" in statement:
        return
    if unknown := sorted(set(statement) - _KEYS):
        known = ", ".join(sorted(_KEYS))
        raise ValueError(f"unknown key {unknown[0]!r} in a statement; known are {known}")
    if ("allow" in statement) == ("deny" in statement):
        raise ValueError("a statement has either `allow` or `deny`")


PolicyShorthand = Annotated[str | dict[str, Any] | list[dict[str, Any]], AfterValidator(_check)]


def document(policy: Any, kind: PolicyKind, names: Mapping[str, str]) -> str:
    """The policy document as JSON text; `{account}`, `{region}`, `{partition}` are filled in."""
    if isinstance(policy, str):
        return fill(policy, names)
    if isinstance(policy, Mapping) and "Statement" in policy:
        written: Any = dict(policy)
    else:
        listed = policy if isinstance(policy, list) else [policy]
        written = {
            "Version": "2012-10-17",
            "Statement": [_statement(each, kind, names) for each in listed],
        }
    return fill(json.dumps(written), names)


def fill(text: str, names: Mapping[str, str]) -> str:
    """The text with its placeholders filled in; other braces are kept."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def _statement(
    given: Mapping[str, Any], kind: PolicyKind, names: Mapping[str, str]
) -> dict[str, Any]:
    allows = "allow" in given
    made: dict[str, Any] = {"Sid": given["sid"]} if "sid" in given else {}
    made["Effect"] = "Allow" if allows else "Deny"
    if "to" in given or kind != "identity":
        made["Principal"] = _principal(given.get("to", "*"))
    made["Action"] = given["allow"] if allows else given["deny"]
    if "on" in given or kind in _WITH_RESOURCE:
        on = given.get("on", "*")
        made["Resource"] = [_resource(each) for each in ([on] if isinstance(on, str) else on)]
    if "when" in given:
        made["Condition"] = given["when"]
    return made


def _principal(to: Any) -> Any:
    return to if to == "*" or isinstance(to, Mapping) else {"AWS": to}


def _resource(text: str) -> str:
    """`repository/NAME` is short for the ARN of a repository of the file's account and region."""
    if text.startswith("repository/"):
        return "arn:{partition}:ecr:{region}:{account}:" + text
    return text


class FaultTable(BaseModel):
    """One fault; the fields are those of `faults.Fault`. `key` is a key's label, for `caller`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Literal["ecr", "iam", "sts", "account", "organizations", "registry", "*"] = "*"
    operation: str = "*"
    region: str = "*"
    repository: str = "*"
    caller: str = "*"
    method: str = "*"
    reference: str = "*"
    key: str = ""
    code: str = ""
    message: str = ""
    status: int = 0
    body: str | None = None
    content_type: str = "text/html"
    truncate: Annotated[int, Field(ge=0)] | None = None
    replace: tuple[str, str] | None = None
    headers: dict[str, str] = {}
    connection: ConnectionKind | None = None
    after: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _says_one_thing(self) -> FaultTable:
        others = (self.body, self.truncate, self.replace, self.connection)
        said = bool(self.code) + sum(each is not None for each in others)
        if said > 1 or (said == 0 and not self.headers):
            raise ValueError(
                "a fault has exactly one of code, body, truncate, replace, connection, or headers"
            )
        if self.headers and (self.code or self.connection):
            raise ValueError("headers of a fault go with body, truncate or replace, or stand alone")
        return self
