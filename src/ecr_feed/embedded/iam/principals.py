"""The policies that hold for a caller, parsed once and kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_feed.embedded.core.environment import Environment
from ecr_feed.embedded.iam.store import Details, Directory, Entity
from ecr_feed.embedded.identity.callers import Caller
from ecr_feed.iam import Document, Policies, combine, parse

# A boundary whose policy is gone allows nothing.
_NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


@dataclass(slots=True)
class Parsed:
    """Documents by text, so that each is read once however often it is asked of."""

    _kept: dict[tuple[str, str, str], Document] = field(default_factory=dict)

    def document(self, text: str, kind: str, name: str) -> Document:
        """The document; PolicyError where it is none (the service refuses those when written)."""
        key = (kind, name, text)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = parse(text, kind=kind, name=name)
        return found

    def levels(
        self, texts: tuple[tuple[str, ...], ...] | None, kind: str
    ) -> tuple[tuple[Document, ...], ...] | None:
        """Organisation policies, level by level."""
        if texts is None:
            return None
        return tuple(
            tuple(self.document(t, kind, f"{kind}-{level}-{n}") for n, t in enumerate(listed))
            for level, listed in enumerate(texts)
        )


@dataclass(slots=True)
class Principals:
    """Policies of callers and entities, as evaluation wants them."""

    directory: Directory
    environment: Environment
    parsed: Parsed = field(default_factory=Parsed)

    def policies(self, caller: Caller, resource: Document | None) -> Policies:
        """Everything that applies to a caller on a resource with this policy (or none)."""
        scps = self.parsed.levels(self.environment.scps, "scp")
        rcps = self.parsed.levels(self.environment.rcps, "rcp")
        entity = self.entity(caller)
        if entity is None:
            return Policies(resource=resource, scps=scps, rcps=rcps)
        details = self.directory.details(caller.account)
        return Policies(
            identity=self.identity(details, entity),
            boundary=self.boundary(details, entity),
            resource=resource,
            scps=scps,
            rcps=rcps,
            session=self._session(caller),
        )

    def entity(self, caller: Caller) -> Entity | None:
        """The user or role whose policies a caller has; None for root and strangers."""
        if caller.kind not in ("user", "role", "federated"):
            return None
        details = self.directory.details(caller.account)
        found = details.roles if caller.kind == "role" else details.users
        return found.get(caller.name)

    def identity(self, details: Details, entity: Entity) -> tuple[Document, ...]:
        """Inline and attached policies, its own and its groups'."""
        owners = (entity, *(details.groups[name] for name in entity.groups))
        return tuple(doc for owner in owners for doc in self._own(details, owner))

    def _own(self, details: Details, owner: Entity) -> Iterable[Document]:
        for name, text in owner.inline:
            yield self.parsed.document(text, "identity", name)
        for arn in owner.attached:
            if arn in details.policies:
                yield self.parsed.document(details.policies[arn], "identity", arn)

    def boundary(self, details: Details, entity: Entity) -> Document | None:
        """The permissions boundary."""
        if not entity.boundary:
            return None
        text = details.policies.get(entity.boundary, _NOTHING)
        return self.parsed.document(text, "boundary", entity.boundary)

    def _session(self, caller: Caller) -> Document | None:
        if caller.session is None or not caller.session.policies:
            return None
        texts = enumerate(caller.session.policies)
        return combine(self.parsed.document(t, "session", f"session-{n}") for n, t in texts)
