"""Shapes of JSON values that policy elements take, with errors that name the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ecr_feed.iam.errors import PolicyError, child


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
