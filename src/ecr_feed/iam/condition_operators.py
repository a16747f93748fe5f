"""Condition operators and the types of values that they compare."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator as compare
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from ecr_feed.iam.match import Piece, Test, arn_like_test, like_test

_EPOCH = re.compile(r"-?\d+(?:\.\d+)?")
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?)?)?)?"
)
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """An integer or a decimal number."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


@lru_cache(maxsize=4096)
def moment(text: str) -> Decimal | None:
    """Seconds since 1970 in UTC, from epoch seconds or any of the W3C's ISO 8601 forms.

    All-digit text is epoch seconds; a time without a zone is taken as UTC.
    """
    text = text.strip()
    if _EPOCH.fullmatch(text):
        return Decimal(text)
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    try:
        at = datetime(
            int(found["year"]),
            int(found["month"] or 1),
            int(found["day"] or 1),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    whole = (at - _ORIGIN - _offset(found["zone"])) // timedelta(seconds=1)
    return Decimal(whole) + Decimal(f"0.{found['fraction'] or 0}")


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses of one IP version, both ends included, as integers."""

    version: int
    first: int
    last: int

    def holds(self, address: Range) -> bool:
        """Whether `address` (a range of one) lies within."""
        return self.version == address.version and self.first <= address.first <= self.last


@lru_cache(maxsize=4096)
def network(text: str) -> Range | None:
    """A CIDR range, or a plain address as a range of one. Host bits may be set."""
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return Range(found.version, int(found.network_address), int(found.broadcast_address))


@lru_cache(maxsize=4096)
def address(text: str) -> Range | None:
    """One address, as a request carries it."""
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return Range(found.version, int(found), int(found))


@lru_cache(maxsize=1024)
def binary(text: str) -> bytes | None:
    """Bytes from base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(maxsize=1024)
def boolean(text: str) -> bool | None:
    """`true` or `false`, in any case."""
    return {"true": True, "false": False}.get(text.strip().lower())


Build: TypeAlias = Callable[[tuple[Piece, ...]], Test | None]
"""Makes a test of a request value from a policy value; None if the policy value is not valid."""


class ValueType(StrEnum):
    """The type of value that an operator compares."""

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
    value_type: ValueType
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
    wanted = boolean(_joined(pieces))
    return None if wanted is None else lambda text: boolean(text) is wanted


def _bytes(pieces: tuple[Piece, ...]) -> Test | None:
    wanted = binary(_joined(pieces))
    return None if wanted is None else lambda text: binary(text) == wanted


def _within(pieces: tuple[Piece, ...]) -> Test | None:
    wanted = network(_joined(pieces))
    if wanted is None:
        return None

    def test(text: str) -> bool:
        found = address(text)
        return found is not None and wanted.holds(found)

    return test


def _presence(pieces: tuple[Piece, ...]) -> Test | None:
    """`Null`: the test is given `true` for an absent key, `false` for a present one."""
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

    def add(
        name: str, negation: str | None, value_type: ValueType, build: Build, expects: str
    ) -> None:
        variables = value_type in (ValueType.STRING, ValueType.ARN, ValueType.BOOLEAN)
        found.append(Operator(name, value_type, build, False, variables, expects))
        if negation is not None:
            found.append(Operator(negation, value_type, build, True, variables, expects))

    add("StringEquals", "StringNotEquals", ValueType.STRING, _equals, "text")
    add(
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        ValueType.STRING,
        _equals_ignoring_case,
        "text",
    )
    add("StringLike", "StringNotLike", ValueType.STRING, like_test, "text")
    add("ArnLike", "ArnNotLike", ValueType.ARN, arn_like_test, "an ARN")
    add("ArnEquals", "ArnNotEquals", ValueType.ARN, arn_like_test, "an ARN")
    for suffix, order in _ORDERS.items():
        for prefix, value_type, read, expects in (
            ("Numeric", ValueType.NUMBER, number, "a number"),
            ("Date", ValueType.DATE, moment, "an ISO 8601 date or epoch seconds"),
        ):
            negation = f"{prefix}NotEquals" if suffix == "Equals" else None
            add(f"{prefix}{suffix}", negation, value_type, _ordered(read, order), expects)
    add("Bool", None, ValueType.BOOLEAN, _truth, "true or false")
    add("BinaryEquals", None, ValueType.BINARY, _bytes, "base64")
    add("IpAddress", "NotIpAddress", ValueType.ADDRESS, _within, "an address or a CIDR range")
    add("Null", None, ValueType.PRESENCE, _presence, "true or false")
    return {each.name: each for each in found}


OPERATORS: Mapping[str, Operator] = MappingProxyType(_all())
"""Every operator by its name, exactly as IAM spells it."""
