"""`WWW-Authenticate` as RFC 9110 (section 11) writes it: how a registry asks for a login."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_GAP: Final = re.compile(r"[ \t,]*")
_SPACE: Final = re.compile(r"[ \t]*")
# token68 has to end the challenge, or `realm=x` would be read as one.
_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_PARAMETER: Final = re.compile(
    r"""([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*
        (?: "((?:[^"\\]|\\.)*)" | ([!#$%&'*+\-.^_`|~0-9A-Za-z:/]+) )
        (?=[ \t]*(?:,|$))""",
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\(.)")


class ChallengeError(ValueError):
    """The header is not a list of challenges; the text says at which position."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: `scheme` and the names of `parameters` in lower case, values as written."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    token68: str = ""


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Every challenge of one header value, or of several joined by commas.

    Raises `ChallengeError` on text that RFC 9110 does not allow, a repeated parameter included. An
    unquoted value may hold `:` and `/`, which the RFC forbids and some registries send in a realm.
    """
    found: list[Challenge] = []
    position = _skip(_GAP, header, 0)
    while position < len(header):
        scheme = _TOKEN.match(header, position)
        if scheme is None:
            raise ChallengeError(f"no scheme at position {position}")
        position = scheme.end()
        token68, parameters, position = _details(header, position)
        found.append(Challenge(scheme.group().lower(), parameters, token68))
        position = _skip(_GAP, header, position)
    return tuple(found)


def _details(header: str, position: int) -> tuple[str, dict[str, str], int]:
    """What follows a scheme: a token68, parameters, or nothing before the next challenge."""
    start = _skip(_SPACE, header, position)
    if start < len(header) and header[start] != "," and start == position:
        raise ChallengeError(f"no space after the scheme at position {position}")
    token68 = _TOKEN68.match(header, start)
    if token68 is not None:
        return token68.group(), {}, token68.end()
    parameters: dict[str, str] = {}
    while (one := _PARAMETER.match(header, _skip(_GAP, header, start))) is not None:
        name = one.group(1).lower()
        if name in parameters:
            raise ChallengeError(f"{name} is given twice")
        quoted = one.group(2)
        parameters[name] = one.group(3) if quoted is None else _ESCAPED.sub(r"\1", quoted)
        start = one.end()
    if not parameters and start < len(header) and header[start] != ",":
        raise ChallengeError(f"neither parameter nor challenge at position {start}")
    return "", parameters, start


def _skip(what: re.Pattern[str], text: str, position: int) -> int:
    """The position after what the pattern covers, which may be nothing."""
    match = what.match(text, position)
    return position if match is None else match.end()
