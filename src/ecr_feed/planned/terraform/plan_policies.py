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
from ecr_feed.iam import SIZE_LIMITS, PolicyError, parse, quota
from ecr_feed.planned.arns import refuse_other_partitions
from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.left_open import OpenItems
from ecr_feed.planned.terraform.plan import Plan
from ecr_feed.planned.terraform.scope import Places, PlanScope, region_of

_DOCUMENT = "aws_iam_policy_document"
_KINDS = {
    ("aws_ecr_repository_policy", "policy"): "resource",
    ("aws_ecr_registry_policy", "policy"): "registry",
    ("aws_ecr_lifecycle_policy", "policy"): "lifecycle",
    ("aws_iam_role", "assume_role_policy"): "trust",
}


@dataclass(slots=True)
class PlanPolicies:
    """Reads policies of a plan; what is unknown in them is recorded with their addresses.

    `derived` are the ARNs that follow from references to objects which do not exist yet.
    """

    plan: Plan
    scope: PlanScope
    places: Places
    open: OpenItems = field(default_factory=OpenItems)
    derived: set[str] = field(default_factory=set)

    def text(self, instance: Instance, attribute: str, *about: str) -> str | None:
        """The JSON of a policy attribute, as far as it is known; None if nothing is.

        What is unknown is open about the keys `about`. Raises AccountError for a policy that AWS
        would refuse at apply.
        """
        missing: list[str] = []
        text = self._text_of(instance, attribute, missing)
        self._record(missing, about)
        return self._parsed(instance, attribute, text)

    def block_text(self, instance: Instance, known: Any, written: Any, *about: str) -> str | None:
        """The same for the `policy` of a nested block: its planned value, or its expression."""
        missing: list[str] = []
        text = known if isinstance(known, str) and known else None
        if text is None:
            text = self._rebuilt(instance, written, missing)
            if text is None and not missing:
                missing.append(_later(instance, "policy"))
        self._record(missing, about)
        return self._parsed(instance, "policy", text)

    def _record(self, missing: list[str], about: tuple[str, ...]) -> None:
        for each in missing:
            for key in about:
                self.open.add(each, key)

    def _parsed(self, instance: Instance, attribute: str, text: str | None) -> str | None:
        kind = _KINDS.get((instance.type, attribute), "identity")
        if text is None or kind == "lifecycle":
            return text
        try:
            document = parse(text, kind=kind, limit=_limit(instance.type, kind))
            refuse_other_partitions(document, self.scope.region)
        except PolicyError as error:
            where = f"{instance.address}: `{attribute}`"
            raise AccountError(f"{where}: AWS would refuse this policy: {error}") from None
        return text

    def _text_of(self, instance: Instance, attribute: str, missing: list[str]) -> str | None:
        known = instance.get(attribute)
        if isinstance(known, str) and known:
            return known
        text = self._rebuilt(instance, self.plan.expression(instance, attribute), missing)
        if text is None and not missing and attribute in instance.unknown:
            missing.append(_later(instance, attribute))
        return text

    def _rebuilt(self, instance: Instance, written: Any, missing: list[str]) -> str | None:
        """The document that an expression refers to; None where it is not exactly one."""
        targets = self.plan.targets(instance, written)
        documents = [each for each in targets if each.type == _DOCUMENT]
        return self._document(documents[0], missing) if len(documents) == 1 else None

    def _document(self, data: Instance, missing: list[str]) -> str | None:
        """The JSON of an aws_iam_policy_document, without the statements that are unknown."""
        known = data.get("json")
        if isinstance(known, str) and known:
            return known
        blocks = self.plan.expression(data, "statement")
        written = blocks if isinstance(blocks, list) else []
        statements = data.values.get("statement") or []
        unknown = data.unknown.get("statement") or []
        if not statements or len(written) != len(statements):
            missing.append(f"{data.address}: its statements are known only after apply.")
            return None
        made = [
            self._statement(data, statement, _at(unknown, n), written[n], missing)
            for n, statement in enumerate(statements)
        ]
        missing += [
            f"{data.address}: `{name}` is not followed."
            for name in ("source_policy_documents", "override_policy_documents")
            if data.values.get(name) or data.unknown.get(name)
        ]
        whole = [each for each in made if each is not None]
        if not whole:
            return None
        return json.dumps({"Version": data.get("version") or "2012-10-17", "Statement": whole})

    def _statement(
        self,
        data: Instance,
        known: Mapping[str, Any],
        unknown: Any,
        written: Mapping[str, Any],
        missing: list[str],
    ) -> dict[str, Any] | None:
        """One statement; None where a part of it is unknown."""
        made: dict[str, Any] = {"Sid": known["sid"]} if known.get("sid") else {}
        made["Effect"] = known.get("effect") or "Allow"
        parts = (("Action", "actions"), ("NotAction", "not_actions"))
        resources = (("Resource", "resources"), ("NotResource", "not_resources"))
        for element, name in (*parts, *resources):
            values = self._values(data, known, unknown, written, name, missing)
            if values is None:
                return None
            if values:
                made[element] = values
        for element, name in (("Principal", "principals"), ("NotPrincipal", "not_principals")):
            if known.get(name):
                principals = self._principals(data, known, unknown, written, name, missing)
                if principals is None:
                    return None
                made[element] = principals
        if known.get("condition"):
            if any_true(_at_name(unknown, "condition")):
                missing.append(f"{data.address}: a condition's values are known only after apply.")
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
        missing: list[str],
    ) -> list[str] | None:
        """The values of a list; None if some are unknown."""
        values = [each for each in known.get(name) or [] if isinstance(each, str)]
        if not any_true(_at_name(unknown, name)):
            return values
        targets = self.plan.targets(data, written.get(name, {}))
        arns = [self.arn(each) for each in targets]
        if not arns or not all(arns):
            missing.append(f"{data.address}: `{name}` of a statement are known only after apply.")
            return None
        return list(dict.fromkeys(values + arns))

    def _principals(
        self,
        data: Instance,
        known: Mapping[str, Any],
        unknown: Any,
        written: Mapping[str, Any],
        name: str,
        missing: list[str],
    ) -> Any:
        """The Principal element; None if a part of it is unknown."""
        made: dict[str, list[str]] = {}
        blocks = written.get(name) if isinstance(written.get(name), list) else []
        for n, principal in enumerate(known[name]):
            identifiers = self._values(
                data,
                principal,
                _at(_at_name(unknown, name), n),
                _at(blocks, n) or {},
                "identifiers",
                missing,
            )
            if identifiers is None:
                return None
            made.setdefault(principal.get("type") or "AWS", []).extend(identifiers)
        return "*" if made.get("*") == ["*"] else made

    def _region(self, target: Instance) -> str:
        return region_of(self.plan, target) or self.scope.region

    def arn(self, target: Instance) -> str:
        """The ARN that a planned resource will have, from its name; "" if it cannot be derived."""
        if target.text("arn"):
            return target.text("arn")
        name, path = name_of(target), target.text("path") or "/"
        place = self.places.of(target)
        account = self.scope.account if place == self.scope.home else place
        if not account.isdigit():
            return ""
        iam = f"arn:{self.scope.partition}:iam::{account}"
        if not name and target.type != "aws_iam_openid_connect_provider":
            return ""
        made = {
            "aws_ecr_repository": (
                f"arn:{self.scope.partition}:ecr:{self._region(target)}:{account}:repository/{name}"
            ),
            "aws_iam_user": f"{iam}:user{path}{name}",
            "aws_iam_role": f"{iam}:role{path}{name}",
            "aws_iam_group": f"{iam}:group{path}{name}",
            "aws_iam_policy": f"{iam}:policy{path}{name}",
            "aws_iam_openid_connect_provider": (
                f"{iam}:oidc-provider/{str(target.get('url') or '').removeprefix('https://')}"
            ),
        }
        arn = made.get(target.type, "")
        self.derived.add(arn)
        return arn


def _later(instance: Instance, attribute: str) -> str:
    return (
        f"{instance.address}: `{attribute}` is known only after apply, so what it allows or denies "
        "is not judged."
    )


def name_of(instance: Instance) -> str:
    """The IAM name, or repository name, of an object or data source; "" if it is unknown."""
    attribute = _NAMES.get(instance.type, "name") if instance.is_data else "name"
    return instance.text(attribute)


_NAMES = {"aws_iam_user": "user_name", "aws_iam_group": "group_name"}
"""Data sources that call the name otherwise."""


_INLINE = {
    "aws_iam_user_policy": "user inline policies",
    "aws_iam_role_policy": "role inline policies",
    "aws_iam_group_policy": "group inline policies",
}


def _limit(resource_type: str, kind: str) -> int | None:
    """The quota of a policy where this type of resource puts it."""
    inline = _INLINE.get(resource_type)
    return quota(kind) if inline is None else SIZE_LIMITS[inline]


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
