"""The Condition element to compiled conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches

from ecr_feed.iam.conditions import Condition, Quantifier, Value
from ecr_feed.iam.elements import items, kind_of, require_object
from ecr_feed.iam.errors import PolicyError, child
from ecr_feed.iam.operators import OPERATORS, Family, Operator
from ecr_feed.iam.statement import fill_fixed
from ecr_feed.iam.variables import read_template, variables_in

_NAME = re.compile(
    r"(?:(?P<quantifier>ForAllValues|ForAnyValue):)?(?P<operator>[A-Za-z]+?)(?P<exists>IfExists)?"
)


def read_conditions(value: object, path: str, *, variables: bool) -> tuple[Condition, ...]:
    """Compile a Condition element; `variables` is false for Version 2008-10-17."""
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
    if if_exists and operator.family is Family.PRESENCE:
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
