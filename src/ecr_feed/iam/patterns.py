"""Resource patterns compared with each other: does one cover another, can both match one text."""

from __future__ import annotations

import re
from functools import lru_cache

from ecr_feed.iam.match import Token, Tokens, Wild, resource_tokens
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
    """Whether `pattern` surely matches everything that `other` matches."""
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
    """Whether a token of the wide pattern takes a token of the narrow one, whatever that means."""
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
