"""What a plan leaves open until it is applied, and which part of the account each item is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from ecr_feed.facts.iam import Effect, LeftOpen


@dataclass(frozen=True, slots=True)
class _Item:
    says: str
    about: str
    effect: Effect


@dataclass(slots=True)
class OpenItems:
    """Sentences, each with the key of what it is about: an address, or `every user`, for example.

    `remarks` are said and leave no answer open.
    """

    remarks: dict[str, None] = field(default_factory=dict)
    _items: dict[_Item, None] = field(default_factory=dict)

    def remark(self, says: str) -> None:
        """Record a sentence that no answer depends on, once."""
        self.remarks[says] = None

    def add(self, says: str, about: str, effect: Effect = Effect.ANY) -> None:
        """Record what is open, and what it may do to an answer; once."""
        self._items[_Item(says, about, effect)] = None

    def of(
        self, keys: Collection[str], package: str = "", *, limits: bool = False
    ) -> Iterator[LeftOpen]:
        """The items about these keys; `limits`: as items that can only take away."""
        for each in self._items:
            if each.about in keys:
                effect = Effect.LIMITS if limits else each.effect
                yield LeftOpen(each.says, package, effect)

    def others(self, relevant: Collection[str]) -> Iterator[str]:
        """What is open about other parts of the account than those that are relevant."""
        said = {each.says for each in self._items if each.about in relevant}
        rest = (each.says for each in self._items if each.says not in said)
        yield from dict.fromkeys(rest)
