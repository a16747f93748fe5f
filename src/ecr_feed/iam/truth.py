"""Three-valued logic: true, false, and None for "depends on what nobody knows" (Kleene's)."""

from __future__ import annotations

from collections.abc import Iterable
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
    """The opposite if `negated`; what is not known stays so."""
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
