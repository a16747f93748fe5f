"""Near names: edit distances, and the nearest of many names to one that is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


def one_edit_apart(left: str, right: str) -> bool:
    """One insertion, deletion, replacement or swap of neighbours turns one into the other.

    Linear, unlike an edit distance: what follows the first difference must agree. Equal texts are
    not one edit apart.
    """
    if abs(len(left) - len(right)) > 1 or left == right:
        return False
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped


_NO_SEPARATORS = str.maketrans("", "", "-_./")
_LIMIT = 5


def near(name: str, candidates: Iterable[str], *, limit: int = _LIMIT) -> tuple[str, ...]:
    """Up to `limit` candidates that resemble `name`, the closest first; never `name` itself.

    The order: another letter case; other separators (`-`, `_`, `.`, `/`, or none); one edit (a
    letter more, less, wrong, or two swapped); whole segments more or fewer at either end; the same
    last segment under another prefix; one name at the beginning of the other.
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


@lru_cache(maxsize=20_000)  # the names of a registry are compared with each missing package
def _forms(name: str) -> _Forms:
    lower = name.casefold()
    return _Forms(lower, lower.translate(_NO_SEPARATORS), lower.rpartition("/")[2])


def _rank(name: _Forms, candidate: _Forms) -> int | None:
    """How close, 0 is closest; None where they do not resemble each other."""
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
