"""Representative values for unknown keys: one for each way the conditions on a key come out."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, combinations, islice, pairwise
from typing import TypeAlias

from ecr_feed.iam import condition_operators
from ecr_feed.iam.condition_operators import ValueType
from ecr_feed.iam.conditions import Condition, Quantifier
from ecr_feed.iam.match import Piece, Tokens, Wild, arn_tokens, resource_tokens, text_tokens
from ecr_feed.iam.patterns import separating_texts, values_in_place
from ecr_feed.iam.statement import Statement
from ecr_feed.iam.variables import Env, Template, Unresolved, Variable, fill, variables_in

Choice: TypeAlias = tuple[str, ...] | None
"""One way to fill a key in: None leaves it absent."""

_VALUES = 48
"""The most values tried for one key."""

_SUBSETS = 5
"""For a key that holds sets: with up to this many values every subset is tried, else small ones."""

_LINKS = 4
"""How many unknown keys in a row are followed, where policies compare them with each other."""

Others: TypeAlias = Callable[[str], Iterable[str]]
"""The values that another unknown key may have; none for a key that is not unknown."""

_FRESH = "q"
"""A value that no policy mentions, shared by keys that are compared with each other."""

_SLOT = "\x00"
"""Stands for the variable while a template is read; no policy holds it."""


def choices(key: str, statements: Sequence[Statement], env: Env, resource: str) -> list[Choice]:
    """The values of `key` (in lower case) that may change a decision; absent comes first."""
    conditions = [each for one in statements for each in one.conditions if each.lower == key]
    found = dict.fromkeys(_values_of(key, statements, env, resource, frozenset()))
    candidates = list(islice(found, 8 * _VALUES))
    if not any(_uses_variable(statement, key) for statement in statements):
        candidates = _told_apart(key, candidates, conditions, env)
    candidates = candidates[:_VALUES]
    if any(each.quantifier is not Quantifier.NONE for each in conditions):
        return [None, *_subsets(candidates)]
    return [None, *((value,) for value in candidates)]


def _values_of(
    key: str, statements: Sequence[Statement], env: Env, resource: str, seen: frozenset[str]
) -> Iterator[str]:
    """Values of one key, those that make it equal to a value of another unknown key included.

    `seen` are the keys that led here; they are not followed again.
    """
    seen |= {key}

    def others(name: str) -> Iterable[str]:
        if name not in env.unknown or name in seen or len(seen) >= _LINKS:
            return ()
        return islice(_values_of(name, statements, env, resource, seen), _VALUES)

    conditions = [each for one in statements for each in one.conditions if each.lower == key]
    yield from _own_values(conditions, env, others)
    yield from _put_in(key, statements, env, resource, others)


def _subsets(candidates: Sequence[str]) -> Iterator[tuple[str, ...]]:
    few = len(candidates) <= _SUBSETS
    for size in range(1, len(candidates) + 1 if few else 3):
        yield from combinations(candidates, size)
    if not few:
        yield tuple(candidates)


def _uses_variable(statement: Statement, key: str) -> bool:
    return any(each.key == key for template in _templates(statement) for each in template[1])


def _templates(statement: Statement) -> Iterator[tuple[Template, tuple[Variable, ...]]]:
    for condition in statement.conditions:
        for value in condition.values:
            yield value.template, variables_in(value.template)
    if statement.resources is not None:
        for template in statement.resources.templates:
            yield template, variables_in(template)


def _told_apart(
    key: str, candidates: Iterable[str], conditions: Sequence[Condition], env: Env
) -> list[str]:
    """One candidate for each way the conditions come out."""
    kept: dict[tuple[bool | None, ...], list[str]] = {}
    for text in candidates:
        filled = Env({**env.values, key: (text,)}, env.unknown - {key})
        outcome = tuple(condition.evaluate(filled) for condition in conditions)
        kept.setdefault(outcome, []).append(text)
    # Where a condition also depends on another unknown key, equal outcomes may differ later.
    return [
        text
        for outcome, alike in kept.items()
        for text in (alike if None in outcome else alike[:1])
    ]


def _own_values(
    conditions: Iterable[Condition], env: Env, others: Others = lambda name: ()
) -> Iterator[str]:
    """Values that the conditions on a key tell apart."""
    literals = [""]  # apart from others: to the quantifiers an empty text is an empty set
    patterns: list[Tokens] = []
    for condition in conditions:
        for value in condition.values:
            for pieces in _fillings(value.template, env, others):
                text = "".join(part for part, _ in pieces)
                tokens = _tokens(condition, pieces)
                if tokens is None:
                    literals.extend(_typed(condition.operator.value_type, text))
                elif any(isinstance(token, Wild) for token in tokens):
                    patterns.append(tokens)
                else:
                    literals.extend((text, text.swapcase()))
    yield from literals
    # The patterns' shortest texts come first: with very many patterns not all are combined.
    yield from ("".join(t for t in each if not isinstance(t, Wild)) for each in patterns)
    yield from separating_texts(patterns, literals)
    for read in (condition_operators.number, condition_operators.moment):
        yield from _between({found for text in literals if (found := read(text)) is not None})


def _fillings(template: Template, env: Env, others: Others) -> Iterator[tuple[Piece, ...]]:
    """The template with values put in: for an unknown key a fresh value, then each of its own."""
    filled = fill(template, env)
    if not isinstance(filled, Unresolved):
        yield filled
        return
    stand_ins = {each.key: (_FRESH,) for each in variables_in(template) if each.key in env.unknown}
    tried = [
        stand_ins,
        *({**stand_ins, name: (text,)} for name in stand_ins for text in others(name)),
    ]
    for values in tried:
        filled = fill(template, Env({**values, **env.values}))
        if not isinstance(filled, Unresolved):
            yield filled


def _tokens(condition: Condition, pieces: tuple[Piece, ...]) -> Tokens | None:
    """The pattern of a text comparison; None for values of other kinds."""
    value_type = condition.operator.value_type
    if value_type is ValueType.ARN:
        return arn_tokens(pieces)
    if value_type is not ValueType.STRING:
        return None
    wild = condition.operator.name in ("StringLike", "StringNotLike")
    return text_tokens(pieces if wild else ((text, False) for text, _ in pieces))


def _typed(value_type: ValueType, text: str) -> Iterator[str]:
    if value_type is ValueType.BOOLEAN or value_type is ValueType.PRESENCE:
        yield from ("true", "false")
    elif value_type is ValueType.ADDRESS:
        yield from _around(text)
    elif value_type is ValueType.BINARY:
        yield from (text, "AA==" if text != "AA==" else "AQ==")
    else:
        yield text


def _around(text: str) -> Iterator[str]:
    """A range's ends and their outer neighbours, and an address of the other version."""
    found = condition_operators.network(text)
    if found is None:
        return
    kind = ipaddress.IPv4Address if found.version == 4 else ipaddress.IPv6Address
    highest = 2 ** (32 if found.version == 4 else 128) - 1
    for at in (found.first, found.last, found.first - 1, found.last + 1):
        if 0 <= at <= highest:
            yield str(kind(at))
    yield "::1" if found.version == 4 else "192.0.2.1"


def _between(numbers: Iterable[Decimal]) -> Iterator[str]:
    """Numbers below, between and above those given; they themselves are literals already."""
    ordered = sorted(numbers)
    if ordered:
        yield format(ordered[0] - 1, "f")
        for low, high in pairwise(ordered):
            yield format((low + high) / 2, "f")
        yield format(ordered[-1] + 1, "f")


def _put_in(
    key: str, statements: Iterable[Statement], env: Env, resource: str, others: Others
) -> Iterator[str]:
    """Values that make a template holding the key's variable match what it is compared with."""
    for statement in statements:
        if statement.resources is not None:
            for template in statement.resources.templates:
                yield from _fitting(key, template, env, resource, None)
        for condition in statement.conditions:
            for value in condition.values:
                if any(each.key == key for each in variables_in(value.template)):
                    yield _FRESH
                    for text in _compared(condition, statements, env, others):
                        yield from _fitting(key, value.template, env, text, condition)


def _compared(
    condition: Condition, statements: Iterable[Statement], env: Env, others: Others
) -> Iterable[str]:
    """What a condition compares with its values: the request's, or what it may become."""
    known = env.values.get(condition.lower)
    if known is not None or condition.lower not in env.unknown:
        return known or ()
    same = [each for one in statements for each in one.conditions if each.lower == condition.lower]
    return chain(islice(_own_values(same, env), _VALUES), others(condition.lower))


def _fitting(
    key: str, template: Template, env: Env, text: str, condition: Condition | None
) -> Iterator[str]:
    for slot, part in enumerate(template):
        if not isinstance(part, Variable) or part.key != key:
            continue
        pieces = _with_slot(template, slot, env)
        if pieces is None:
            return
        tokens = resource_tokens(pieces) if condition is None else _tokens(condition, pieces)
        if tokens is not None and _SLOT in tokens:
            at = tokens.index(_SLOT)
            yield from values_in_place(tokens[:at], tokens[at + 1 :], text)


def _with_slot(template: Template, slot: int, env: Env) -> tuple[Piece, ...] | None:
    """Pieces with the slot marked; other unknown variables may be anything, so `*`."""
    pieces: list[Piece] = []
    for at, part in enumerate(template):
        if at == slot:
            pieces.append((_SLOT, False))
        elif isinstance(part, Variable) and part.key in env.unknown:
            pieces.append(("*", True))
        else:
            filled = fill((part,), env)
            if isinstance(filled, Unresolved):
                return None
            pieces.extend(filled)
    return tuple(pieces)
