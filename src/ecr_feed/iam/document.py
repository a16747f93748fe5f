"""A policy document, checked as IAM checks it and compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias, TypeVar

from ecr_feed.iam import actions
from ecr_feed.iam.parse_statements import DocumentParser
from ecr_feed.iam.policy_rules import API_LIMIT, RULES, Kind, PolicyError, load, policy_size
from ecr_feed.iam.statement import Statement

_MEMORY = 1024
"""Cache entries (actions, action and resource pairs) kept before the cache is cleared."""

_TEXTS = 256
"""Documents kept by their text: the same few are read again for every package and action."""

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
        from_aws: bool = False,
    ) -> Document:
        """Read policy JSON, as text or already parsed.

        `kind` is one of the values of `Kind`; `limit` is a quota in characters, white space not
        counted (see `SIZE_LIMITS`). Raises PolicyError where IAM would refuse the document, and
        ValueError for a kind that does not exist.

        `from_aws`: AWS handed the document over. What it would refuse from a person then matches
        nothing, or is undetermined where AWS does not document what it means; PolicyError remains
        for what has no meaning. The same text gives the same document while it is remembered.
        """
        which = Kind(kind)
        _check_size(source, limit, from_aws=from_aws)
        if isinstance(source, str):
            return _read_text(str(source), which, name, from_aws)
        value: object = source
        if isinstance(source, bytes):
            value = load(source, latin_only=RULES[which].latin_only and not from_aws)
        return cls._of(value, which, name, from_aws)

    @classmethod
    def _of(cls, value: object, kind: Kind, name: str, from_aws: bool) -> Document:
        version, statements = DocumentParser(kind, name, from_aws=from_aws).read(value)
        return cls(name, kind, version, statements)

    @property
    def condition_keys(self) -> frozenset[str]:
        """Context keys that conditions and variables look at, in lower case."""
        return frozenset().union(*(statement.condition_keys for statement in self.statements))

    def about(self, lower_action: str) -> tuple[Statement, ...]:
        """The statements whose actions cover an action, given in lower case."""
        found = self._by_action.get(lower_action)
        if found is None:
            found = tuple([each for each in self.statements if each.actions.match(lower_action)])
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


@lru_cache(maxsize=_TEXTS)
def _read_text(text: str, kind: Kind, name: str, from_aws: bool) -> Document:
    value = load(text, latin_only=RULES[kind].latin_only and not from_aws)
    return Document._of(value, kind, name, from_aws)


def _check_size(
    source: str | bytes | Mapping[str, object], limit: int | None, *, from_aws: bool
) -> None:
    if isinstance(source, str | bytes) and len(source) > API_LIMIT and not from_aws:
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
    from_aws: bool = False,
) -> Document:
    """`Document.parse` under a short name."""
    return Document.parse(source, kind=kind, name=name, limit=limit, from_aws=from_aws)


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
