"""Condition keys whose values a feed states: what its requests have, and no document says.

Errors name the key and say what to do; they end the sentence "found ..., expected ...".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from ecr_feed.config.values import has_control, wrong
from ecr_feed.config.wording import quote, show
from ecr_feed.iam.source_addresses import private_ranges

FIXED: Final[Mapping[str, str]] = {
    "aws:currenttime": "the time of the call",
    "aws:epochtime": "the time of the call",
    "aws:principalaccount": "the account of the feed's identity",
    "aws:principalarn": "the ARN of the feed's identity",
    "aws:principalisawsservice": "false",
    "aws:principaltype": "the type of the feed's identity",
    "aws:requestedregion": "the feed's region",
    "aws:resourceaccount": "the account of the repository",
    "aws:securetransport": "true",
    "aws:username": "the name of the feed's user",
    "aws:viaawsservice": "false",
}
"""Keys, in lower case, that every request of a feed fixes, and what they are there."""

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*:[\w.:/=+@-](?:[\w.:/=+@ -]*[\w.:/=+@-])?")
_SOURCE_IP: Final = "aws:sourceip"
_EXAMPLE: Final = "aws:SourceVpce"


@dataclass(frozen=True, slots=True)
class StatedKey:
    """A condition key as written, and the values that the feed's requests may have for it."""

    key: str
    values: tuple[str, ...]

    @property
    def lower(self) -> str:
        """The key as AWS compares it."""
        return self.key.lower()


def stated_keys(table: object) -> tuple[StatedKey, ...]:
    """A table of keys and values -> one `StatedKey` each; a tuple of them stays as it is.

    Raises PydanticCustomError for the first mistake.
    """
    if isinstance(table, tuple) and all(isinstance(each, StatedKey) for each in table):
        return table
    if not isinstance(table, Mapping):
        raise wrong('a table, such as { "aws:SourceVpce" = "vpce-0123" }')
    seen: dict[str, str] = {}
    for key in table:
        first = seen.setdefault(str(key).lower(), str(key))
        if first != key:
            both = f"{quote(first)} and {quote(key)}"
            raise wrong("one spelling of each key, since AWS ignores its case", both)
    return tuple(StatedKey(_key(key), tuple(_values(key, value))) for key, value in table.items())


def _key(key: object) -> str:
    text = str(key)
    if ":" not in text:
        named = text.isalnum() and text.lower() not in ("aws", "ecr")
        like = f"aws:{text}" if named else _EXAMPLE
        raise wrong(f'a condition key with its prefix, such as "{like}"', f"the key {quote(text)}")
    if not _KEY.fullmatch(text):
        raise wrong(f'a condition key, such as "{_EXAMPLE}"', f"the key {quote(text)}")
    fixed = FIXED.get(text.lower())
    if fixed is not None:
        raise wrong(
            f"only keys that a request does not fix (it is {fixed}): remove it",
            f"the key {quote(text)}",
        )
    return text


def _values(key: object, value: object) -> Iterator[str]:
    listed = list(value) if isinstance(value, list | tuple) else [value]
    if not listed:
        raise wrong(
            "a text in quotes, or a list of at least one", f"an empty list for {quote(key)}"
        )
    yield from dict.fromkeys(_value(key, each) for each in listed)


def _value(key: object, value: object) -> str:
    found = f"{show(value)} for {quote(key)}"
    if not isinstance(value, str):
        raise wrong("a text in quotes, or a list of texts", found)
    if not value.strip() or value != value.strip() or has_control(value):
        raise wrong("a text on one line that is not empty, without blanks at its ends", found)
    if str(key).lower() == _SOURCE_IP:
        _check_address(value, found)
    return value


def _check_address(value: str, found: str) -> None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise wrong("one address, such as 198.51.100.7", found) from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    nobody = address.is_unspecified or address.is_multicast
    if nobody or private_ranges([str(mapped or address)]):
        raise wrong(
            "the public address that the requests come from: AWS never sees a private one there. "
            "Through a VPC endpoint, state aws:SourceVpce, aws:SourceVpc or aws:VpcSourceIp",
            found,
        )


def _table(keys: Iterable[StatedKey]) -> dict[str, list[str]]:
    return {each.key: list(each.values) for each in keys}


def overridden(stated: Iterable[StatedKey], options: Iterable[StatedKey]) -> tuple[StatedKey, ...]:
    """A feed's keys, with those of the command line in place of the same ones of the file."""
    given = tuple(options)
    replaced = {each.lower for each in given}
    return (*(each for each in stated if each.lower not in replaced), *given)


_TEXT: Final = {"type": "string", "pattern": r"\S"}
StatedKeys = Annotated[
    tuple[StatedKey, ...],
    BeforeValidator(stated_keys),
    PlainSerializer(_table),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*:[^*?${}]+$"},
            "additionalProperties": {
                "anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]
            },
        }
    ),
]
