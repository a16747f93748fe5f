"""What AWS does not document, or nobody read: both readings are kept, and neither is assumed.

An open fact is a sentence that may be true or false. It stands among a statement's conditions
under a key that requests never have, so that an answer that turns on it is undetermined and names
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from ecr_feed.iam.condition_operators import OPERATORS
from ecr_feed.iam.conditions import Condition, Quantifier, Value
from ecr_feed.iam.match import Truth
from ecr_feed.iam.statement import Statement
from ecr_feed.iam.variables import Env

Element = TypeVar("Element", covariant=True)
Other = TypeVar("Other")
_TRUE = "true"


@dataclass(frozen=True, slots=True)
class Reading(Generic[Element]):
    """An element of a statement as read.

    `doubt` says which part AWS does not document; then `narrow` reaches the least that AWS may
    read there, and `wide` the most. Without a doubt both are the same.
    """

    narrow: Element
    wide: Element
    doubt: str = ""


def certain(element: Other) -> Reading[Other]:
    """An element that can be read in one way only."""
    return Reading(element, element)


class OpenFact(Condition):
    """A condition that holds if a fact is true that nobody knows.

    It is true or false only where `decide` tries both.
    """

    __slots__ = ()

    def evaluate(self, env: Env) -> Truth:
        """Unknown unless `env` says which is tried."""
        tried = env.values.get(self.lower)
        return None if tried is None else tried == (_TRUE,)


FACT_CHOICES = (("false",), (_TRUE,))
"""What `decide` tries for an open fact."""


@lru_cache(maxsize=256)
def open_fact(name: str) -> OpenFact:
    """The condition that a fact is true; `name` is a noun phrase, such as `how AWS reads X`."""
    operator = OPERATORS["Bool"]
    pieces = ((_TRUE, False),)
    value = Value(_TRUE, pieces, operator.build(pieces))
    return OpenFact("Bool", operator, Quantifier.NONE, False, name, name.lower(), (value,))


def in_doubt(statement: Statement, *facts: str) -> Statement:
    """The same statement, applying only if open facts are true."""
    return Statement(
        statement.policy,
        statement.index,
        statement.sid,
        statement.allows,
        statement.actions,
        statement.resources,
        statement.principals,
        (*statement.conditions, *map(open_fact, facts)),
        (*statement.open_facts, *facts),
    )
