"""Read Condition elements, and what AWS refuses in them."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache

from ecr_feed.iam.condition_operators import OPERATORS, Operator, ValueType
from ecr_feed.iam.conditions import Condition, Quantifier, Value
from ecr_feed.iam.json_values import require_object, scalars
from ecr_feed.iam.policy_rules import PolicyError, child
from ecr_feed.iam.statement import fill_fixed
from ecr_feed.iam.variables import has_unclosed_variable, read_template, variables_in

_NAME = re.compile(
    r"(?:(?P<quantifier>ForAllValues|ForAnyValue):)?(?P<operator>[A-Za-z]+?)(?P<exists>IfExists)?"
)
_PREFIXED = re.compile(r"[^:\s]+:.*\S")
_GLOBAL_KEYS = (
    "CurrentTime",
    "EpochTime",
    "MultiFactorAuthAge",
    "MultiFactorAuthPresent",
    "PrincipalAccount",
    "PrincipalArn",
    "PrincipalIsAWSService",
    "PrincipalOrgID",
    "PrincipalOrgPaths",
    "PrincipalType",
    "Referer",
    "RequestedRegion",
    "ResourceAccount",
    "ResourceOrgID",
    "ResourceOrgPaths",
    "SecureTransport",
    "SourceAccount",
    "SourceArn",
    "SourceIdentity",
    "SourceIp",
    "SourceOrgID",
    "SourceVpc",
    "SourceVpce",
    "TagKeys",
    "TokenIssueTime",
    "UserAgent",
    "userid",
    "username",
    "ViaAWSService",
    "VpcSourceIp",
)
"""Global condition keys without their prefix `aws:`."""

_GLOBAL = {name.lower(): name for name in _GLOBAL_KEYS}


def read_conditions(value: object, *, variables: bool, from_aws: bool) -> tuple[Condition, ...]:
    """A Condition element. Raises PolicyError with the place below it.

    `variables` is false for Version 2008-10-17. `from_aws`: a key without a prefix and a value
    that is not of the operator's type match nothing.
    """
    found: list[Condition] = []
    for name, block in require_object(value).items():
        where = child("", name)
        _known_operator(name, where)
        for key, wanted in require_object(block, where).items():
            try:
                texts = scalars(wanted)
                found.append(_read(name, key, texts, variables, from_aws))
            except PolicyError as error:
                at = error.path if isinstance(wanted, list | tuple) else ""
                raise PolicyError(child(where, key) + at, error.reason) from None
    sets = {each.lower for each in found if each.quantifier is not Quantifier.NONE}
    if not sets:
        return tuple(found)
    return tuple(replace(each, of_set=True) if each.lower in sets else each for each in found)


def _known_operator(name: str, path: str) -> tuple[Operator, Quantifier, bool]:
    found = _operator(name)
    if isinstance(found, str):
        raise PolicyError(path, f"unknown operator, expected {found}")
    return found


@lru_cache(maxsize=256)
def _operator(name: str) -> tuple[Operator, Quantifier, bool] | str:
    """The operator, its quantifier and whether it has IfExists; else what AWS expects."""
    found = _NAME.fullmatch(name)
    operator = OPERATORS.get(found["operator"]) if found else None
    if found is None or operator is None:
        near = get_close_matches(name, OPERATORS, n=1)
        return f"a condition operator{f' such as {near[0]}' if near else ''}"
    if_exists = found["exists"] is not None
    if if_exists and operator.value_type is ValueType.PRESENCE:
        return "Null (it takes no IfExists)"
    return operator, Quantifier(found["quantifier"] or ""), if_exists


@lru_cache(maxsize=4096)
def _read(
    name: str, key: str, texts: tuple[str, ...], variables: bool, from_aws: bool
) -> Condition:
    operator, quantifier, if_exists = _known_operator(name, "")
    if not from_aws and _PREFIXED.fullmatch(key) is None:
        raise PolicyError("", _no_prefix(key))
    values = tuple(
        _value(text, operator, index, variables=variables, from_aws=from_aws)
        for index, text in enumerate(texts)
    )
    return Condition(name, operator, quantifier, if_exists, key, key.lower(), values)


def _no_prefix(key: str) -> str:
    if not key.strip():
        return "empty, expected a key such as aws:SourceIp"
    known = _GLOBAL.get(key.strip().lower())
    like = f"aws:{known}" if known else "a prefix and a name, such as aws:SourceIp"
    return f"a key without a prefix, expected {like}"


def _value(text: str, operator: Operator, index: int, *, variables: bool, from_aws: bool) -> Value:
    takes = variables and operator.variables
    if takes and not from_aws and has_unclosed_variable(text):
        raise PolicyError(child("", index), f"{text!r}, expected a closing brace after ${{")
    template = read_template(text, variables=takes)
    if variables_in(template):
        return Value(text, template, None)
    test = operator.build(fill_fixed(template))
    if test is None:
        if not from_aws:
            raise PolicyError(child("", index), f"{text!r}, expected {operator.expects}")
        test = _never
    return Value(text, template, test)


def _never(text: str) -> bool:
    """The test of a value that is not of its operator's type."""
    return False
