"""One compiled policy statement, and how it matches an action and a resource."""

from __future__ import annotations

from dataclasses import dataclass

from ecr_feed.iam.conditions import Condition
from ecr_feed.iam.match import (
    Test,
    Truth,
    action_test,
    compile_tokens,
    is_plain_resource,
    resource_test,
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
        label = f"statement {self.sid!r} ({self.index})" if self.sid else f"statement {self.index}"
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
    tests: tuple[Test, ...]
    only: frozenset[str] | None = None

    @classmethod
    def of(
        cls, written: tuple[str, ...], *, negated: bool, patterns: tuple[str, ...] | None = None
    ) -> Actions:
        """Compile patterns such as `ecr:Get*`: all that are written unless `patterns` says less."""
        kept = written if patterns is None else patterns
        return cls(negated, written, kept, tuple(map(action_test, kept)))

    def match(self, lower_action: str) -> bool:
        """Whether the element covers an action given in lower case."""
        if self.only is not None and lower_action not in self.only:
            return False
        for test in self.tests:
            if test(lower_action):
                return not self.negated
        return self.negated


@dataclass(frozen=True, slots=True)
class Resources:
    """A Resource or NotResource element.

    `written` are the patterns as written, `patterns` those of them that can match a resource.
    Compiled they are `literals`, `tests` for those with wildcards, and `templates` for those that
    hold variables.
    """

    negated: bool
    written: tuple[str, ...]
    patterns: tuple[str, ...]
    literals: frozenset[str]
    tests: tuple[Test, ...]
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
        literals: list[str] = []
        tests: list[Test] = []
        templates: list[Template] = []
        for pattern in kept:
            if variables and "${" in pattern:
                template = read_resource(pattern)
                if variables_in(template):
                    templates.append(template)
                else:
                    tests.append(compile_tokens(resource_tokens(fill_fixed(template))))
            elif is_plain_resource(pattern):
                literals.append(pattern)
            else:
                tests.append(resource_test(pattern))
        return cls(negated, written, kept, frozenset(literals), tuple(tests), tuple(templates))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables in its patterns."""
        return tuple(each for template in self.templates for each in variables_in(template))

    def match_fixed(self, resource: str) -> Truth:
        """The result without the request's context; None where it depends on a variable."""
        if resource in self.literals:
            return not self.negated
        for test in self.tests:
            if test(resource):
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


def placed(statement: Statement, policy: str, index: int) -> Statement:
    """The same statement at a place in a policy."""
    return Statement(
        policy,
        index,
        statement.sid,
        statement.allows,
        statement.actions,
        statement.resources,
        statement.principals,
        statement.conditions,
        statement.open_facts,
    )
