"""What IAM accepts as a policy: its JSON text, the elements of each kind of policy, and sizes.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; Amazon ECR User Guide,
"Repository policies" and "Registry permissions"; Organizations User Guide, "SCP syntax" and "RCP
syntax"; IAM quotas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NoReturn

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PolicyError(ValueError):
    """A document that IAM would refuse.

    `path` is a JSON path (`$.Statement[0].Condition.StringEquals`), `reason` one sentence that says
    what was found and what was expected there.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[PolicyError], tuple[str, str]]:
        """Rebuild from both fields, so that an error crosses process boundaries whole."""
        return (type(self), (self.path, self.reason))


def child(path: str, key: str | int) -> str:
    """The JSON path of `key` (an element name or an array index) below `path`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{json.dumps(key)}]"


API_CHARACTERS = re.compile(r"[^\t\n\r\x20-\xff]")
"""What IAM's and STS's PolicyDocument parameters refuse (their API models' pattern)."""

_COMMENT = re.compile(r"//|/\*|#")


class _Object(dict[str, object]):
    """A JSON object that keeps the first repeated key."""

    repeated: str | None = None


def load(source: str | bytes, *, latin_only: bool) -> object:
    """Parse policy text; PolicyError if it is not JSON or not accepted by IAM.

    `latin_only`: refuse raw characters above U+00FF, as IAM and STS do (escapes are fine).
    """
    text = _decode(source) if isinstance(source, bytes) else source
    if text.startswith("\ufeff"):
        raise PolicyError("$", "begins with a byte order mark (U+FEFF), expected '{'")
    if latin_only and not text.isascii():
        _refuse_characters(text)
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        if latin_only:
            _refuse_characters(text)
        raise PolicyError("$", _syntax(text, error)) from None
    except RecursionError:
        raise PolicyError("$", "nested too deeply, expected a policy") from None
    except _RepeatedKeyError:
        _refuse_repeated(_KEEPING_DECODER.decode(text), "$")
        raise
    return value


def _refuse_characters(text: str) -> None:
    found = API_CHARACTERS.search(text)
    if found is not None:
        raise PolicyError(
            "$",
            f"{_where(text, found.start())}: character U+{ord(found[0]):04X}, expected characters "
            "up to U+00FF (write others as \\u escapes)",
        )


def _decode(source: bytes) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError("$", f"byte {error.start} is not UTF-8, expected UTF-8 text") from None


def _where(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line} column {at - text.rfind(chr(10), 0, at)}"


def _syntax(text: str, error: json.JSONDecodeError) -> str:
    where = _where(text, error.pos)
    if _COMMENT.match(text, error.pos):
        return f"{where}: a comment, which JSON policies cannot hold"
    return f"{where}: not JSON ({error.msg})"


def _constant(name: str) -> NoReturn:
    raise PolicyError("$", f"{name} is not JSON, expected a number")


class _RepeatedKeyError(Exception):
    """A key that is twice in one object; where, a second reading finds out."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


def _keeping(pairs: list[tuple[str, object]]) -> _Object:
    result = _Object()
    for key, value in pairs:
        if key in result and result.repeated is None:
            result.repeated = key
        result[key] = value
    return result


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_constant)
_KEEPING_DECODER = json.JSONDecoder(object_pairs_hook=_keeping, parse_constant=_constant)


def _refuse_repeated(value: object, path: str) -> None:
    if isinstance(value, _Object):
        if value.repeated is not None:
            raise PolicyError(child(path, value.repeated), "appears twice, expected once")
        for key, inner in value.items():
            _refuse_repeated(inner, child(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_repeated(inner, child(path, index))


def policy_size(source: str | bytes | Mapping[str, object]) -> int:
    """The fewest characters that IAM may count a policy as: all but white space.

    A policy that is larger is refused, whatever IAM counts within strings (see `quotas.used_size`).
    """
    if isinstance(source, bytes):
        source = _decode(source)
    elif not isinstance(source, str):
        source = json.dumps(source, separators=(",", ":"), ensure_ascii=False)
    return len("".join(source.split()))


class Presence(StrEnum):
    """Whether an element belongs in a statement."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    REFUSED = "refused"


class Kind(StrEnum):
    """What a policy document is attached to."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    REGISTRY = "registry"
    KEY = "key"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"


@dataclass(frozen=True, slots=True)
class Rules:
    """`latin_only`: the API refuses characters above U+00FF. `plain_sid`: letters and digits."""

    resource: Presence
    principal: Presence
    latin_only: bool = False
    plain_sid: bool = False


_IDENTITY = Rules(Presence.REQUIRED, Presence.REFUSED, latin_only=True, plain_sid=True)

RULES: Mapping[Kind, Rules] = MappingProxyType(
    {
        Kind.IDENTITY: _IDENTITY,
        Kind.BOUNDARY: _IDENTITY,
        Kind.SESSION: _IDENTITY,
        # Amazon ECR refuses a Resource; other services' resource policies carry one.
        Kind.RESOURCE: Rules(Presence.OPTIONAL, Presence.REQUIRED),
        Kind.REGISTRY: Rules(Presence.REQUIRED, Presence.REQUIRED),
        Kind.KEY: Rules(Presence.REQUIRED, Presence.REQUIRED),
        Kind.TRUST: Rules(Presence.REFUSED, Presence.REQUIRED, latin_only=True, plain_sid=True),
        Kind.SCP: Rules(Presence.REQUIRED, Presence.REFUSED, plain_sid=True),
        Kind.RCP: Rules(Presence.REQUIRED, Presence.REQUIRED, plain_sid=True),
    }
)

SIZE_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "managed policy": 6144,
        "user inline policies": 2048,
        "group inline policies": 5120,
        "role inline policies": 10240,
        "trust policy": 2048,
        "session policy": 2048,
        "repository policy": 10240,
        "registry policy": 10240,
        "service control policy": 10240,
        "resource control policy": 10240,
    }
)
"""Characters that AWS accepts, white space not counted (default quotas).

Service and resource control policies: AWS documents 5,120 and was seen to accept 10,240, so
nothing below the larger is refused.
"""

_STANDS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.IDENTITY: "managed policy",
        Kind.BOUNDARY: "managed policy",
        Kind.RESOURCE: "repository policy",
        Kind.REGISTRY: "registry policy",
        Kind.SESSION: "session policy",
        Kind.SCP: "service control policy",
        Kind.RCP: "resource control policy",
    }
)


def quota(kind: str) -> int | None:
    """The quota of a kind of policy; None where it has none that every account shares.

    An identity policy is taken to be a managed one. ValueError for a kind that does not exist.
    """
    stands = _STANDS.get(Kind(kind))
    return None if stands is None else SIZE_LIMITS[stands]


API_LIMIT = 131_072
"""The longest document that IAM's API accepts, in characters, white space included."""
