"""The condition operators: how one request value is compared with one policy value.

Source: IAM User Guide, "Condition operators". An operator's name is what it compares
(`StringEquals`), with the set quantifier before and `IfExists` after it already taken off.
Negated operators are the positive ones turned round, so only positive comparisons live here.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from ecr_feed.iam import values
from ecr_feed.iam.match import Piece, Test, arn_tokens, compile_tokens, text_tokens

Build: TypeAlias = Callable[[tuple[Piece, ...]], Test | None]
"""From a policy value to a test of a request value; None when the policy value is no such value."""


class Family(StrEnum):
    """What kind of value an operator compares."""

    STRING = "string"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    BINARY = "binary"
    ADDRESS = "address"
    ARN = "arn"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class Operator:
    """`negated`: true when no value matches. `variables`: policy values may hold variables."""

    name: str
    family: Family
    build: Build
    negated: bool = False
    variables: bool = False
    expects: str = "text"


def _joined(pieces: tuple[Piece, ...]) -> str:
    return "".join(text for text, _ in pieces)


def _equals(pieces: tuple[Piece, ...]) -> Test:
    return _joined(pieces).__eq__


def _equals_ignoring_case(pieces: tuple[Piece, ...]) -> Test:
    wanted = _joined(pieces).casefold()
    return lambda text: text.casefold() == wanted


def _like(pieces: tuple[Piece, ...]) -> Test:
    return compile_tokens(text_tokens(pieces))


def _arn_like(pieces: tuple[Piece, ...]) -> Test:
    tokens = arn_tokens(pieces)
    return compile_tokens(tokens) if tokens is not None else lambda text: False


def _ordered(
    read: Callable[[str], Decimal | None], holds: Callable[[Decimal, Decimal], bool]
) -> Build:
    def build(pieces: tuple[Piece, ...]) -> Test | None:
        wanted = read(_joined(pieces))
        if wanted is None:
            return None

        def test(text: str) -> bool:
            found = read(text)
            return found is not None and holds(found, wanted)

        return test

    return build


def _truth(pieces: tuple[Piece, ...]) -> Test | None:
    wanted = values.boolean(_joined(pieces))
    return None if wanted is None else lambda text: values.boolean(text) is wanted


def _bytes(pieces: tuple[Piece, ...]) -> Test | None:
    wanted = values.binary(_joined(pieces))
    return None if wanted is None else lambda text: values.binary(text) == wanted


def _within(pieces: tuple[Piece, ...]) -> Test | None:
    wanted = values.network(_joined(pieces))
    if wanted is None:
        return None

    def test(text: str) -> bool:
        found = values.address(text)
        return found is not None and wanted.holds(found)

    return test


def _presence(pieces: tuple[Piece, ...]) -> Test | None:
    """`Null`: the test is given `true` for an absent key, `false` for one that is there."""
    return _truth(pieces)


_ORDERS = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}


def _all() -> dict[str, Operator]:
    found: list[Operator] = []

    def add(name: str, negation: str | None, family: Family, build: Build, expects: str) -> None:
        variables = family in (Family.STRING, Family.ARN, Family.BOOLEAN)
        found.append(Operator(name, family, build, False, variables, expects))
        if negation is not None:
            found.append(Operator(negation, family, build, True, variables, expects))

    add("StringEquals", "StringNotEquals", Family.STRING, _equals, "text")
    add(
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        Family.STRING,
        _equals_ignoring_case,
        "text",
    )
    add("StringLike", "StringNotLike", Family.STRING, _like, "text")
    add("ArnLike", "ArnNotLike", Family.ARN, _arn_like, "an ARN")
    add("ArnEquals", "ArnNotEquals", Family.ARN, _arn_like, "an ARN")
    for suffix, order in _ORDERS.items():
        for prefix, family, read, expects in (
            ("Numeric", Family.NUMBER, values.number, "a number"),
            ("Date", Family.DATE, values.moment, "an ISO 8601 date or epoch seconds"),
        ):
            negation = f"{prefix}NotEquals" if suffix == "Equals" else None
            add(f"{prefix}{suffix}", negation, family, _ordered(read, order), expects)
    add("Bool", None, Family.BOOLEAN, _truth, "true or false")
    add("BinaryEquals", None, Family.BINARY, _bytes, "base64")
    add("IpAddress", "NotIpAddress", Family.ADDRESS, _within, "an address or a CIDR range")
    add("Null", None, Family.PRESENCE, _presence, "true or false")
    return {each.name: each for each in found}


OPERATORS: Mapping[str, Operator] = MappingProxyType(_all())
"""Every operator by its name, exactly as IAM spells it."""
