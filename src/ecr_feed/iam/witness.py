"""Texts that tell wildcard patterns apart: one for each combination of patterns that can match.

All patterns are followed at once, character by character, breadth first, so each combination is
met by its shortest text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from ecr_feed.iam.match import Token, Tokens, Wild, initial_states, step

_STATES = 4000
_STEPS = 400_000
"""Joint positions to visit, and single steps to make, at most (a second's work); beyond, some
combinations may stay unseen."""

_FRESH = "qzjxkvwyQZJXKVWY0123456789~"

Joint: TypeAlias = tuple[frozenset[int], ...]


def separating_texts(patterns: Iterable[Tokens], avoid: Iterable[str] = ()) -> Iterator[str]:
    """One text for each set of patterns that some text matches together (none included).

    `avoid`: literal texts that are looked at elsewhere and must not stand in for a combination.
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
    """A character none of the patterns has (it reads well in evidence), then all they have."""
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
