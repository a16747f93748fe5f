"""Wildcard patterns: whether one covers another, and sample texts that a pattern matches."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from ecr_feed.iam.match import Token, Tokens, Wild, initial_states, resource_tokens, step
from ecr_feed.iam.variables import Variable, read_resource

_STARS = (Wild.ANY, Wild.ANY_IN_SEGMENT)
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


@lru_cache(maxsize=4096)
def pattern_tokens(pattern: str) -> Tokens:
    """A Resource pattern; a variable may be anything."""
    return resource_tokens(
        ("*", True) if isinstance(part, Variable) else part for part in read_resource(pattern)
    )


def resource_type_pattern(arn: str) -> str:
    """The ARN template of a resource type (`arn:${Partition}:ecr:...`) as a Resource pattern."""
    return _PLACEHOLDER.sub("*", arn)


@lru_cache(maxsize=65536)
def covers(pattern: str, other: str) -> bool:
    """Whether `pattern` certainly matches everything that `other` matches."""
    wide, narrow = pattern_tokens(pattern), pattern_tokens(other)
    pending = [(0, 0)]
    seen = {(0, 0)}
    while pending:
        i, j = pending.pop()
        if i == len(wide) and j == len(narrow):
            return True
        for after in _covering(wide, narrow, i, j):
            if after not in seen:
                seen.add(after)
                pending.append(after)
    return False


def _covering(wide: Tokens, narrow: Tokens, i: int, j: int) -> list[tuple[int, int]]:
    if i == len(wide):
        return []
    token = wide[i]
    after = [(i + 1, j)] if token in _STARS else []
    if j < len(narrow) and _absorbs(token, narrow[j]):
        after.append((i, j + 1) if token in _STARS else (i + 1, j + 1))
    return after


def _absorbs(token: Token, other: Token) -> bool:
    """Whether a token of the wide pattern matches all that a token of the narrow one matches."""
    if token is Wild.ANY:
        return True
    if token is Wild.ANY_IN_SEGMENT:
        return other not in (Wild.ANY, Wild.ONE, ":")
    if token is Wild.ONE:
        return other not in _STARS
    if token is Wild.ONE_IN_SEGMENT:
        return other is Wild.ONE_IN_SEGMENT or (not isinstance(other, Wild) and other != ":")
    return token == other


@lru_cache(maxsize=65536)
def intersect(pattern: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    if not _same_service(pattern, other):
        return False
    one, two = pattern_tokens(pattern), pattern_tokens(other)
    pending = [(0, 0)]
    seen = {(0, 0)}
    while pending:
        i, j = pending.pop()
        if i == len(one) and j == len(two):
            return True
        for after in _meeting(one, two, i, j):
            if after not in seen:
                seen.add(after)
                pending.append(after)
    return False


def _same_service(pattern: str, other: str) -> bool:
    """A quick no for ARNs of different services; most pairs end here."""
    one, two = pattern.split(":", 3)[2:3], other.split(":", 3)[2:3]
    plain = one and two and not any(char in text for text in one + two for char in "*?$")
    return not plain or one == two


def _meeting(one: Tokens, two: Tokens, i: int, j: int) -> list[tuple[int, int]]:
    left = one[i] if i < len(one) else None
    right = two[j] if j < len(two) else None
    after: list[tuple[int, int]] = []
    if left in _STARS:
        after.append((i + 1, j))
    if right in _STARS:
        after.append((i, j + 1))
    if left is not None and right is not None and _compatible(left, right):
        after.append((i + (left not in _STARS), j + (right not in _STARS)))
    return after


def _compatible(left: Token, right: Token) -> bool:
    """Whether one character suits both tokens."""
    if isinstance(left, Wild):
        return isinstance(right, Wild) or right != ":" or left in (Wild.ANY, Wild.ONE)
    if isinstance(right, Wild):
        return left != ":" or right in (Wild.ANY, Wild.ONE)
    return left == right


_STATES = 4000
_STEPS = 400_000
"""Limits on joint positions visited and single steps made (about a second of work); above these,
some combinations may be missed."""

_FRESH = "qzjxkvwyQZJXKVWY0123456789~"

Joint: TypeAlias = tuple[frozenset[int], ...]


def separating_texts(patterns: Iterable[Tokens], avoid: Iterable[str] = ()) -> Iterator[str]:
    """One text for each set of patterns that some text matches together (none included).

    `avoid`: literal texts that are tried separately and must not represent a combination.
    """
    listed = tuple(dict.fromkeys(patterns))
    literals = frozenset(avoid)
    alphabet = _alphabet(listed)
    budget = min(_STATES, _STEPS // (len(alphabet) * max(len(listed), 1)))
    start = tuple(initial_states(tokens) for tokens in listed)
    pending: deque[tuple[str, Joint]] = deque([("", start)])
    visited = {(_prefix("", literals), start)}
    met: set[tuple[bool, ...]] = set()
    while pending:
        text, joint = pending.popleft()
        accepted = tuple(len(t) in at for t, at in zip(listed, joint, strict=True))
        if accepted not in met and text not in literals:
            met.add(accepted)
            yield text
        if len(visited) > budget:
            continue
        for char in alphabet:
            longer = text + char
            after = tuple(step(at, char, t) for t, at in zip(listed, joint, strict=True))
            key = (_prefix(longer, literals), after)
            if key not in visited:
                visited.add(key)
                pending.append((longer, after))


def _prefix(text: str, literals: frozenset[str]) -> str | None:
    """The text while it may still become one of the literals."""
    return text if any(literal.startswith(text) for literal in literals) else None


def _alphabet(patterns: Sequence[Sequence[Token]]) -> tuple[str, ...]:
    """A readable character that no pattern has, then every character that they have."""
    used = {token for tokens in patterns for token in tokens if not isinstance(token, Wild)}
    fresh = next((char for char in _FRESH if char not in used), "\x00")
    return (fresh, *sorted(used | {":"}))


def values_in_place(before: Tokens, after: Tokens, text: str) -> Iterator[str]:
    """Every value that, put between two patterns, makes the whole match `text`."""
    starts = list(_reached(before, text))
    backwards = _reached(tuple(reversed(after)), text[::-1])
    ends = sorted(len(text) - at for at in backwards)
    for start in starts:
        for end in ends:
            if end >= start:
                yield text[start:end]


def _reached(tokens: Tokens, text: str) -> Iterator[int]:
    """Lengths of the prefixes of `text` that `tokens` match."""
    states = initial_states(tokens)
    if len(tokens) in states:
        yield 0
    for at, char in enumerate(text, start=1):
        states = step(states, char, tokens)
        if len(tokens) in states:
            yield at
