"""What a plan leaves open about its feed: identity, boundary, organisation, repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ecr_feed.facts.iam import Effect, LeftOpen
from ecr_feed.planned.resource_principals import names_principals
from ecr_feed.planned.terraform.identities import Identities
from ecr_feed.planned.terraform.organization import ORGANIZATION
from ecr_feed.planned.terraform.principals import PlannedPrincipal
from ecr_feed.planned.terraform.repositories import (
    EVERY,
    REGISTRY,
    PlannedRepository,
    Repositories,
)

_NAME: Final = re.compile(r"aws:(principalarn|username|userid)", re.IGNORECASE)


@dataclass(slots=True)
class AboutFeed:
    """The open items of the feed that has this identity and these packages.

    `limits` are the texts of the organisation's and the registry's policies.
    """

    principal: PlannedPrincipal
    found: Identities
    ecr: Repositories
    packages: list[str]
    limits: list[str]

    @property
    def keys(self) -> set[str]:
        """The keys of all that concerns the feed."""
        principal = self.principal
        fixed = {ORGANIZATION, REGISTRY, EVERY, principal.boundary}
        trust = {f"trust of {principal.key}", f"kind of {principal.key}"}
        return fixed | trust | principal.keys | {each.key for each in self._judged}

    @property
    def _judged(self) -> list[PlannedRepository]:
        return [each for each in self.ecr.here if each.name in self.packages]

    def items(self) -> Iterator[LeftOpen]:
        """Each item, with the package that it is about."""
        principal, items = self.principal, self.found.open
        yield from items.of({*principal.keys, ORGANIZATION, REGISTRY, EVERY})
        yield from items.of({principal.boundary} - {""}, limits=True)
        for each in items.of({f"kind of {principal.key}"}):
            yield LeftOpen(each.says, effect=Effect.VERDICT)
        yield from self._unfinished()
        yield from self._unnamed()
        for repository in self._judged:
            yield from items.of({repository.key}, repository.name)

    def _unfinished(self) -> Iterator[LeftOpen]:
        """Terraform says that the plan is not all: an error ended it, or it put changes off."""
        document = self.found.policies.plan.document
        if document.get("errored") is True:
            says = "The plan ended in an error (`errored`), so it may not hold every resource."
            yield LeftOpen(says, effect=Effect.VERDICT)
        if document.get("complete") is False:
            says = "The plan puts changes off to a later one (`complete` is false)."
            yield LeftOpen(says, effect=Effect.VERDICT)

    def _unnamed(self) -> Iterator[LeftOpen]:
        """The identity's name, or a repository's, is known only after apply."""
        stated = set(self.ecr.made_or_read)
        chosen = set(self.packages) - stated or set(self.packages) == stated
        for each in self.ecr.repositories:
            if not each.name and chosen:
                says = f"{each.key}: its name is known only after apply."
                yield LeftOpen(says, effect=Effect.VERDICT)
        if self.principal.named:
            return
        says = f"{self.principal.key}: its name is known only after apply."
        everywhere = any(_NAME.search(text) for text in self._texts())
        everywhere = everywhere or any(map(names_principals, self.limits))
        yield LeftOpen(says, effect=Effect.ANY if everywhere else Effect.VERDICT)
        for repository in self._judged:
            text = repository.table.get("policy")
            if text and names_principals(text):
                yield LeftOpen(says, repository.name)

    def _texts(self) -> Iterator[str]:
        """Every policy that applies to the feed."""
        for holder in (self.principal, *self.principal.groups):
            yield from holder.table.get("policies", {}).values()
        applied = {*self.principal.keys, self.principal.boundary}
        for policy in self.found.managed:
            if policy.key in applied:
                yield policy.table["document"]
        for repository in self._judged:
            yield repository.table.get("policy") or ""
        yield from self.limits
