"""Decisions on the values that a feed states for condition keys that are unknown otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Final

from ecr_feed.config import StatedKey
from ecr_feed.facts.aws import Answer, Permission
from ecr_feed.iam import Decision, Outcome, Request

_SETS: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)
"""Keys of which one request has several values. Any other has one, so several are alternatives."""
_THROUGH_AN_ENDPOINT: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip")
_MOST: Final = 64  # combinations of alternatives that are tried

Decide = Callable[[Request], Decision]


@dataclass(frozen=True, slots=True)
class StatedDecision:
    """A decision, and the stated values that it rests on: without them it is undetermined.

    `because` says why stated values did not decide; "" where they did, or were not needed.
    """

    decision: Decision
    assumed: Mapping[str, list[str]]
    because: str = ""


def decide_stated(request: Request, stated: Sequence[StatedKey], decide: Decide) -> StatedDecision:
    """The decision on the request as it is, else with stated values for its unknown keys.

    A value is never put in place of what the request has, or is known to lack. Of several values
    that a key may have, each must lead to the same answer.
    """
    alone = decide(request)
    unknown = {key.lower() for key in request.unknown}
    usable = [each for each in stated if each.lower in unknown]
    if alone.outcome is not Outcome.UNDETERMINED or not usable:
        return StatedDecision(alone, {})
    decided = _agreed(request, usable, decide)
    if decided is None:
        return _differing(request, usable, decide, alone)
    if decided.outcome is Outcome.UNDETERMINED:
        return StatedDecision(decided, {})
    needed = usable
    for each in usable:
        fewer = [other for other in needed if other is not each]
        without = _agreed(request, fewer, decide)
        if without is not None and _answer(without) == _answer(decided):
            needed = fewer
    found = _agreed(request, needed, decide) or decided
    return StatedDecision(found, {each.key: list(each.values) for each in needed})


def single(stated: Sequence[StatedKey]) -> Iterator[tuple[StatedKey, str | tuple[str, ...]]]:
    """The keys that have one value, or one set of values, in every request; with that."""
    for each in stated:
        alternatives = _alternatives(each)
        if len(alternatives) == 1:
            values = alternatives[0]
            yield each, values if each.lower in _SETS else values[0]


def resting_on(
    simulation: Permission,
    given: Mapping[str, str | tuple[str, ...]],
    evaluated: Permission,
    decision: Decision | None,
) -> Permission:
    """The simulation, with those of the values it was given that it may rest on in its evidence.

    They are the evaluation's, where that has an answer; else those that a policy looks at, or all
    of them where no policy could be evaluated.
    """
    if evaluated.answer is not Answer.UNDETERMINED:
        assumed = evaluated.evidence.get("assumed")
        names = {key.lower() for key in assumed} if isinstance(assumed, dict) else set()
    elif decision is not None:
        names = set(decision.policies.condition_keys)
    else:
        names = {key.lower() for key in given}
    kept = {
        key: [value] if isinstance(value, str) else list(value)
        for key, value in given.items()
        if key.lower() in names
    }
    told = {"assumed": kept} if kept else {}
    return replace(simulation, evidence={**simulation.evidence, **told})


def remark_on(assumed: Mapping[str, Sequence[str]]) -> str:
    """What to check about these values together; "" for nothing."""
    keys = {key.lower(): key for key in assumed}
    inside = next((keys[each] for each in _THROUGH_AN_ENDPOINT if each in keys), None)
    if inside is None or "aws:sourceip" not in keys:
        return ""
    return f"AWS sends aws:SourceIp only outside of VPC endpoints: can a request have {inside} too?"


def in_words(assumed: Mapping[str, Sequence[str]]) -> str:
    """`aws:SourceVpce = vpce-0123`, each key with its values."""
    return ", ".join(f"{key} = {' or '.join(values)}" for key, values in assumed.items())


def _alternatives(stated: StatedKey) -> list[tuple[str, ...]]:
    return [stated.values] if stated.lower in _SETS else [(each,) for each in stated.values]


def _agreed(request: Request, stated: Sequence[StatedKey], decide: Decide) -> Decision | None:
    """The decision that every combination of the values leads to; None where they differ."""
    alternatives = [_alternatives(each) for each in stated]
    if prod(map(len, alternatives)) > _MOST:
        return None
    decisions = [decide(_put(request, stated, values)) for values in product(*alternatives)]
    return decisions[0] if len(set(map(_answer, decisions))) == 1 else None


def _answer(decision: Decision) -> str:
    denied = decision.outcome in (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY)
    return "denied" if denied else str(decision.outcome)


def _put(
    request: Request, stated: Sequence[StatedKey], values: Sequence[tuple[str, ...]]
) -> Request:
    context = {each.key: value for each, value in zip(stated, values, strict=True)}
    known = {each.lower for each in stated}
    unknown = frozenset(key for key in request.unknown if key.lower() not in known)
    return replace(request, context={**request.context, **context}, unknown=unknown)


def _differing(
    request: Request, usable: Sequence[StatedKey], decide: Decide, alone: Decision
) -> StatedDecision:
    several = [each for each in usable if len(_alternatives(each)) > 1]
    rest = _agreed(request, [each for each in usable if each not in several], decide)
    undetermined = rest is not None and rest.outcome is Outcome.UNDETERMINED
    said = in_words({each.key: each.values for each in several})
    why = f"the stated values ({said}) do not all lead to the same answer"
    return StatedDecision(rest if rest is not None and undetermined else alone, {}, why)
