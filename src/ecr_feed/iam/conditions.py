"""Condition blocks, evaluated to true, false or unknown (None).

Sources: IAM User Guide, "Condition operators", "Multivalued context keys" and "Evaluation logic
for multiple context keys or values".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ecr_feed.iam.condition_operators import OPERATORS, Operator, ValueType
from ecr_feed.iam.match import Piece, Test, Truth, all_of, any_of, turned
from ecr_feed.iam.variables import (
    NO_VALUE,
    Env,
    Template,
    Unresolved,
    Variable,
    fill,
    variables_in,
)


class Quantifier(StrEnum):
    """How a set of request values is compared."""

    NONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Value:
    """One policy value; `test` is None when it holds variables and must be built per request."""

    text: str
    template: Template
    test: Test | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one key.

    `name` is the operator as written, quantifier and `IfExists` included; `key` is as written,
    `lower` its lower case. `of_set`: another condition of the statement reads the key as a set, so
    that an empty text is an empty set to `Null` too.
    """

    name: str
    operator: Operator
    quantifier: Quantifier
    if_exists: bool
    key: str
    lower: str
    values: tuple[Value, ...]
    of_set: bool = False

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables in its values."""
        return tuple(each for value in self.values for each in variables_in(value.template))

    def evaluate(self, env: Env) -> Truth:
        """Whether the condition holds."""
        found = env.values.get(self.lower)
        operator = self.operator
        if operator.value_type is ValueType.PRESENCE:
            return self._presence(found, env)
        if not found:
            return None if found is None and self.lower in env.unknown else self._absent()
        if self.quantifier is not Quantifier.NONE:
            return self._set(found, env)
        # Several values without a quantifier: one that matches is a match.
        matched = (
            self._matches(found[0], env)
            if len(found) == 1
            else any_of(self._matches(text, env) for text in found)
        )
        return turned(matched, operator.negated)

    def _set(self, found: tuple[str, ...], env: Env) -> Truth:
        if not any(found):  # an empty text is an empty set too
            return self._absent()
        negated = self.operator.negated
        judged = (turned(self._matches(text, env), negated) for text in found)
        return all_of(judged) if self.quantifier is Quantifier.ALL else any_of(judged)

    def _absent(self) -> bool:
        # ForAnyValue needs a value that matches, and there is none: IfExists does not change that.
        # The documentation does not cover the combination; AWS was observed to do this.
        if self.quantifier is Quantifier.ANY:
            return False
        return self.if_exists or self.quantifier is Quantifier.ALL or self.operator.negated

    def _presence(self, found: tuple[str, ...] | None, env: Env) -> Truth:
        if self.quantifier is not Quantifier.NONE:
            return self.quantifier is Quantifier.ALL
        if found is None and self.lower in env.unknown:
            there, gone = (self._matches(text, env) for text in ("false", "true"))
            return there if there is gone else None
        there = bool(found) and (not self.of_set or any(found or ()))
        return self._matches("false" if there else "true", env)

    def _matches(self, text: str, env: Env) -> Truth:
        """Whether any policy value matches this request value."""
        answer: Truth = False
        for value in self.values:
            test = value.test
            if test is None:
                pieces = fill(value.template, env)
                if isinstance(pieces, Unresolved):
                    answer = answer if pieces is NO_VALUE else None
                    continue
                test = _built(self.operator.name, pieces)
            if test is not None and test(text):
                return True
        return answer


@lru_cache(maxsize=8192)
def _built(operator: str, pieces: tuple[Piece, ...]) -> Test | None:
    return OPERATORS[operator].build(pieces)
