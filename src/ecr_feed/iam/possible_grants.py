"""Which actions a set of policies can grant, and on which resource patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ecr_feed.iam import actions
from ecr_feed.iam.actions import Action
from ecr_feed.iam.document import Document
from ecr_feed.iam.patterns import covers, intersect, resource_type_pattern
from ecr_feed.iam.request import Policies
from ecr_feed.iam.statement import Resources, Statement


@dataclass(frozen=True, slots=True)
class Granted:
    """An Allow statement that reaches resources of an action, by one pattern.

    `pattern` is as written, `*` for a NotResource (which reaches all but what it lists).
    """

    pattern: str
    statement: Statement


class PossibleGrants:
    """What identity policies can grant within boundary, session policy and SCPs."""

    def __init__(self, policies: Policies) -> None:
        self._own = policies.identity
        limits: list[tuple[Document, ...]] = list(policies.scps or ())
        limits += [(each,) for each in (policies.boundary, policies.session) if each is not None]
        self._limits = limits
        everywhere = (*self._own, *(each for level in limits for each in level))
        statements = [each for document in everywhere for each in document.statements]
        # A Deny with conditions may not apply, so it does not certainly remove anything.
        self._denies = [each for each in statements if not each.allows and not each.conditions]
        self._allows = [s for document in self._own for s in document.statements if s.allows]

    def actions(self) -> Iterator[tuple[Action, list[Granted]]]:
        """Every action that is granted somewhere, by service and name."""
        for service in actions.services():
            allows = [each for each in self._allows if _may_concern(each, service)]
            if not allows:
                continue
            for name, action in actions.of_service(service).items():
                granted = self._granted(f"{service}:{name}", action, allows)
                if granted:
                    yield action, granted

    def _granted(self, lower: str, action: Action, allows: Sequence[Statement]) -> list[Granted]:
        covering = [each for each in allows if each.actions.match(lower)]
        if not covering:
            return []
        targets = _targets(action)
        denies = [each for each in self._denies if each.actions.match(lower)]
        return [
            granted
            for granted in _grants(covering, targets)
            if not any(_takes_away(each, granted.pattern, targets) for each in denies)
            and self._within_limits(lower, granted.pattern, targets)
        ]

    def _within_limits(self, lower: str, pattern: str, targets: Sequence[str]) -> bool:
        return all(
            any(
                statement.allows
                and statement.actions.match(lower)
                and _reaches(statement.resources, pattern, targets)
                for document in level
                for statement in document.statements
            )
            for level in self._limits
        )


def _may_concern(statement: Statement, service: str) -> bool:
    if statement.actions.negated:
        return True
    prefixes = (pattern.partition(":")[0].lower() for pattern in statement.actions.patterns)
    return any(prefix in ("*", service) for prefix in prefixes)


def _targets(action: Action) -> tuple[str, ...]:
    """Patterns of the resources that an action acts on; none for those that only `*` reaches."""
    types = actions.resource_types(action.service)
    return tuple(
        resource_type_pattern(types[name].arn) if name in types else "arn:*"
        for name in action.resource_types
    )


def _grants(allows: Iterable[Statement], targets: Sequence[str]) -> Iterator[Granted]:
    for statement in allows:
        resources = statement.resources
        if resources is None:
            continue
        if resources.negated:
            if _reaches(resources, "*", targets):
                yield Granted("*", statement)
            continue
        for pattern in resources.patterns:
            if _meets(pattern, targets):
                yield Granted(pattern, statement)


def _meets(pattern: str, targets: Sequence[str]) -> bool:
    """Whether a pattern reaches any resource of the action."""
    if not targets:
        return covers(pattern, "*")
    return any(intersect(pattern, target) for target in targets)


def _reaches(resources: Resources | None, pattern: str, targets: Sequence[str]) -> bool:
    """Whether an element can match a resource of the action that `pattern` matches."""
    if resources is None or not targets:
        return resources is not None and resources.match_fixed("*") is True
    if not resources.negated:
        return any(
            _meets(each, targets) and intersect(each, pattern) for each in resources.patterns
        )
    return any(
        intersect(pattern, target)
        and not any(covers(each, target) or covers(each, pattern) for each in resources.patterns)
        for target in targets
    )


def _takes_away(deny: Statement, pattern: str, targets: Sequence[str]) -> bool:
    """Whether an unconditional Deny leaves nothing of what a pattern grants."""
    resources = deny.resources
    if resources is None or not targets:
        return resources is not None and resources.match_fixed("*") is True
    reached = [target for target in targets if intersect(pattern, target)]
    if resources.negated:
        return not any(
            intersect(each, pattern) and any(intersect(each, target) for target in reached)
            for each in resources.patterns
        )
    return any(covers(each, pattern) for each in resources.patterns) or all(
        any(covers(each, target) for each in resources.patterns) for target in reached
    )
