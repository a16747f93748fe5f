"""Parse a policy's JSON into statements; what IAM refuses is an error with its JSON path."""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeVar

from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.json_values import (
    kind_of,
    refuse_others,
    require_object,
    require_text,
    strings,
)
from ecr_feed.iam.parse_conditions import read_conditions
from ecr_feed.iam.parse_patterns import read_actions, read_resources
from ecr_feed.iam.parse_principals import nobody, read_principals
from ecr_feed.iam.policy_rules import RULES, Kind, PolicyError, Presence, child
from ecr_feed.iam.principal_matching import PrincipalSet
from ecr_feed.iam.reading import Reading, certain, in_doubt
from ecr_feed.iam.statement import Actions, Resources, Statement

VERSIONS = ("2012-10-17", "2008-10-17")
_OLD = "2008-10-17"
_TOP = ("Version", "Id", "Statement")
_ELEMENTS: Final = (
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
_KNOWN: Final = frozenset(_ELEMENTS)
_PLAIN_SID = re.compile(r"[0-9A-Za-z]*")
_FULL_ACCESS: Final = {"Effect": "Allow", "Principal": "*", "Action": ("*",), "Resource": ("*",)}
"""The statement of RCPFullAWSAccess, which AWS attaches to everything."""

Element = TypeVar("Element")
_NO_RESOURCES: Final[Reading[Resources | None]] = certain(None)
_NO_PRINCIPALS: Final[Reading[PrincipalSet | None]] = certain(None)


class DocumentParser:
    """Parses one document of a given kind; errors carry JSON paths.

    `from_aws`: AWS handed the document over, so it took it once. What it would refuse from a
    person is then no error, unless it has no meaning at all.
    """

    def __init__(self, kind: Kind, name: str, *, from_aws: bool) -> None:
        self._kind = kind
        self._name = name
        self._from_aws = from_aws
        self._variables = False

    def read(self, value: object) -> tuple[str, tuple[Statement, ...]]:
        """The version that applies and the statements; PolicyError if IAM would refuse it."""
        return _placed("$", self._read, value)

    def _read(self, value: object) -> tuple[str, tuple[Statement, ...]]:
        top = require_object(value)
        refuse_others(top, _TOP)
        version = _OLD
        if "Version" in top:
            version = require_text(top["Version"], ".Version")
            if version not in VERSIONS:
                raise PolicyError(".Version", f"{version!r}, expected {' or '.join(VERSIONS)}")
        if "Id" in top:
            require_text(top["Id"], ".Id")
        if "Statement" not in top:
            raise PolicyError(".Statement", "missing, expected a statement or a list of them")
        self._variables = version != _OLD
        return version, _placed(".Statement", self._statements, top["Statement"])

    def _statements(self, value: object) -> tuple[Statement, ...]:
        if isinstance(value, Mapping):
            return self._statement(value, 0)
        if not isinstance(value, list | tuple) or not (value or self._from_aws):
            found = "an empty list" if value in ([], ()) else kind_of(value)
            raise PolicyError("", f"{found}, expected a statement or a list of them")
        read: list[Statement] = []
        seen: dict[str, int] = {}
        for index, each in enumerate(value):
            try:
                made = self._statement(each, index)
                sid = made[0].sid
                if sid and sid in seen and not self._from_aws:
                    raise PolicyError(
                        ".Sid", f"{sid!r} again (statement {seen[sid]}), expected unique"
                    )
            except PolicyError as error:
                raise PolicyError(f"[{index}]{error.path}", error.reason) from None
            seen[sid] = index
            read += made
        return tuple(read)

    def _statement(self, value: Any, index: int) -> tuple[Statement, ...]:
        """One statement; two where a part of it can be read in two ways, the narrow one first."""
        try:
            alike = marshal.dumps(value, _PLAIN)
        except ValueError:  # made by hand, not by a JSON reader
            reader = StatementReader(self._kind, self._variables, self._from_aws)
            return reader.read(value, self._name, index)
        return _read_alike(alike, self._name, index, self._kind, self._variables, self._from_aws)


_PLAIN: Final = 2
"""The format of `marshal` in which equal JSON values are equal bytes."""


@lru_cache(maxsize=4096)
def _read_alike(
    alike: bytes, name: str, index: int, kind: Kind, variables: bool, from_aws: bool
) -> tuple[Statement, ...]:
    """A statement that the policy of this name had before, or will have again: it is read once."""
    return StatementReader(kind, variables, from_aws).read(marshal.loads(alike), name, index)


class StatementReader:
    """Reads one statement of a kind of policy; errors carry the place below the statement."""

    def __init__(self, kind: Kind, variables: bool, from_aws: bool) -> None:
        self._kind = kind
        self._rules = RULES[kind]
        self._variables = variables
        self._from_aws = from_aws

    def read(self, value: object, name: str, index: int) -> tuple[Statement, ...]:
        """The statement of a policy of this name; two where it can be read in two ways."""
        found = require_object(value)
        if not found.keys() <= _KNOWN:
            refuse_others(found, _ELEMENTS)
        effect = found.get("Effect")
        if effect != "Allow" and effect != "Deny":
            _refuse_effect(found)
        allows = effect == "Allow"
        sid = self._sid(found) if "Sid" in found else ""
        actions = self._actions(found)
        resources = self._resources(found)
        principals = self._principals(found, allows=allows)
        conditions = self._conditions(found) if "Condition" in found else ()
        if self._kind is Kind.RCP and not self._from_aws:
            _check_own_rcp(found)
        narrow = Statement(
            name,
            index,
            sid,
            allows,
            actions.narrow,
            resources.narrow,
            principals.narrow,
            conditions,
        )
        if not (actions.doubt or resources.doubt or principals.doubt):
            return (narrow,)
        doubts = (actions.doubt, resources.doubt, principals.doubt)
        wide = replace(
            narrow, actions=actions.wide, resources=resources.wide, principals=principals.wide
        )
        return narrow, in_doubt(wide, " and ".join(filter(None, doubts)))

    def _sid(self, found: Mapping[str, object]) -> str:
        sid = require_text(found["Sid"], ".Sid")
        if self._rules.plain_sid and not self._from_aws and not _PLAIN_SID.fullmatch(sid):
            raise PolicyError(".Sid", f"{sid!r}, expected letters and digits only")
        return sid

    def _actions(self, found: Mapping[str, object]) -> Reading[Actions]:
        element = _one_of(found, "Action", "NotAction")
        if element is None:
            raise PolicyError(".Action", "missing, expected Action or NotAction")
        if element == "NotAction" and self._kind is Kind.RCP and not self._from_aws:
            raise PolicyError(".NotAction", "a resource control policy takes Action only")

        value = found[element]
        try:
            return read_actions(
                strings(value), element == "NotAction", self._kind is Kind.TRUST, self._from_aws
            )
        except PolicyError as error:
            raise _within(element, value, error) from None

    def _resources(self, found: Mapping[str, object]) -> Reading[Resources | None]:
        element = _one_of(found, "Resource", "NotResource")
        if element is None:
            if self._rules.resource is Presence.REQUIRED:
                raise PolicyError(".Resource", "missing, expected Resource or NotResource")
            return _NO_RESOURCES
        if self._rules.resource is Presence.REFUSED:
            raise PolicyError(
                child("", element), f"not allowed in a {self._kind} policy, expected no {element}"
            )
        if self._kind is Kind.RESOURCE and not self._from_aws and _concerns_ecr(found):
            raise PolicyError(
                child("", element), f"Amazon ECR's repository policies take no {element}"
            )

        value = found[element]
        try:
            return read_resources(
                strings(value), element == "NotResource", self._variables, self._from_aws
            )
        except PolicyError as error:
            raise _within(element, value, error) from None

    def _principals(
        self, found: Mapping[str, object], *, allows: bool
    ) -> Reading[PrincipalSet | None]:
        element = _one_of(found, "Principal", "NotPrincipal")
        if element is None:
            if self._rules.principal is Presence.REQUIRED:
                raise PolicyError(".Principal", "missing, expected a Principal")
            return _NO_PRINCIPALS
        where = child("", element)
        if self._rules.principal is Presence.REFUSED:
            raise PolicyError(
                where, f"not allowed in a policy of kind {self._kind}, expected no {element}"
            )
        negated = element == "NotPrincipal"
        value = found[element]
        if not self._from_aws:
            _check_principal(value, where, self._kind, negated=negated, allows=allows)
        read = _placed(where, _principals, value, negated, self._from_aws)
        if negated and allows:
            return Reading(nobody(), read.wide, "how AWS reads NotPrincipal with Effect Allow")
        return read

    def _conditions(self, found: Mapping[str, object]) -> tuple[Condition, ...]:
        try:
            return read_conditions(
                found["Condition"], variables=self._variables, from_aws=self._from_aws
            )
        except PolicyError as error:
            raise PolicyError(f".Condition{error.path}", error.reason) from None


def _principals(value: object, negated: bool, from_aws: bool) -> Reading[PrincipalSet | None]:
    return read_principals(value, negated=negated, from_aws=from_aws)


def _placed(path: str, read: Callable[..., Element], *given: object) -> Element:
    """What `read` returns; its errors are placed below `path`."""
    try:
        return read(*given)
    except PolicyError as error:
        raise PolicyError(path + error.path, error.reason) from None


def _within(element: str, value: object, error: PolicyError) -> PolicyError:
    """The error, placed in an element; one that is no list has no index."""
    at = error.path if isinstance(value, list | tuple) else ""
    return PolicyError(f".{element}{at}", error.reason)


def _refuse_effect(found: Mapping[str, object]) -> None:
    if "Effect" not in found:
        raise PolicyError(".Effect", "missing, expected Allow or Deny")
    effect = require_text(found["Effect"], ".Effect")
    raise PolicyError(".Effect", f"{effect!r}, expected Allow or Deny")


def _one_of(found: Mapping[str, object], plain: str, negated: str) -> str | None:
    if negated in found:
        if plain in found:
            raise PolicyError(child("", negated), f"beside {plain}, expected one of the two")
        return negated
    return plain if plain in found else None


def _concerns_ecr(found: Mapping[str, object]) -> bool:
    """Whether a statement is about ECR, or about any service."""
    listed = strings(found.get("Action", found.get("NotAction", "*")))
    return any(text == "*" or text.lower().startswith(("ecr:", "*:")) for text in listed)


def _check_principal(value: object, where: str, kind: Kind, *, negated: bool, allows: bool) -> None:
    """Refuse the ways of naming principals that this kind of policy does not take."""
    if negated and kind in (Kind.RCP, Kind.TRUST):
        raise PolicyError(where, f"not allowed in a policy of kind {kind}: use Principal")
    if negated and allows:
        raise PolicyError(where, "not supported with Effect Allow, expected Principal")
    if kind is Kind.RCP and not isinstance(value, str):
        raise PolicyError(where, f'{kind_of(value)}, expected "*" in a resource control policy')


def _check_own_rcp(found: Mapping[str, object]) -> None:
    """Refuse what AWS takes in no resource control policy but its own RCPFullAWSAccess."""
    listed = {key: strings(found[key]) for key in ("Action", "Resource") if key in found}
    if {key: value for key, value in found.items() if key != "Sid"} | listed == _FULL_ACCESS:
        return
    if found["Effect"] == "Allow":
        raise PolicyError(".Effect", "'Allow', expected Deny in a resource control policy")
    action = found["Action"]
    for index, text in enumerate(strings(action)):
        if text == "*":
            at = "" if isinstance(action, str) else f"[{index}]"
            raise PolicyError(
                f".Action{at}",
                "'*' alone, expected actions such as ecr:* in a resource control policy",
            )
