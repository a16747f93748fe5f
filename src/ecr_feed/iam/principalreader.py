"""The Principal and NotPrincipal elements to a compiled set of principals."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecr_feed.iam.elements import kind_of, refuse_others, strings
from ecr_feed.iam.errors import PolicyError, child
from ecr_feed.iam.kinds import Kind
from ecr_feed.iam.principal import Caller, CallerKind, PrincipalSet, read_caller

_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_WHOLE = {"Service": CallerKind.SERVICE, "Federated": CallerKind.PROVIDER}
_DELETED = re.compile(r"A(?:IDA|ROA|GPA|SIA)[A-Z0-9]+")
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def read_principals(value: object, path: str, *, kind: Kind, negated: bool) -> PrincipalSet:
    """Compile the element; it holds `*`, or an object of principal types."""
    if isinstance(value, str):
        if value != "*":
            raise PolicyError(path, f'{kind_of(value)}, expected "*" or an object')
        return PrincipalSet(negated, True, frozenset(), (), frozenset(), ("*",))
    if kind is Kind.RCP:
        raise PolicyError(path, f'{kind_of(value)}, expected "*" in a resource control policy')
    return _typed(value, path, negated)


def _typed(value: object, path: str, negated: bool) -> PrincipalSet:
    if not isinstance(value, Mapping):
        raise PolicyError(path, f'{kind_of(value)}, expected "*" or an object')
    refuse_others(value, _TYPES, path)
    whole: set[str] = set()
    callers: list[Caller] = []
    others: set[str] = set()
    texts: list[str] = []
    for which, listed in value.items():
        for text, where in strings(listed, child(path, which)):
            texts.append(text)
            if text == "*" and which != "CanonicalUser":
                whole.add(which)
                continue
            found = _principal(which, text, where)
            if isinstance(found, str):
                others.add(found)
            elif found is not None:
                callers.append(found)
    kinds = frozenset(kind for which, kind in _WHOLE.items() if which in whole)
    return PrincipalSet(
        negated, "AWS" in whole, kinds, tuple(callers), frozenset(others), tuple(texts)
    )


def _principal(which: str, text: str, path: str) -> Caller | str | None:
    """A caller taken apart, a host name, or None for one that no request can have."""
    if "*" in text or "?" in text:
        raise PolicyError(path, f'{text!r}, expected a whole name or "*" (no wildcard within)')
    if which == "AWS":
        return _aws(text, path)
    if which == "CanonicalUser":
        if _CANONICAL.fullmatch(text) is None:
            raise PolicyError(path, f"{text!r}, expected a canonical user ID of 64 hex digits")
        return None
    if _HOST.fullmatch(text):
        return text
    if which == "Federated":
        return _provider(text, path)
    raise PolicyError(path, f"{text!r}, expected a service such as ecs-tasks.amazonaws.com")


def _aws(text: str, path: str) -> Caller | None:
    if _DELETED.fullmatch(text):
        return None
    try:
        found = read_caller(text)
    except ValueError:
        found = None
    if found is None or found.account is None:
        raise PolicyError(
            path,
            f"{text!r}, expected an account number or the ARN of an account's root, a user, role, "
            "role session or federated user",
        )
    return found


def _provider(text: str, path: str) -> Caller:
    try:
        found = read_caller(text)
    except ValueError:
        found = None
    if found is None or found.kind is not CallerKind.PROVIDER:
        raise PolicyError(path, f"{text!r}, expected an identity provider's ARN or host name")
    return found
