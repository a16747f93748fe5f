"""One compiled policy statement, and how it matches an action and a resource."""

from __future__ import annotations

from dataclasses import dataclass

from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.match import (
    PatternSet,
    Truth,
    action_set,
    compile_tokens,
    resource_set,
    resource_tokens,
    turned,
)
from ecr_feed.iam.principal_matching import PrincipalSet
from ecr_feed.iam.variables import (
    NO_VALUE,
    Env,
    Template,
    Unresolved,
    Variable,
    fill,
    read_resource,
    variables_in,
)


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Identifies a statement: the policy's name, its index from 0, its Sid (or "")."""

    policy: str
    index: int
    sid: str = ""

    def __str__(self) -> str:
        number = self.index + 1  # as people count, and as `causes` says it
        label = f"statement {self.sid!r} ({number})" if self.sid else f"statement {number}"
        return f"{label} of {self.policy!r}" if self.policy else label


@dataclass(frozen=True, slots=True)
class Actions:
    """An Action or NotAction element.

    `written` are the patterns as written, `patterns` those of them that can match an action.
    `only`: the actions, in lower case, that the policy governs at all; None for every action.
    """

    negated: bool
    written: tuple[str, ...]
    patterns: tuple[str, ...]
    compiled: PatternSet
    only: frozenset[str] | None = None

    @classmethod
    def of(
        cls, written: tuple[str, ...], *, negated: bool, patterns: tuple[str, ...] | None = None
    ) -> Actions:
        """Compile patterns such as `ecr:Get*`: all that are written unless `patterns` says less."""
        kept = written if patterns is None else patterns
        return cls(negated, written, kept, action_set(kept))

    def match(self, lower_action: str) -> bool:
        """Whether the element covers an action given in lower case."""
        if self.only is not None and lower_action not in self.only:
            return False
        return self.compiled.matches(lower_action) is not self.negated


@dataclass(frozen=True, slots=True)
class Resources:
    """A Resource or NotResource element.

    `written` are the patterns as written, `patterns` those of them that can match a resource.
    `templates` are those that hold variables, `compiled` all others.
    """

    negated: bool
    written: tuple[str, ...]
    patterns: tuple[str, ...]
    compiled: PatternSet
    templates: tuple[Template, ...]

    @classmethod
    def of(
        cls,
        written: tuple[str, ...],
        *,
        negated: bool,
        variables: bool,
        patterns: tuple[str, ...] | None = None,
    ) -> Resources:
        """Compile patterns: all that are written unless `patterns` says less.

        `variables` is false for Version 2008-10-17.
        """
        kept = written if patterns is None else patterns
        read = [read_resource(each) for each in kept if variables and "${" in each]
        fixed = [fill_fixed(template) for template in read if not variables_in(template)]
        compiled = resource_set(
            (each for each in kept if not variables or "${" not in each),
            (compile_tokens(resource_tokens(pieces)) for pieces in fixed),
        )
        templates = tuple(template for template in read if variables_in(template))
        return cls(negated, written, kept, compiled, templates)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables in its patterns."""
        return tuple(each for template in self.templates for each in variables_in(template))

    def match_fixed(self, resource: str) -> Truth:
        """The result without the request's context; None where it depends on a variable."""
        if self.compiled.matches(resource):
            return not self.negated
        return None if self.templates else self.negated

    def match(self, resource: str, env: Env) -> Truth:
        """Whether the element covers a resource."""
        answer = self.match_fixed(resource)
        if answer is not None:
            return answer
        covered: Truth = False
        for template in self.templates:
            pieces = fill(template, env)
            if isinstance(pieces, Unresolved):
                covered = covered if pieces is NO_VALUE else None
            elif compile_tokens(resource_tokens(pieces))(resource):
                covered = True
                break
        return turned(covered, self.negated)


def fill_fixed(template: Template) -> tuple[tuple[str, bool], ...]:
    """The pieces of a template that holds no variable."""
    return tuple(part for part in template if not isinstance(part, Variable))


@dataclass(slots=True, eq=False)
class Statement:
    """One statement; `resources` is None where the language has none (repository, trust).

    Never changed once made (not frozen, since that would double the time to make it). `open_facts`
    are the names of its conditions that stand for what AWS does not document or nobody read.
    """

    policy: str
    index: int
    sid: str
    allows: bool
    actions: Actions
    resources: Resources | None
    principals: PrincipalSet | None
    conditions: tuple[Condition, ...]
    open_facts: tuple[str, ...] = ()

    @property
    def ref(self) -> StatementRef:
        """What identifies it in a decision."""
        return StatementRef(self.policy, self.index, self.sid)

    def holds(self, env: Env) -> Truth:
        """Whether all conditions hold."""
        answer: Truth = True
        for condition in self.conditions:
            truth = condition.evaluate(env)
            if truth is False:
                return False
            if truth is None:
                answer = None
        return answer

    @property
    def keys(self) -> frozenset[str]:
        """Context keys and open facts that it looks at, in lower case."""
        found = {condition.lower for condition in self.conditions}
        found.update(each.key for cond in self.conditions for each in cond.variables)
        if self.resources is not None:
            found.update(each.key for each in self.resources.variables)
        return frozenset(found)

    @property
    def condition_keys(self) -> frozenset[str]:
        """Context keys that it looks at, in lower case."""
        return self.keys.difference(fact.lower() for fact in self.open_facts)
