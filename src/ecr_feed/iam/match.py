"""Matching of texts and wildcards, and truth with an "unknown" between true and false."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

Truth: TypeAlias = bool | None


def both(one: Truth, other: Truth) -> Truth:
    """And: false as soon as one is false."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def either(one: Truth, other: Truth) -> Truth:
    """Or: true as soon as one is true."""
    if one or other:
        return True
    return None if one is None or other is None else False


def turned(truth: Truth, negated: bool) -> Truth:
    """The opposite if `negated`; unknown stays unknown."""
    return truth if truth is None or not negated else not truth


def any_of(truths: Iterable[Truth]) -> Truth:
    """Or over many; stops at the first that is true."""
    answer: Truth = False
    for truth in truths:
        if truth:
            return True
        if truth is None:
            answer = None
    return answer


def all_of(truths: Iterable[Truth]) -> Truth:
    """And over many; stops at the first that is false."""
    answer: Truth = True
    for truth in truths:
        if truth is None:
            answer = None
        elif not truth:
            return False
    return answer


_REGEX_STARS = 8
"""Above this many stars a backtracking regex may take exponential time; a set of states cannot."""


class Wild(Enum):
    """A wildcard token."""

    ANY = ".*"
    ONE = "."
    ANY_IN_SEGMENT = "[^:]*"
    ONE_IN_SEGMENT = "[^:]"


Token: TypeAlias = str | Wild
"""One literal character, or a wildcard."""

Tokens: TypeAlias = tuple[Token, ...]

Piece: TypeAlias = tuple[str, bool]
"""Some text, and whether `*` and `?` in it are wildcards (a variable's value is literal)."""

_STARS = frozenset({Wild.ANY, Wild.ANY_IN_SEGMENT})


def text_tokens(pieces: Iterable[Piece]) -> Tokens:
    """Read a pattern in which wildcards match any character."""
    return tuple(
        _WILD_TEXT.get(char, char) if wild else char for text, wild in pieces for char in text
    )


_WILD_TEXT: dict[str, Token] = {"*": Wild.ANY, "?": Wild.ONE}
_WILD_SEGMENT: dict[Token, Token] = {Wild.ANY: Wild.ANY_IN_SEGMENT, Wild.ONE: Wild.ONE_IN_SEGMENT}


def resource_tokens(pieces: Iterable[Piece]) -> Tokens:
    """Read a Resource pattern; an ARN with missing parts is completed with `*`.

    A pattern that is `*` alone stands for everything, not for one part of an ARN.
    """
    tokens = text_tokens(pieces)
    if not tokens or all(token is Wild.ANY for token in tokens):
        return tokens
    missing = 5 - tokens.count(":")
    if missing > 0 and tokens[:4] == tuple("arn:"):
        tokens += (":", Wild.ANY) * missing
    last = len(tokens) - 1
    return tuple(
        token
        if token is Wild.ANY and _ends_segment(tokens, at, last)
        else _WILD_SEGMENT.get(token, token)
        for at, token in enumerate(tokens)
    )


def _ends_segment(tokens: Tokens, at: int, last: int) -> bool:
    while at < last and tokens[at] is Wild.ANY:
        at += 1
    return tokens[at] == ":" or (at == last and tokens[at] is Wild.ANY)


def arn_tokens(pieces: Iterable[Piece]) -> Tokens | None:
    """Read an ArnLike pattern; None if it is neither `*` nor six parts, which matches no ARN."""
    tokens = text_tokens(pieces)
    if tokens == (Wild.ANY,):
        tokens = (Wild.ANY, ":") * 5 + (Wild.ANY,)
    if tokens.count(":") < 5:
        return None
    colons = 0
    result: list[Token] = []
    for token in tokens:
        colons += token == ":"
        result.append(token if colons >= 5 else _WILD_SEGMENT.get(token, token))
    return tuple(result)


Test: TypeAlias = Callable[[str], object]
"""A compiled pattern: call it with a text, the result is true or false by truthiness."""


def literal(tokens: Tokens) -> str | None:
    """The one text that tokens without wildcards match; None if there are wildcards."""
    characters = [token for token in tokens if not isinstance(token, Wild)]
    return "".join(characters) if len(characters) == len(tokens) else None


@lru_cache(maxsize=8192)
def compile_tokens(tokens: Tokens) -> Test:
    """Compile to the cheapest test that is correct: equality, prefix, regex or state set."""
    whole = literal(tokens)
    if whole is not None:
        return whole.__eq__
    prefix = literal(tokens[:-1])
    if prefix is not None and tokens[-1] is Wild.ANY:
        return lambda text: text.startswith(prefix)
    if sum(token in _STARS for token in tokens) <= _REGEX_STARS:
        return re.compile(_regex(tokens), re.DOTALL).fullmatch
    return lambda text: run_states(tokens, text)


def _regex(tokens: Tokens) -> str:
    source: list[str] = []
    for token in tokens:
        part = token.value if isinstance(token, Wild) else re.escape(token)
        # A second star after a star only adds backtracking.
        if not (part.endswith("*") and source and source[-1] == part and isinstance(token, Wild)):
            source.append(part)
    return "".join(source)


def initial_states(tokens: Sequence[Token]) -> frozenset[int]:
    """Positions a matcher may stand at before the first character."""
    return _closure({0}, tokens)


def step(states: frozenset[int], char: str, tokens: Sequence[Token]) -> frozenset[int]:
    """Positions after reading `char` from any of `states`."""
    reached: set[int] = set()
    for at in states:
        if at == len(tokens):
            continue
        token = tokens[at]
        if isinstance(token, Wild):
            if char != ":" or token in (Wild.ANY, Wild.ONE):
                reached.add(at if token in _STARS else at + 1)
        elif token == char:
            reached.add(at + 1)
    return _closure(reached, tokens)


def _closure(states: set[int], tokens: Sequence[Token]) -> frozenset[int]:
    pending = list(states)
    while pending:
        at = pending.pop()
        if at < len(tokens) and tokens[at] in _STARS and at + 1 not in states:
            states.add(at + 1)
            pending.append(at + 1)
    return frozenset(states)


def run_states(tokens: Tokens, text: str) -> bool:
    """Match by following all positions at once: time is pattern times text, whatever the stars."""
    states = initial_states(tokens)
    for char in text:
        states = step(states, char, tokens)
        if not states:
            return False
    return len(tokens) in states


_WILDCARD = re.compile(r"[*?]")


def prefix_of(text: str) -> str | None:
    """What stands before a final star, if that is the text's only wildcard."""
    first = _WILDCARD.search(text)
    if first is None or first.start() != len(text) - 1 or not text.endswith("*"):
        return None
    return text[:-1]


def _late_test(prefix: str, read: Callable[[], Tokens]) -> Test:
    compiled: Test | None = None

    def test(text: str) -> object:
        nonlocal compiled
        if not text.startswith(prefix):
            return False
        if compiled is None:
            compiled = compile_tokens(read())
        return compiled(text)

    return test


def like_test(pieces: tuple[Piece, ...]) -> Test:
    """Compile a pattern in which wildcards match any character, pieces of literal text included."""
    if len(pieces) != 1 or not pieces[0][1]:
        return compile_tokens(text_tokens(pieces))
    text = pieces[0][0]
    first = _WILDCARD.search(text)
    if first is None:
        return text.__eq__
    prefix = prefix_of(text)
    if prefix is not None:
        return lambda found: found.startswith(prefix)
    return _late_test(text[: first.start()], lambda: text_tokens(pieces))


def arn_like_test(pieces: tuple[Piece, ...]) -> Test:
    """Compile an ArnLike pattern; one that is neither `*` nor six parts matches nothing."""
    text = "".join(part for part, _ in pieces)
    if text.count(":") < _COLONS and text != "*":
        return lambda found: False

    def read() -> Tokens:
        return arn_tokens(pieces) or ()

    if len(pieces) != 1 or not pieces[0][1]:
        return compile_tokens(read())
    first = _WILDCARD.search(text)
    return text.__eq__ if first is None else _late_test(text[: first.start()], read)


_COLONS = 5
"""Colons in a whole ARN."""


@dataclass(frozen=True, slots=True)
class PatternSet:
    """Several patterns, of which one has to match.

    Most are whole texts (`literals`) or have one final star (`prefixes`); those cost one look
    each, however many there are. `tests` are the rest.
    """

    literals: frozenset[str]
    prefixes: tuple[str, ...]
    tests: tuple[Test, ...]

    def matches(self, text: str) -> bool:
        """Whether any pattern matches the text."""
        if text in self.literals or text.startswith(self.prefixes):
            return True
        return bool(self.tests) and any(test(text) for test in self.tests)


@lru_cache(maxsize=4096)
def action_set(patterns: tuple[str, ...]) -> PatternSet:
    """Compile action patterns; the set expects the action in lower case."""
    lower = [pattern.lower() for pattern in patterns]
    prefixes = {each: prefix for each in lower if (prefix := prefix_of(each)) is not None}
    rest = [each for each in lower if each not in prefixes]
    return PatternSet(
        frozenset(each for each in rest if not _WILDCARD.search(each)),
        tuple(prefixes.values()),
        tuple(like_test(((each, True),)) for each in rest if _WILDCARD.search(each)),
    )


def resource_set(patterns: Iterable[str], tests: Iterable[Test] = ()) -> PatternSet:
    """Compile Resource patterns without variables; `tests` are patterns compiled before."""
    literals: list[str] = []
    prefixes: list[str] = []
    rest = list(tests)
    for pattern in patterns:
        first = _WILDCARD.search(pattern)
        start = len(pattern) if first is None else first.start()
        # Before the fifth colon a star may stay within its part, and missing parts are added.
        whole = pattern.count(":", 0, start) >= _COLONS
        prefix = prefix_of(pattern) if whole or pattern == "*" else None
        if prefix is not None:
            prefixes.append(prefix)
        elif first is None and (whole or not pattern.startswith("arn:")):
            literals.append(pattern)
        else:
            rest.append(_resource_test(pattern, start))
    return PatternSet(frozenset(literals), tuple(prefixes), tuple(rest))


def _resource_test(pattern: str, start: int) -> Test:
    return _late_test(pattern[:start], lambda: resource_tokens([(pattern, True)]))
