"""A policy document, checked as IAM checks it and compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from ecr_feed.iam import actions
from ecr_feed.iam.parse_statements import DocumentParser
from ecr_feed.iam.policy_rules import API_LIMIT, RULES, Kind, PolicyError, load, policy_size
from ecr_feed.iam.statement import Statement

_MEMORY = 4096
"""Cache entries (actions, action and resource pairs) kept before the cache is cleared."""

Candidate: TypeAlias = tuple[Statement, bool]
"""A statement that may apply, and whether its Resource still waits for variables."""

Candidates: TypeAlias = tuple[tuple[Candidate, ...], tuple[Candidate, ...]]
"""Those that deny and those that allow."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A parsed policy; immutable, compared by identity, safe to share between threads."""

    name: str
    kind: Kind
    version: str
    statements: tuple[Statement, ...]
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict, repr=False)
    _by_both: dict[tuple[str, str], Candidates] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(
        cls,
        source: str | bytes | Mapping[str, object],
        *,
        kind: str = "identity",
        name: str = "",
        limit: int | None = None,
    ) -> Document:
        """Read policy JSON, as text or already parsed.

        `kind` is one of the values of `Kind`; `limit` is a quota in characters, white space not
        counted (see `SIZE_LIMITS`). Raises PolicyError where IAM would refuse the document, and
        ValueError for a kind that does not exist.
        """
        which = Kind(kind)
        _check_size(source, limit)
        value: object = source
        if isinstance(source, str | bytes):
            value = load(source, latin_only=RULES[which].latin_only)
        version, statements = DocumentParser(which, name).read(value)
        return cls(name, which, version, statements)

    @property
    def condition_keys(self) -> frozenset[str]:
        """Context keys that conditions and variables look at, in lower case."""
        return frozenset().union(*(statement.keys for statement in self.statements))

    def about(self, lower_action: str) -> tuple[Statement, ...]:
        """The statements whose actions cover an action, given in lower case."""
        found = self._by_action.get(lower_action)
        if found is None:
            found = tuple(each for each in self.statements if each.actions.match(lower_action))
            _remember(self._by_action, lower_action, found)
        return found

    def candidates(self, lower_action: str, resource: str) -> Candidates:
        """The denying and the allowing statements that cover an action on a resource.

        Cached: the same pair recurs with many principals and contexts.
        """
        key = (lower_action, resource)
        found = self._by_both.get(key)
        if found is None:
            found = self._find(lower_action, resource)
            _remember(self._by_both, key, found)
        return found

    def _find(self, lower_action: str, resource: str) -> Candidates:
        acts = actions.acts_on_resource(lower_action)
        denying: list[Candidate] = []
        allowing: list[Candidate] = []
        for statement in self.about(lower_action):
            reach = statement.resources
            truth = acts if reach is None else reach.match_fixed(resource)
            if truth is not False:
                (allowing if statement.allows else denying).append((statement, truth is None))
        return tuple(denying), tuple(allowing)


_Key = TypeVar("_Key")
_Found = TypeVar("_Found")


def _remember(memory: dict[_Key, _Found], key: _Key, found: _Found) -> None:
    if len(memory) >= _MEMORY:
        memory.clear()
    memory[key] = found


def _check_size(source: str | bytes | Mapping[str, object], limit: int | None) -> None:
    if isinstance(source, str | bytes) and len(source) > API_LIMIT:
        raise PolicyError("$", f"{len(source)} characters, expected at most {API_LIMIT}")
    if limit is None:
        return
    size = policy_size(source)
    if size > limit:
        raise PolicyError("$", f"{size} characters without white space, expected at most {limit}")


def parse(
    source: str | bytes | Mapping[str, object],
    *,
    kind: str = "identity",
    name: str = "",
    limit: int | None = None,
) -> Document:
    """`Document.parse` under a short name."""
    return Document.parse(source, kind=kind, name=name, limit=limit)


def combine(documents: Iterable[Document]) -> Document | None:
    """Several resource-based policies that apply together (repository and registry) as one.

    Statements keep the name and index of the policy they come from. None for no documents.
    """
    kept = tuple(documents)
    if len(kept) < 2:
        return kept[0] if kept else None
    statements = tuple(each for document in kept for each in document.statements)
    name = " + ".join(document.name for document in kept if document.name)
    return Document(name, kept[0].kind, kept[0].version, statements)
