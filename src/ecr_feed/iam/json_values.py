"""JSON values as policies use them. Errors carry the place below the value that was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from ecr_feed.iam.policy_rules import PolicyError, child

_TEXT = frozenset({str})
"""What all values of most lists and all keys of most objects are: one look at all of them."""


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


def require_object(value: object, path: str = "") -> Mapping[str, object]:
    """The value as an object with text as keys."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise PolicyError(path, f"{kind_of(value)}, expected an object")
    if not _TEXT.issuperset(map(type, value)):
        for key in value:
            if not isinstance(key, str):
                raise PolicyError(path, f"key {key!r} is not text, expected element names")
    return value


def require_text(value: object, path: str) -> str:
    """The value as text."""
    if not isinstance(value, str):
        raise PolicyError(path, f"{kind_of(value)}, expected a string")
    return value


def strings(value: object) -> tuple[str, ...]:
    """A string or a list of strings."""
    if isinstance(value, str):
        return (value,)
    if type(value) is not list and not isinstance(value, tuple | list):
        raise PolicyError("", f"{kind_of(value)}, expected a string or a list of strings")
    if not _TEXT.issuperset(map(type, value)):
        for index, each in enumerate(value):
            if not isinstance(each, str):
                raise PolicyError(child("", index), f"{kind_of(each)}, expected a string")
    return tuple(value)


def scalars(value: object) -> tuple[str, ...]:
    """Condition values as text: strings, JSON booleans and numbers are the same to IAM."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(
            each if isinstance(each, str) else _scalar(each, child("", index))
            for index, each in enumerate(value)
        )
    return (_scalar(value, ""),)


def _scalar(value: object, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    raise PolicyError(path, f"{kind_of(value)}, expected a string, number or boolean")


def refuse_others(value: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keys that are not in `known`, hinting at letter case."""
    listed = tuple(known)
    for key in value:
        if key not in listed:
            near = [each for each in listed if each.lower() == key.lower()]
            hint = f"{near[0]!r}" if near else f"one of {', '.join(listed)}"
            raise PolicyError(child("", key), f"unknown element, expected {hint}")
