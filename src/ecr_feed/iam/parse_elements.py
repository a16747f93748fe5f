"""Parse a statement's elements: principals, conditions, and the lists of strings in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches

from ecr_feed.iam.condition_operators import OPERATORS, Operator, ValueType
from ecr_feed.iam.conditions import Condition, Quantifier, Value
from ecr_feed.iam.policy_rules import Kind, PolicyError, child
from ecr_feed.iam.principal_matching import Caller, CallerKind, PrincipalSet, read_caller
from ecr_feed.iam.statement import fill_fixed
from ecr_feed.iam.variables import read_template, variables_in


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else "a number"


def require_object(value: object, path: str) -> Mapping[str, object]:
    """The value as an object."""
    if not isinstance(value, Mapping):
        raise PolicyError(path, f"{kind_of(value)}, expected an object")
    for key in value:
        if not isinstance(key, str):
            raise PolicyError(path, f"key {key!r} is not text, expected element names")
    return value


def require_text(value: object, path: str) -> str:
    """The value as text."""
    if not isinstance(value, str):
        raise PolicyError(path, f"{kind_of(value)}, expected a string")
    return value


def items(value: object, path: str) -> Iterator[tuple[object, str]]:
    """One value, or each value of a list, with its path."""
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield each, child(path, index)
    else:
        yield value, path


def strings(value: object, path: str) -> list[tuple[str, str]]:
    """A string or a list of strings, each with its path."""
    found: list[tuple[str, str]] = []
    for each, where in items(value, path):
        if not isinstance(each, str):
            expected = "a string" if where != path else "a string or a list of strings"
            raise PolicyError(where, f"{kind_of(each)}, expected {expected}")
        found.append((each, where))
    return found


def refuse_others(value: Mapping[str, object], known: tuple[str, ...], path: str) -> None:
    """Refuse keys that are not in `known`, hinting at letter case."""
    for key in value:
        if key not in known:
            near = [each for each in known if each.lower() == key.lower()]
            hint = f"{near[0]!r}" if near else f"one of {', '.join(known)}"
            raise PolicyError(child(path, key), f"unknown element, expected {hint}")


_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_WHOLE = {"Service": CallerKind.SERVICE, "Federated": CallerKind.PROVIDER}
_DELETED = re.compile(r"A(?:IDA|ROA|GPA|SIA)[A-Z0-9]+")
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def read_principals(value: object, path: str, *, kind: Kind, negated: bool) -> PrincipalSet:
    """Parse the element: `*`, or an object of principal types. Raises PolicyError."""
    if isinstance(value, str):
        if value != "*":
            raise PolicyError(path, f'{kind_of(value)}, expected "*" or an object')
        return PrincipalSet(negated, True, frozenset(), (), frozenset(), ("*",))
    if kind is Kind.RCP:
        raise PolicyError(path, f'{kind_of(value)}, expected "*" in a resource control policy')
    return _typed(value, path, negated)


def _typed(value: object, path: str, negated: bool) -> PrincipalSet:
    if not isinstance(value, Mapping):
        raise PolicyError(path, f'{kind_of(value)}, expected "*" or an object')
    refuse_others(value, _TYPES, path)
    whole: set[str] = set()
    callers: list[Caller] = []
    others: set[str] = set()
    texts: list[str] = []
    for which, listed in value.items():
        for text, where in strings(listed, child(path, which)):
            texts.append(text)
            if text == "*" and which != "CanonicalUser":
                whole.add(which)
                continue
            found = _principal(which, text, where)
            if isinstance(found, str):
                others.add(found)
            elif found is not None:
                callers.append(found)
    kinds = frozenset(kind for which, kind in _WHOLE.items() if which in whole)
    return PrincipalSet(
        negated, "AWS" in whole, kinds, tuple(callers), frozenset(others), tuple(texts)
    )


def _principal(which: str, text: str, path: str) -> Caller | str | None:
    """A parsed caller, a host name, or None for a principal that no request can have."""
    if "*" in text or "?" in text:
        raise PolicyError(path, f'{text!r}, expected a whole name or "*" (no wildcard within)')
    if which == "AWS":
        return _aws(text, path)
    if which == "CanonicalUser":
        if _CANONICAL.fullmatch(text) is None:
            raise PolicyError(path, f"{text!r}, expected a canonical user ID of 64 hex digits")
        return None
    if _HOST.fullmatch(text):
        return text
    if which == "Federated":
        return _provider(text, path)
    raise PolicyError(path, f"{text!r}, expected a service such as ecs-tasks.amazonaws.com")


def _aws(text: str, path: str) -> Caller | None:
    if _DELETED.fullmatch(text):
        return None
    try:
        found = read_caller(text)
    except ValueError:
        found = None
    if found is None or found.account is None:
        raise PolicyError(
            path,
            f"{text!r}, expected an account number or the ARN of an account's root, a user, role, "
            "role session or federated user",
        )
    return found


def _provider(text: str, path: str) -> Caller:
    try:
        found = read_caller(text)
    except ValueError:
        found = None
    if found is None or found.kind is not CallerKind.PROVIDER:
        raise PolicyError(path, f"{text!r}, expected an identity provider's ARN or host name")
    return found


_NAME = re.compile(
    r"(?:(?P<quantifier>ForAllValues|ForAnyValue):)?(?P<operator>[A-Za-z]+?)(?P<exists>IfExists)?"
)


def read_conditions(value: object, path: str, *, variables: bool) -> tuple[Condition, ...]:
    """Parse a Condition element. Raises PolicyError.

    `variables` is false for Version 2008-10-17.
    """
    return tuple(_conditions(value, path, variables))


def _conditions(value: object, path: str, variables: bool) -> Iterator[Condition]:
    for name, block in require_object(value, path).items():
        where = child(path, name)
        operator, quantifier, if_exists = _operator(name, where)
        for key, wanted in require_object(block, where).items():
            if not key.strip():
                raise PolicyError(child(where, key), "empty, expected a key such as aws:SourceIp")
            yield Condition(
                name,
                operator,
                quantifier,
                if_exists,
                key,
                key.lower(),
                tuple(_values(wanted, child(where, key), operator, variables)),
            )


def _operator(name: str, path: str) -> tuple[Operator, Quantifier, bool]:
    found = _NAME.fullmatch(name)
    operator = OPERATORS.get(found["operator"]) if found else None
    if found is None or operator is None:
        near = get_close_matches(name, OPERATORS, n=1)
        hint = f" such as {near[0]}" if near else ""
        raise PolicyError(path, f"unknown operator, expected a condition operator{hint}")
    if_exists = found["exists"] is not None
    if if_exists and operator.value_type is ValueType.PRESENCE:
        raise PolicyError(path, "unknown operator, expected Null (it takes no IfExists)")
    return operator, Quantifier(found["quantifier"] or ""), if_exists


def _values(wanted: object, path: str, operator: Operator, variables: bool) -> Iterator[Value]:
    for each, where in items(wanted, path):
        text = _text(each, where)
        template = read_template(text, variables=variables and operator.variables)
        if variables_in(template):
            yield Value(text, template, None)
            continue
        test = operator.build(fill_fixed(template))
        if test is None:
            raise PolicyError(where, f"{text!r}, expected {operator.expects}")
        yield Value(text, template, test)


def _text(value: object, path: str) -> str:
    """A condition value as text: strings, JSON booleans and numbers are the same to IAM."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise PolicyError(path, f"{kind_of(value)}, expected a string, number or boolean")
