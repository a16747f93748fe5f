"""The reasons of a decision, worked out when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.decision import Block, Decision, Layer, Miss, NearMiss, Outcome
from ecr_feed.iam.document import Document
from ecr_feed.iam.layers import Question, pose
from ecr_feed.iam.principal import Naming
from ecr_feed.iam.statement import Resources, Statement
from ecr_feed.iam.variables import Env

_SHOWN = 3
_WEIGHTS = {"action": 8, "principal": 4, "resource": 2, "condition": 1}


def nearest(decision: Decision) -> tuple[NearMiss, ...]:
    """Allow statements of the blocking layers that came nearest, best first."""
    question = pose(decision.request, decision.policies, decision.request.env)
    found: dict[tuple[Layer, int], tuple[tuple[int, float], NearMiss]] = {}
    for block in decision.blocking:
        if block.statement is not None:
            continue
        for layer, document in _documents(block, decision):
            for statement in document.statements:
                misses = (
                    _as_asked(_misses(statement, question), decision) if statement.allows else ()
                )
                if misses:
                    near = NearMiss(layer, statement.ref, misses)
                    found[layer, id(statement)] = (_distance(statement, misses, question), near)
    ranked = sorted(found.values(), key=lambda each: each[0])
    return tuple(near for _, near in ranked[:_SHOWN])


def _as_asked(misses: Iterable[Miss], decision: Decision) -> tuple[Miss, ...]:
    """The action as the request spells it, not as it was compared."""
    asked = decision.request.action
    return tuple(replace(miss, found=asked) if miss.what == "action" else miss for miss in misses)


def _documents(block: Block, decision: Decision) -> Iterator[tuple[Layer, Document]]:
    policies = decision.policies
    level = block.level or 0
    by_layer: dict[Layer, Iterable[Document | None]] = {
        Layer.IDENTITY: policies.identity,
        Layer.RESOURCE: (policies.resource,),
        Layer.BOUNDARY: (policies.boundary,),
        Layer.SESSION: (policies.session,),
        Layer.SCP: policies.scps[level] if policies.scps else (),
        Layer.RCP: policies.rcps[level] if policies.rcps else (),
    }
    layers = [block.layer]
    if block.layer is Layer.NO_GRANT:
        layers = [Layer.IDENTITY, Layer.RESOURCE]
    for layer in layers:
        for document in by_layer[layer]:
            if document is not None:
                yield layer, document


def _distance(
    statement: Statement, misses: Iterable[Miss], question: Question
) -> tuple[int, float]:
    """How far a statement is from applying: what is missing first, then how alike the texts are."""
    missing = sum(_WEIGHTS[miss.what] for miss in misses)
    patterns = statement.actions.patterns
    likeness = max(_likeness(pattern.lower(), question.action) for pattern in patterns)
    if statement.resources is not None:
        resources = statement.resources.patterns
        likeness += max(_likeness(pattern, question.resource) for pattern in resources)
    return missing, -likeness


def _likeness(one: str, other: str) -> float:
    """The share of the longer text that both begin with."""
    pairs = zip(one, other, strict=False)
    same = next((at for at, (left, right) in enumerate(pairs) if left != right), None)
    if same is None:
        same = min(len(one), len(other))
    return same / max(len(one), len(other), 1)


def _misses(statement: Statement, question: Question) -> Iterator[Miss]:
    if not statement.actions.match(question.action):
        expected = _listed(statement.actions.patterns, statement.actions.negated)
        yield Miss("action", expected, question.action)
    if statement.resources is not None:
        if statement.resources.match(question.resource, question.env) is not True:
            yield Miss("resource", _resources(statement.resources), question.resource)
    elif not question.acts_on_resource:
        yield Miss("resource", "an action that acts on this resource", "*")
    if statement.principals is not None:
        yield from _principal(statement, question)
    for condition in statement.conditions:
        truth = condition.evaluate(question.env)
        if truth is not True:
            yield _condition(condition, question.env)


def _principal(statement: Statement, question: Question) -> Iterator[Miss]:
    principals = statement.principals
    if principals is None:
        return
    naming = principals.naming(question.caller, question.role_arn, question.has_boundary)
    expected = _listed(principals.texts, principals.negated)
    found = question.caller.arn or "an unsigned caller"
    if naming is Naming.NONE:
        yield Miss("principal", expected, found)
    elif naming is Naming.ACCOUNT and question.same_account and not question.must_allow:
        yield Miss("principal", f"{expected} (leaves it to identity policies)", found)


def _resources(resources: Resources) -> str:
    return _listed(resources.patterns, resources.negated)


def _listed(patterns: Iterable[str], negated: bool) -> str:
    text = " or ".join(patterns)
    return f"anything but {text}" if negated else text


def _condition(condition: Condition, env: Env) -> Miss:
    missing = "unknown" if condition.lower in env.unknown else "absent"
    text = ", ".join(env.values.get(condition.lower, ())) or missing
    expected = " or ".join(value.text for value in condition.values) or "(no value)"
    if condition.operator.negated:
        expected = f"not {expected}"
    return Miss("condition", expected, text, condition.key, condition.name)


def absent(decision: Decision) -> tuple[str, ...]:
    """Condition keys that were looked for and are not there, sorted."""
    question = pose(decision.request, decision.policies, decision.request.env)
    missing: dict[str, str] = {}
    for document in decision.policies.documents:
        for side in document.candidates(question.action, question.resource):
            for statement, _ in side:
                if statement.principals is None or _named(statement, question):
                    for lower, spelled in _looked_at(statement):
                        if lower not in question.env.values and lower not in question.env.unknown:
                            missing.setdefault(lower, spelled)
    return tuple(sorted(missing.values()))


def _named(statement: Statement, question: Question) -> bool:
    return not any(miss.what == "principal" for miss in _principal(statement, question))


def _looked_at(statement: Statement) -> Iterator[tuple[str, str]]:
    for condition in statement.conditions:
        yield condition.lower, condition.key
        for variable in condition.variables:
            yield variable.key, variable.spelled
    if statement.resources is not None:
        for variable in statement.resources.variables:
            yield variable.key, variable.spelled


def because(decision: Decision) -> str:
    """One sentence for people."""
    asked = f"{decision.request.action} on {decision.request.resource}"
    if decision.outcome is Outcome.ALLOWED:
        return _allowed(decision, asked)
    kind = decision.layer.policy_type
    level = "" if decision.level is None else f" at level {decision.level}"
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return f"{asked} is denied: explicit deny in the {kind}{level}, {decision.statement}."
    if decision.outcome is Outcome.UNDETERMINED:
        return f"{asked} depends on {', '.join(decision.depends_on)}, which is not known."
    near = decision.nearest
    hint = f"; nearest is {near[0]}" if near else ""
    return f"{asked} is denied: no {kind}{level} allows it{hint}."


def _allowed(decision: Decision, asked: str) -> str:
    if decision.layer is Layer.ALWAYS:
        return f"{asked} needs no permission and cannot be denied."
    if decision.layer is Layer.ROOT_USER:
        return f"{asked} is allowed: the account's root user needs no policy."
    return f"{asked} is allowed by the {decision.layer.policy_type}, {decision.statement}."
