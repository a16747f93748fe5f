"""Repositories whose names a package ID may have been meant to be: evidence, never a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ecr_feed.naming.edits import one_edit_apart

_SEPARATORS = re.compile(r"[-_./]+")
_LIMIT = 5


def near(name: str, candidates: Iterable[str], *, limit: int = _LIMIT) -> tuple[str, ...]:
    """Up to `limit` candidates that resemble `name`, the closest first; never `name` itself.

    Closest is another case, then other separators (`-`, `_`, `.`, `/`, or none), one edit (a letter
    more, less, wrong, or two swapped), whole segments more or fewer in front or behind, the same
    last segment under another prefix, and a name that begins with the other.
    """
    wanted = _Name(name)
    ranked = sorted(
        (rank, abs(len(candidate) - len(name)), candidate)
        for candidate in set(candidates) - {name}
        if (rank := wanted.rank(candidate)) is not None
    )
    return tuple(candidate for _, _, candidate in ranked[:limit])


class _Name:
    """A name with its simplified forms, computed once for ten thousand candidates."""

    def __init__(self, name: str) -> None:
        self.lower = name.casefold()
        self.dashed = _SEPARATORS.sub("-", self.lower).strip("-")
        self.bare = self.dashed.replace("-", "")
        self.last = self.lower.rpartition("/")[2]

    def rank(self, candidate: str) -> int | None:
        """How close, 0 is closest; None where it is not near at all."""
        lower = candidate.casefold()
        if lower == self.lower:
            return 0
        if abs(len(lower) - len(self.lower)) <= 1 and one_edit_apart(lower, self.lower):
            return 1 if self._separators_only(lower) else 2
        return self._by_segments(lower)

    def _separators_only(self, lower: str) -> bool:
        return bool(self.bare) and _SEPARATORS.sub("", lower) == self.bare

    def _by_segments(self, lower: str) -> int | None:
        if self._separators_only(lower):
            return 1
        if _whole_segments_more(lower, self.lower) or _whole_segments_more(self.lower, lower):
            return 3
        if self.last and lower.rpartition("/")[2] == self.last:
            return 4
        return 5 if _begins(lower, self.lower) or _begins(self.lower, lower) else None


def _whole_segments_more(longer: str, shorter: str) -> bool:
    return bool(shorter) and (longer.endswith(f"/{shorter}") or longer.startswith(f"{shorter}/"))


def _begins(longer: str, shorter: str) -> bool:
    rest = longer.removeprefix(shorter) if shorter else longer
    return rest != longer and rest[:1] in "-_."
