"""Repositories whose names a package ID may have been meant to be: evidence, never a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ecr_feed.naming.edits import one_edit_apart

_NO_SEPARATORS = str.maketrans("", "", "-_./")
_LIMIT = 5


def near(name: str, candidates: Iterable[str], *, limit: int = _LIMIT) -> tuple[str, ...]:
    """Up to `limit` candidates that resemble `name`, the closest first; never `name` itself.

    Closest is another case, then other separators (`-`, `_`, `.`, `/`, or none), one edit (a letter
    more, less, wrong, or two swapped), whole segments more or fewer in front or behind, the same
    last segment under another prefix, and a name that begins with the other.
    """
    wanted = _forms(name)
    ranked = sorted(
        (rank, abs(len(candidate) - len(name)), candidate)
        for candidate in set(candidates) - {name}
        if (rank := _rank(wanted, _forms(candidate))) is not None
    )
    return tuple(candidate for _, _, candidate in ranked[:limit])


@dataclass(frozen=True, slots=True)
class _Forms:
    """A name in lower case, without separators, and its last segment."""

    lower: str
    bare: str
    last: str


@lru_cache(maxsize=20_000)  # one registry's names are asked again for each package that is missing
def _forms(name: str) -> _Forms:
    lower = name.casefold()
    return _Forms(lower, lower.translate(_NO_SEPARATORS), lower.rpartition("/")[2])


def _rank(name: _Forms, candidate: _Forms) -> int | None:
    """How close, 0 is closest; None where it is not near at all."""
    if candidate.lower == name.lower:
        return 0
    if candidate.bare == name.bare and name.bare:
        return 1
    if one_edit_apart(candidate.lower, name.lower):
        return 2
    return _by_segments(name, candidate)


def _by_segments(name: _Forms, candidate: _Forms) -> int | None:
    one, other = name.lower, candidate.lower
    if _whole_segments_more(one, other) or _whole_segments_more(other, one):
        return 3
    if name.last and candidate.last == name.last:
        return 4
    return 5 if _begins(one, other) or _begins(other, one) else None


def _whole_segments_more(longer: str, shorter: str) -> bool:
    if not shorter or len(longer) <= len(shorter):
        return False
    return longer.endswith(f"/{shorter}") or longer.startswith(f"{shorter}/")


def _begins(longer: str, shorter: str) -> bool:
    return bool(shorter) and longer.startswith(shorter) and longer[len(shorter)] in "-_."
