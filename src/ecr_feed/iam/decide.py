"""`decide`: IAM's answer to a request under the policies that apply, with unknown keys resolved.

Three-valued logic alone is too careful: two statements that allow for `k = a` and for `k != a`
allow for every value of `k`. So each unknown key that statements look at is given representative
values, one for each way its conditions can come out, and every combination is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import TypeAlias

from ecr_feed.iam.actions import acts_on_resource
from ecr_feed.iam.combine_layers import combine_layers
from ecr_feed.iam.decision import Decision, Outcome
from ecr_feed.iam.federated import federated_policies
from ecr_feed.iam.principal_matching import CallerKind
from ecr_feed.iam.reading import FACT_CHOICES
from ecr_feed.iam.representative_values import Choice, choices
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.variables import Env

_COMBINATIONS = 8192
_STATEMENTS = 1_000_000
"""Limits on the combinations to evaluate and the statements to look at for them (seconds of work).
Above these, each key is varied by itself from many starting combinations."""

_STARTS = 64

Combination: TypeAlias = tuple[int, ...]
"""For each key, which of its choices."""


def settle(decision: Decision) -> Decision:
    """The decision with `depends_on` filled in, or a determined one if all combinations agree."""
    request = decision.request
    env = request.env
    action = request.action.lower()
    resource = request.resource if acts_on_resource(action) else "*"
    statements = [
        statement
        for document in decision.policies.documents
        for side in document.candidates(action, resource)
        for statement, _ in side
    ]
    looked_at = frozenset().union(*(statement.keys for statement in statements))
    facts = {fact.lower(): fact for statement in statements for fact in statement.open_facts}
    keys = sorted(env.unknown.union(facts) & looked_at)
    options = [
        FACT_CHOICES if key in facts else choices(key, statements, env, resource) for key in keys
    ]
    combinations = _Combinations(
        decision, env, keys, options, most=_STATEMENTS // max(len(statements), 1)
    )
    deciding = combinations.deciding_keys()
    if deciding or not combinations.complete:
        spelled = facts | {key.lower(): key for key in sorted(request.unknown)}
        return replace(decision, depends_on=tuple(spelled[key] for key in deciding or keys))
    return combinations.agreed()


class _Combinations:
    """Decisions by combination, each evaluated when first needed."""

    def __init__(
        self,
        decision: Decision,
        env: Env,
        keys: Sequence[str],
        options: Sequence[Sequence[Choice]],
        *,
        most: int,
    ) -> None:
        self._decision = decision
        self._env = env
        self._keys = keys
        self._options = options
        self._judged: dict[Combination, Decision] = {}
        self.complete = prod(len(each) for each in options) <= min(most, _COMBINATIONS)

    def deciding_keys(self) -> list[str]:
        """Keys whose value alone changes the answer for at least one combination."""
        deciding: set[int] = set()
        for start in self._starts():
            for at in range(len(self._keys)):
                if at not in deciding and self._changes_answer(start, at):
                    deciding.add(at)
            if len(deciding) == len(self._keys):
                break
        return [self._keys[at] for at in sorted(deciding)]

    def agreed(self) -> Decision:
        """The one answer; "explicit deny" only if every combination meets a Deny."""
        decisions = list(self._judged.values())
        for decision in decisions:
            if decision.outcome is not Outcome.EXPLICIT_DENY:
                return decision
        return decisions[0]

    def _starts(self) -> Iterator[Combination]:
        combinations = product(*(range(len(each)) for each in self._options))
        return combinations if self.complete else islice(self._spread(), _STARTS)

    def _spread(self) -> Iterator[Combination]:
        """Combinations far apart: every key at its n-th choice, then shifted against each other."""
        longest = max(len(each) for each in self._options)
        for shift in range(longest):
            for at in range(longest):
                yield tuple(
                    (at + shift * place) % len(each) for place, each in enumerate(self._options)
                )

    def _changes_answer(self, start: Combination, at: int) -> bool:
        here = self._answer(start)
        return any(
            self._answer((*start[:at], other, *start[at + 1 :])) != here
            for other in range(len(self._options[at]))
        )

    def _answer(self, combination: Combination) -> bool:
        found = self._judged.get(combination)
        if found is None:
            found = self._judged[combination] = self._judge(combination)
        return found.allowed

    def _judge(self, combination: Combination) -> Decision:
        filled = dict(self._env.values)
        for key, options, which in zip(self._keys, self._options, combination, strict=True):
            choice = options[which]
            if choice is not None:
                filled[key] = choice
        request = self._decision.request
        arn = request.caller.principal_arn
        if arn is not None:
            filled.setdefault("aws:principalarn", (arn,))
        return combine_layers(request, self._decision.policies, Env(filled))


def decide(request: Request, policies: Policies) -> Decision:
    """What IAM would answer to a request under these policies.

    Undetermined only if keys of `request.unknown`, or facts that AWS does not document, change the
    answer: one set of values allows and another denies. Raises ValueError for a principal that is
    not valid.
    """
    if request.caller.kind is CallerKind.FEDERATED:
        policies = federated_policies(policies)
    decision = combine_layers(request, policies, request.env)
    return settle(decision) if decision.outcome is Outcome.UNDETERMINED else decision
