"""Policy variables: `${key}`, `${key, 'default'}` and the literals `${*}`, `${?}`, `${$}`.

Source: IAM User Guide, "Variables and tags". They exist in Version 2012-10-17 only; in a Resource
only after the fifth colon; a key with several values has no single value to put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from ecr_feed.iam.match import Piece

_VARIABLE = re.compile(
    r"\$\{(?:(?P<literal>[*?$])|\s*(?P<name>[^}',\s][^}',]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?)\}"
)


class Env(NamedTuple):
    """What conditions and variables are judged by.

    `values`: lower-case key to its values. `unknown`: keys that may be present or absent.
    """

    values: Mapping[str, tuple[str, ...]]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Variable:
    """A place that takes a context key's value; `key` is in lower case."""

    key: str
    spelled: str
    default: str | None


Part: TypeAlias = Piece | Variable
Template: TypeAlias = tuple[Part, ...]


class Unresolved:
    """Why a template has no text: the key is absent or its value unknown."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"<{self.why}>"


NO_VALUE: Final = Unresolved("no value")
UNKNOWN: Final = Unresolved("unknown value")


def read_template(text: str, *, variables: bool = True) -> Template:
    """Split a pattern into wildcard text, literals and variables.

    With `variables` false (Version 2008-10-17) the text has no variables.
    """
    return tuple(_parts(text)) if variables and "${" in text else ((text, True),)


def _parts(text: str) -> Iterator[Part]:
    end = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > end:
            yield (text[end : found.start()], True)
        literal = found["literal"]
        if literal is not None:
            yield (literal, False)
        else:
            yield Variable(found["name"].lower(), found["name"], found["default"])
        end = found.end()
    if end < len(text):
        yield (text[end:], True)


def has_unclosed_variable(text: str) -> bool:
    """Whether a `${` has no `}` before the next one or the end."""
    at = text.find("${")
    while at >= 0:
        end, after = text.find("}", at), text.find("${", at + 2)
        if end < 0 or 0 <= after < end:
            return True
        at = after
    return False


def read_resource(text: str, *, variables: bool = True) -> Template:
    """Read a Resource pattern, in which variables stand after the fifth colon only."""
    start = _after_fifth_colon(text) if variables and text.startswith("arn:") else 0
    if not start:
        return read_template(text, variables=variables)
    return ((text[:start], True), *read_template(text[start:]))


def _after_fifth_colon(text: str) -> int:
    """Index after the fifth colon (those inside `${...}` do not count), or the length."""
    colons = depth = 0
    for at, char in enumerate(text):
        if text.startswith("${", at):
            depth = 1
        elif char == "}":
            depth = 0
        elif char == ":" and not depth:
            colons += 1
            if colons == 5:
                return at + 1
    return len(text)


def variables_in(template: Template) -> tuple[Variable, ...]:
    """The variables of a template, in order."""
    return tuple(part for part in template if isinstance(part, Variable))


def fill(template: Template, env: Env) -> tuple[Piece, ...] | Unresolved:
    """Put values in; `NO_VALUE` if a key has none and no default, `UNKNOWN` if it is unknown."""
    pieces: list[Piece] = []
    unknown = False
    for part in template:
        if not isinstance(part, Variable):
            pieces.append(part)
            continue
        values = env.values.get(part.key)
        if values is not None and len(values) == 1:
            pieces.append((values[0], False))
        elif part.key in env.unknown:
            unknown = True
        elif part.default is not None:
            pieces.append((part.default, False))
        else:
            return NO_VALUE
    return UNKNOWN if unknown else tuple(pieces)
