"""Typed values of conditions: numbers, dates, addresses, bytes, booleans.

Each reader returns None for text that is no such value; whoever calls decides whether that is an
error (a policy) or simply no match (a request).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

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
