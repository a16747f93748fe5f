"""Read Principal and NotPrincipal elements, and what AWS refuses in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from ecr_feed.iam.json_values import kind_of, refuse_others, strings
from ecr_feed.iam.match import Test, like_test
from ecr_feed.iam.policy_rules import PolicyError, child
from ecr_feed.iam.principal_matching import Caller, CallerKind, PrincipalSet, read_caller
from ecr_feed.iam.reading import Reading, certain

_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_WHOLE = {"Service": CallerKind.SERVICE, "Federated": CallerKind.PROVIDER}
_DELETED = re.compile(r"A(?:IDA|ROA|GPA|SIA)[A-Z0-9]+")
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WILD = re.compile(r"[*?]")

_Typed: TypeAlias = tuple[tuple[str, bool, tuple[str, ...]], ...]
"""Principal types, each with whether it has a list, and its texts."""


def read_principals(value: object, *, negated: bool, from_aws: bool) -> Reading[PrincipalSet]:
    """The element: `*`, or an object of principal types. Raises PolicyError.

    `from_aws`: what AWS would refuse from a person names nobody; a wildcard within a name is read
    in both ways.
    """
    if isinstance(value, str):
        if value != "*":
            raise PolicyError("", f'{kind_of(value)}, expected "*" or an object')
        return _everyone(negated)
    if not isinstance(value, Mapping):
        raise PolicyError("", f'{kind_of(value)}, expected "*" or an object')
    refuse_others(value, _TYPES)
    typed = tuple(
        (which, not isinstance(listed, str), _strings(which, listed))
        for which, listed in value.items()
    )
    return _read_typed(typed, negated, from_aws)


def _strings(which: str, listed: object) -> tuple[str, ...]:
    try:
        return strings(listed)
    except PolicyError as error:
        raise PolicyError(child("", which) + error.path, error.reason) from None


@lru_cache(maxsize=2)
def _everyone(negated: bool) -> Reading[PrincipalSet]:
    return certain(PrincipalSet(negated, True, frozenset(), (), frozenset(), ("*",)))


@lru_cache(maxsize=1)
def nobody() -> PrincipalSet:
    """A Principal element that names no one."""
    return PrincipalSet(False, False, frozenset(), (), frozenset(), ())


@dataclass(slots=True)
class _Named:
    """The principals of one element, by what they are."""

    whole: set[str] = field(default_factory=set)
    callers: list[Caller] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    patterns: list[str] = field(default_factory=list)

    def add(self, which: str, text: str) -> None:
        """Add one principal. Raises PolicyError without a place for one that AWS refuses."""
        if text == "*" and which != "CanonicalUser":
            self.whole.add(which)
        elif _WILD.search(text):
            self.patterns.append(text)
        elif which == "CanonicalUser":
            if _CANONICAL.fullmatch(text) is None:
                raise PolicyError("", f"{text!r}, expected a canonical user ID of 64 hex digits")
        elif which == "AWS":
            if _DELETED.fullmatch(text) is None:
                self.callers.append(_aws(text))
        elif _HOST.fullmatch(text):
            self.others.add(text)
        elif which == "Federated":
            self.callers.append(_provider(text))
        else:
            raise PolicyError("", f"{text!r}, expected a service such as ecs-tasks.amazonaws.com")

    def as_set(self, texts: tuple[str, ...], *, negated: bool, patterns: bool) -> PrincipalSet:
        """The element; `patterns`: with wildcards within a name taken as wildcards."""
        return PrincipalSet(
            negated,
            "AWS" in self.whole,
            frozenset(kind for which, kind in _WHOLE.items() if which in self.whole),
            tuple(self.callers),
            frozenset(self.others),
            texts,
            tuple(map(_pattern_test, self.patterns)) if patterns else (),
        )


def _pattern_test(text: str) -> Test:
    return like_test(((text, True),))


@lru_cache(maxsize=1024)
def _read_typed(typed: _Typed, negated: bool, from_aws: bool) -> Reading[PrincipalSet]:
    named = _Named()
    for which, listed, texts in typed:
        for index, text in enumerate(texts):
            try:
                named.add(which, text)
                reason = _no_wildcard(text) if named.patterns else ""
            except PolicyError as error:
                reason = error.reason
            if reason and not from_aws:
                where = child("", which)
                raise PolicyError(child(where, index) if listed else where, reason)
    every = tuple(text for _, _, texts in typed for text in texts)
    literal = named.as_set(every, negated=negated, patterns=False)
    if not named.patterns:
        return certain(literal)
    wild = named.as_set(every, negated=negated, patterns=True)
    doubt = f"how AWS reads the principal {named.patterns[0]!r} (a wildcard within a name)"
    return Reading(wild, literal, doubt) if negated else Reading(literal, wild, doubt)


def _no_wildcard(text: str) -> str:
    return f'{text!r}, expected a whole name or "*" (no wildcard within)'


def _aws(text: str) -> Caller:
    try:
        found = read_caller(text)
    except ValueError:
        found = None
    if found is None or found.account is None:
        raise PolicyError(
            "",
            f"{text!r}, expected an account number or the ARN of an account's root, a user, role, "
            "role session or federated user",
        )
    return found


def _provider(text: str) -> Caller:
    try:
        found = read_caller(text)
    except ValueError:
        found = None
    if found is None or found.kind is not CallerKind.PROVIDER:
        raise PolicyError("", f"{text!r}, expected an identity provider's ARN or host name")
    return found
