"""Regions by the names of their places, such as Ireland for eu-west-1. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from ecr_feed.naming.regions import partition_of

_INSIDE: Final = re.compile(r"\(([^)]*)\)")
# Words that name no place by themselves: most regions have one of them.
_DIRECTIONS: Final = frozenset({"central", "east", "north", "south", "us", "west"})
_MOST: Final = 3


def regions_of_place(text: str, descriptions: Mapping[str, str]) -> tuple[str, ...]:
    """Up to three regions whose place a text names, those of the commercial partition first.

    `descriptions` maps regions to AWS's names of them, such as "Europe (Ireland)". Understood are
    the whole name, the place in it, and the part before the place where few regions have that; in
    any case, with or without accents, and with other words around the place.
    """
    words = _words(text)
    places = {region: _place(description) for region, description in descriptions.items()}
    before = {
        region: _words(description.partition("(")[0])
        for region, description in descriptions.items()
    }
    for fits in (
        {region for region in descriptions if _words(descriptions[region]) == words},
        {region for region, place in places.items() if _contains(words, place)},
        {region for region, area in before.items() if area == words},
    ):
        if 0 < len(fits) <= _MOST:
            return tuple(sorted(fits, key=lambda region: (partition_of(region) != "aws", region)))
    return ()


def _place(description: str) -> tuple[str, ...]:
    """The words of the place in brackets, without single letters ("N. Virginia")."""
    inside = _INSIDE.search(description)
    found = tuple(word for word in _words(inside[1] if inside else "") if len(word) > 1)
    return () if set(found) <= _DIRECTIONS else found


def _contains(words: tuple[str, ...], place: tuple[str, ...]) -> bool:
    size = len(place)
    return size > 0 and any(
        words[start : start + size] == place for start in range(len(words) - size + 1)
    )


def _words(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return tuple(re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c))))
