"""IAM's state: moto keeps it; what moto lacks is kept beside it.

moto drops a user's permissions boundary, has AWS-managed policies only all at once (a second),
leaves one document unencoded, refuses some, and its user ids are not AWS's. Access keys are the
key ring's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecr_feed.embedded.iam.managed import from_stand_in, stand_in, to_stand_in
from ecr_feed.embedded.iam.written import Written
from ecr_feed.embedded.moto_backend import Moto
from ecr_feed.embedded.protocol import operation_model, paginators
from ecr_feed.embedded.query import parse_xml
from ecr_feed.embedded.wire import ServiceError

_VERSION = "2010-05-08"
Form = dict[str, str]
Answer = dict[str, Any]


@dataclass(slots=True)
class IamStore:
    """All IAM state of all accounts. `writes` counts changes, for those who keep what they read."""

    partition: str = "aws"
    moto: Moto = field(default_factory=Moto)
    boundaries: dict[tuple[str, str], str] = field(default_factory=dict)  # (account, user) -> ARN
    written: Written = field(default_factory=Written)
    writes: int = 0

    def ask(self, account: str, operation: str, form: Mapping[str, str] | None = None) -> Answer:
        """One IAM operation, answered by moto and completed, all pages in one; ServiceError."""
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
        """An AWS-managed policy's ARN becomes its stand-in's, which is made when first named."""
        managed = stand_in(self.partition, value)
        if managed is None:
            return value
        form = {"Action": "CreatePolicy", "Version": _VERSION, **managed}
        self.moto.iam(account, self.partition, form)  # a second time it exists already: fine
        return to_stand_in(account, self.partition, value)

    def _all_pages(self, account: str, operation: str, form: Form) -> Answer:
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

    def _one(self, account: str, operation: str, form: Form) -> Answer:
        try:
            status, body = self.moto.iam(account, self.partition, form)
        except NotImplementedError:
            text = f"The embedded account does not stand in for iam:{operation}."
            raise ServiceError("InvalidAction", text) from None
        parsed = parse_xml(operation_model("iam", operation), status, body)
        if error := parsed.get("Error"):
            raise ServiceError(error["Code"], error["Message"], status)
        parsed.pop("ResponseMetadata", None)
        return parsed

    def _completed(self, account: str, operation: str, answer: Answer) -> Answer:
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


def _encoded(shape: Any, value: Any, shown: Callable[[Any], Any]) -> Any:
    """The answer with every policy document URL-encoded, as IAM sends them."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {k: _encoded(members[k], v, shown) for k, v in value.items() if k in members}
    if kind == "list":
        return [_encoded(shape.member, item, shown) for item in value]
    return shown(value) if shape.name == "policyDocumentType" else value
