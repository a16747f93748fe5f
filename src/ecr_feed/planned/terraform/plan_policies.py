"""Policy documents of a plan: as planned, or rebuilt where they are known only after apply.

A document that names a repository or user which does not exist yet is "known after apply": its ARN
is. ARNs follow from names, so `aws_iam_policy_document` data sources are rebuilt as written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.iam import PolicyError, parse
from ecr_feed.planned.arns import refuse_other_partitions
from ecr_feed.planned.terraform.plan import Instance, Plan, PlanScope, region_of

_DOCUMENT = "aws_iam_policy_document"
_KINDS = {
    ("aws_ecr_repository_policy", "policy"): "resource",
    ("aws_ecr_registry_policy", "policy"): "registry",
    ("aws_ecr_lifecycle_policy", "policy"): "lifecycle",
    ("aws_iam_role", "assume_role_policy"): "trust",
}


@dataclass(slots=True)
class PlanPolicies:
    """Reads policies of a plan; unknown ones are noted with their addresses."""

    plan: Plan
    scope: PlanScope
    notes: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Record a sentence about an unknown value, once."""
        if text not in self.notes:
            self.notes.append(text)

    def undecide(self, text: str) -> None:
        """Record an unknown that may affect permissions."""
        self.note(text)
        if text not in self.undecided:
            self.undecided.append(text)

    def text(self, instance: Instance, attribute: str) -> str | None:
        """The JSON of a policy attribute; None (and a note) if it is unknown.

        Raises AccountError for a policy that AWS would refuse at apply.
        """
        text = self._text_of(instance, attribute)
        kind = _KINDS.get((instance.type, attribute), "identity")
        if text is None or kind == "lifecycle":
            return text
        try:
            refuse_other_partitions(parse(text, kind=kind), self.scope.region)
        except PolicyError as error:
            where = f"{instance.address}: `{attribute}`"
            raise AccountError(f"{where}: AWS would refuse this policy: {error}") from None
        return text

    def _text_of(self, instance: Instance, attribute: str) -> str | None:
        known = instance.get(attribute)
        if isinstance(known, str) and known:
            return known
        written = self.plan.expression(instance, attribute)
        for target in self.plan.targets(instance, written):
            if target.type == _DOCUMENT:
                return self.document(target)
        if attribute in instance.unknown:
            self.undecide(
                f"{instance.address}: `{attribute}` is known only after apply, so what it allows "
                "or denies is not judged."
            )
        return None

    def document(self, data: Instance) -> str | None:
        """The JSON of an aws_iam_policy_document."""
        known = data.get("json")
        if isinstance(known, str) and known:
            return known
        blocks = self.plan.expression(data, "statement")
        written = blocks if isinstance(blocks, list) else []
        statements = data.values.get("statement") or []
        unknown = data.unknown.get("statement") or []
        if not statements or len(written) != len(statements):
            self.undecide(f"{data.address}: its statements are known only after apply.")
            return None
        made = [
            self._statement(data, statement, _at(unknown, n), written[n])
            for n, statement in enumerate(statements)
        ]
        for name in ("source_policy_documents", "override_policy_documents"):
            if data.values.get(name) or data.unknown.get(name):
                self.undecide(f"{data.address}: `{name}` is not followed.")
        whole = [each for each in made if each is not None]
        return json.dumps({"Version": data.get("version") or "2012-10-17", "Statement": whole})

    def _statement(
        self, data: Instance, known: Mapping[str, Any], unknown: Any, written: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        made: dict[str, Any] = {"Sid": known["sid"]} if known.get("sid") else {}
        made["Effect"] = known.get("effect") or "Allow"
        parts = (("Action", "actions"), ("NotAction", "not_actions"))
        resources = (("Resource", "resources"), ("NotResource", "not_resources"))
        for element, name in (*parts, *resources):
            values = self._values(data, known, unknown, written, name)
            if values is None:
                return None
            if values:
                made[element] = values
        for element, name in (("Principal", "principals"), ("NotPrincipal", "not_principals")):
            if known.get(name):
                made[element] = self._principals(data, known, unknown, written, name)
        if known.get("condition"):
            if any_true(_at_name(unknown, "condition")):
                self.undecide(f"{data.address}: a condition's values are known only after apply.")
                return None
            made["Condition"] = _conditions(known["condition"])
        return made

    def _values(
        self,
        data: Instance,
        known: Mapping[str, Any],
        unknown: Any,
        written: Mapping[str, Any],
        name: str,
    ) -> list[str] | None:
        """The values of a list; None (and a note) if some are unknown."""
        values = [each for each in known.get(name) or [] if isinstance(each, str)]
        if not any_true(_at_name(unknown, name)):
            return values
        targets = self.plan.targets(data, written.get(name, {}))
        arns = [arn for arn in map(self.arn, targets) if arn]
        if not arns:
            self.undecide(f"{data.address}: `{name}` of a statement are known only after apply.")
            return None
        return list(dict.fromkeys(values + arns))

    def _principals(
        self,
        data: Instance,
        known: Mapping[str, Any],
        unknown: Any,
        written: Mapping[str, Any],
        name: str,
    ) -> Any:
        made: dict[str, list[str]] = {}
        blocks = written.get(name) if isinstance(written.get(name), list) else []
        for n, principal in enumerate(known[name]):
            identifiers = self._values(
                data,
                principal,
                _at(_at_name(unknown, name), n),
                _at(blocks, n) or {},
                "identifiers",
            )
            made.setdefault(principal.get("type") or "AWS", []).extend(identifiers or [])
        return "*" if made.get("*") == ["*"] else made

    def _region(self, target: Instance) -> str:
        return region_of(self.plan, target) or self.scope.region

    def arn(self, target: Instance) -> str:
        """The ARN that a planned resource will have, from its name; "" if it cannot be derived."""
        known = target.get("arn")
        if isinstance(known, str) and known:
            return known
        name, path = target.get("name"), target.get("path") or "/"
        iam = f"arn:{self.scope.partition}:iam::{self.scope.account}"
        if not name and target.type != "aws_iam_openid_connect_provider":
            return ""
        made = {
            "aws_ecr_repository": (
                f"arn:{self.scope.partition}:ecr:{self._region(target)}:"
                f"{self.scope.account}:"
                f"repository/{name}"
            ),
            "aws_iam_user": f"{iam}:user{path}{name}",
            "aws_iam_role": f"{iam}:role{path}{name}",
            "aws_iam_group": f"{iam}:group{path}{name}",
            "aws_iam_policy": f"{iam}:policy{path}{name}",
            "aws_iam_openid_connect_provider": (
                f"{iam}:oidc-provider/{str(target.get('url') or '').removeprefix('https://')}"
            ),
        }
        return made.get(target.type, "")


def _at(listed: Any, index: int) -> Any:
    return listed[index] if isinstance(listed, list) and index < len(listed) else listed is True


def _at_name(marks: Any, name: str) -> Any:
    return marks.get(name) if isinstance(marks, Mapping) else marks


def any_true(marks: Any) -> bool:
    """Whether `after_unknown` marks anything in it as unknown."""
    if isinstance(marks, Mapping):
        return any(any_true(each) for each in marks.values())
    if isinstance(marks, list):
        return any(any_true(each) for each in marks)
    return marks is True


def _conditions(blocks: list[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    made: dict[str, dict[str, list[str]]] = {}
    for block in blocks:
        made.setdefault(block["test"], {}).setdefault(block["variable"], []).extend(block["values"])
    return made
