"""Parse a policy's JSON into statements; what IAM refuses is an error with its JSON path."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.parse_elements import (
    kind_of,
    read_conditions,
    read_principals,
    refuse_others,
    require_object,
    require_text,
    strings,
)
from ecr_feed.iam.policy_rules import RULES, Kind, PolicyError, Presence, child
from ecr_feed.iam.principal_matching import PrincipalSet
from ecr_feed.iam.statement import Actions, Resources, Statement, StatementRef

VERSIONS = ("2012-10-17", "2008-10-17")
_OLD = "2008-10-17"
_TOP = ("Version", "Id", "Statement")
_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_PLAIN_SID = re.compile(r"[0-9A-Za-z]*")
_SERVICE = re.compile(r"\*|[A-Za-z0-9-]+")
_NAME = re.compile(r"[A-Za-z0-9*?-]+")
_PARTITION = re.compile(r"\*|aws[a-z-]*")


class DocumentParser:
    """Parses one document of a given kind; errors carry JSON paths."""

    def __init__(self, kind: Kind, name: str) -> None:
        self._kind = kind
        self._rules = RULES[kind]
        self._name = name
        self._variables = False

    def read(self, value: object) -> tuple[str, tuple[Statement, ...]]:
        """The version that applies and the statements; PolicyError if IAM would refuse it."""
        top = require_object(value, "$")
        refuse_others(top, _TOP, "$")
        version = _OLD
        if "Version" in top:
            version = require_text(top["Version"], "$.Version")
            if version not in VERSIONS:
                raise PolicyError("$.Version", f"{version!r}, expected {' or '.join(VERSIONS)}")
        if "Id" in top:
            require_text(top["Id"], "$.Id")
        if "Statement" not in top:
            raise PolicyError("$.Statement", "missing, expected a statement or a list of them")
        self._variables = version != _OLD
        return version, self._statements(top["Statement"])

    def _statements(self, value: object) -> tuple[Statement, ...]:
        path = "$.Statement"
        if isinstance(value, Mapping):
            return (self._statement(value, path, 0),)
        if not isinstance(value, list | tuple) or not value:
            found = "an empty list" if value in ([], ()) else kind_of(value)
            raise PolicyError(path, f"{found}, expected a statement or a list of them")
        read: list[Statement] = []
        seen: dict[str, int] = {}
        for index, each in enumerate(value):
            where = child(path, index)
            statement = self._statement(each, where, index)
            sid = statement.ref.sid
            if sid and sid in seen:
                raise PolicyError(
                    child(where, "Sid"), f"{sid!r} again (statement {seen[sid]}), expected unique"
                )
            seen[sid] = index
            read.append(statement)
        return tuple(read)

    def _statement(self, value: object, path: str, index: int) -> Statement:
        found = require_object(value, path)
        refuse_others(found, _ELEMENTS, path)
        allows = self._effect(found, path)
        return Statement(
            StatementRef(self._name, index, self._sid(found, path)),
            allows,
            self._actions(found, path),
            self._resources(found, path),
            self._principals(found, path, allows=allows),
            self._conditions(found, path),
        )

    def _effect(self, found: Mapping[str, object], path: str) -> bool:
        where = child(path, "Effect")
        if "Effect" not in found:
            raise PolicyError(where, "missing, expected Allow or Deny")
        effect = require_text(found["Effect"], where)
        if effect not in ("Allow", "Deny"):
            raise PolicyError(where, f"{effect!r}, expected Allow or Deny")
        return effect == "Allow"

    def _sid(self, found: Mapping[str, object], path: str) -> str:
        if "Sid" not in found:
            return ""
        where = child(path, "Sid")
        sid = require_text(found["Sid"], where)
        if self._rules.plain_sid and not _PLAIN_SID.fullmatch(sid):
            raise PolicyError(where, f"{sid!r}, expected letters and digits only")
        return sid

    def _actions(self, found: Mapping[str, object], path: str) -> Actions:
        element = _one_of(found, "Action", "NotAction", path)
        if element is None:
            raise PolicyError(child(path, "Action"), "missing, expected Action or NotAction")
        if element == "NotAction" and self._kind is Kind.RCP:
            raise PolicyError(child(path, element), "a resource control policy takes Action only")
        listed = strings(found[element], child(path, element))
        if not listed:
            raise PolicyError(child(path, element), "an empty list, expected at least one action")
        for text, where in listed:
            self._check_action(text, where)
        return Actions.of((text for text, _ in listed), negated=element == "NotAction")

    def _check_action(self, text: str, path: str) -> None:
        if text == "*":
            return
        service, colon, name = text.partition(":")
        if not colon:
            raise PolicyError(path, f'{text!r}, expected "*" or SERVICE:ACTION')
        if not _SERVICE.fullmatch(service):
            raise PolicyError(
                path, f"{text!r}, expected a whole service prefix (no wildcard within)"
            )
        if not _NAME.fullmatch(name):
            raise PolicyError(path, f"{text!r}, expected one colon, then an action name")
        if self._kind is Kind.TRUST and service.lower() not in ("sts", "*"):
            raise PolicyError(path, f"{text!r}, expected an sts action in a trust policy")

    def _resources(self, found: Mapping[str, object], path: str) -> Resources | None:
        element = _one_of(found, "Resource", "NotResource", path)
        if element is None:
            if self._rules.resource is Presence.REQUIRED:
                raise PolicyError(
                    child(path, "Resource"), "missing, expected Resource or NotResource"
                )
            return None
        where = child(path, element)
        if self._rules.resource is Presence.REFUSED:
            raise PolicyError(where, f"not allowed in a {self._kind} policy, expected no {element}")
        if self._kind is Kind.RESOURCE and _concerns_ecr(found):
            raise PolicyError(where, f"Amazon ECR's repository policies take no {element}")
        listed = strings(found[element], where)
        if not listed:
            raise PolicyError(where, "an empty list, expected at least one resource")
        for text, each in listed:
            _check_resource(text, each)
        patterns = [text for text, _ in listed]
        return Resources.of(patterns, negated=element == "NotResource", variables=self._variables)

    def _principals(
        self, found: Mapping[str, object], path: str, *, allows: bool
    ) -> PrincipalSet | None:
        element = _one_of(found, "Principal", "NotPrincipal", path)
        if element is None:
            if self._rules.principal is Presence.REQUIRED:
                raise PolicyError(child(path, "Principal"), "missing, expected a Principal")
            return None
        where = child(path, element)
        if self._rules.principal is Presence.REFUSED:
            raise PolicyError(
                where, f"not allowed in a policy of kind {self._kind}, expected no {element}"
            )
        negated = element == "NotPrincipal"
        if negated and self._kind in (Kind.RCP, Kind.TRUST):
            raise PolicyError(where, f"not allowed in a policy of kind {self._kind}: use Principal")
        if negated and allows:
            raise PolicyError(where, "not supported with Effect Allow, expected Principal")
        return read_principals(found[element], where, kind=self._kind, negated=negated)

    def _conditions(self, found: Mapping[str, object], path: str) -> tuple[Condition, ...]:
        if "Condition" not in found:
            return ()
        where = child(path, "Condition")
        return read_conditions(found["Condition"], where, variables=self._variables)


def _one_of(found: Mapping[str, object], plain: str, negated: str, path: str) -> str | None:
    if plain in found and negated in found:
        raise PolicyError(child(path, negated), f"beside {plain}, expected one of the two")
    return next((each for each in (plain, negated) if each in found), None)


def _concerns_ecr(found: Mapping[str, object]) -> bool:
    """Whether a statement is about ECR, or about any service."""
    listed = strings(found.get("Action", found.get("NotAction", "*")), "$")
    return any(text == "*" or text.lower().startswith(("ecr:", "*:")) for text, _ in listed)


def _check_resource(text: str, path: str) -> None:
    if text == "*":
        return
    parts = text.split(":")
    if parts[0] != "arn" or len(parts) < 3:
        raise PolicyError(path, f'{text!r}, expected an ARN or "*"')
    if not _PARTITION.fullmatch(parts[1]):
        raise PolicyError(path, f"{text!r}, expected an AWS partition after arn:")
    if not parts[2]:
        raise PolicyError(path, f"{text!r}, expected a service after the partition")
