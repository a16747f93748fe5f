"""A mistake in a feeds file as one short paragraph: file, key path, found, expected.

Lists are counted from 1 in paths, as people count: `feed[2]` is the second [[feed]].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from ecr_feed.config.credentials import CREDENTIAL_KINDS, LOGIN_KINDS, Table
from ecr_feed.config.models import DockerFeed, Feed, FeedsFile, Package
from ecr_feed.config.wording import did_you_mean, key_text, quote, show, toml

Loc = tuple[int | str, ...]

_KINDS: Final[Mapping[str, Mapping[str, type[Table]]]] = {
    "credentials": CREDENTIAL_KINDS,
    "auditor": CREDENTIAL_KINDS,
    "login": LOGIN_KINDS,
}
_TABLES: Final[Mapping[str, type[Table]]] = {
    "feed": Feed,
    "docker_feed": DockerFeed,
    "packages": Package,
}
_TYPES: Final = {
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number without quotes",
    "float_type": "a number without quotes",
    "tuple_type": "a list in [ ]",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_QUOTED: Final = " (in quotes: a number loses leading zeros)"


class ConfigError(Exception):
    """The feeds file, or an option in its place, is wrong; the text is one clear paragraph."""


def explain(error: ValidationError, tables: Mapping[str, Any], source: str) -> ConfigError:
    """The first mistake in full, then the places of the others."""
    details = sorted(error.errors(include_url=False), key=_worst_first)
    first = _sentence(details[0], place(_plain(details[0]["loc"]), tables), FeedsFile)
    places = list(dict.fromkeys(place(_plain(detail["loc"]), tables) for detail in details[1:4]))
    more = ""
    if len(details) > 1:
        rest = ", ..." if len(details) > 4 else ""
        more = f" Further mistakes: {len(details) - 1} ({', '.join(places)}{rest})."
    return ConfigError(f"{source}: {first}{more}")


def explain_options(error: ValidationError, options: Mapping[str, str]) -> ConfigError:
    """The first mistake in a feed that options describe; `options` names each key's option."""
    details = error.errors(include_url=False)
    # The name is made from the region, so the region's own error is the useful one.
    detail = next((each for each in details if each["loc"][0] != "name"), details[0])
    option = options.get(str(detail["loc"][0]), "")
    return ConfigError(_sentence(detail, option, Feed))


def explain_option(error: PydanticCustomError, option: str) -> ConfigError:
    """The mistake in the values of one option."""
    told = error.context or {}
    return ConfigError(f"{option}: found {told['found']}, expected {told['expected']}.")


def place(loc: Loc, tables: Mapping[str, Any]) -> str:
    """The key path, such as `feed[2].packages[1]`, with the feed's name where it has one."""
    path = ""
    for step in loc:
        number = isinstance(step, int)
        path += f"[{int(step) + 1}]" if number else f"{'.' if path else ''}{key_text(step)}"
    name = _feed_name(loc, tables)
    return f"{path} (feed {quote(name)})" if name else path


def _worst_first(detail: ErrorDetails) -> bool:
    """Unknown keys first: a missing key beside one is mostly the same mistake."""
    return detail["type"] != "extra_forbidden"


def _plain(loc: Loc) -> Loc:
    """The path as written: without the tags that pydantic puts behind a choice of tables."""
    steps = [
        step
        for before, step in zip(("", *loc), loc, strict=False)
        if not (before in _KINDS and step in _KINDS[str(before)])
    ]
    return tuple(steps)


def _feed_name(loc: Loc, tables: Mapping[str, Any]) -> str:
    if len(loc) < 2 or not isinstance(loc[1], int):
        return ""
    feeds = tables.get(str(loc[0]))
    feed = feeds[loc[1]] if isinstance(feeds, Sequence) and loc[1] < len(feeds) else None
    name = feed.get("name") if isinstance(feed, Mapping) else None
    return name if isinstance(name, str) and loc[2:] != ("name",) else ""


def _table(loc: Loc, root: type[Table]) -> type[Table]:
    """The model in which the last step of a path is a key."""
    model = root
    for before, step in pairwise(loc):
        if isinstance(step, str) and before in _KINDS:
            model = _KINDS[str(before)].get(step, model)
        elif isinstance(before, str) and isinstance(step, int):
            model = _TABLES.get(before, model)
    return model


def _sentence(detail: ErrorDetails, where: str, root: type[Table]) -> str:
    loc, kind = detail["loc"], detail["type"]
    key = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        return f"{where}: found an unknown key{_instead(key, _table(loc, root))}"
    if kind == "missing":
        return f"{where} is missing: found nothing, expected {_expected(detail, key, root)}."
    found = (detail.get("ctx") or {}).get("found") or show(detail["input"])
    return f"{where}: found {found}, expected {_expected(detail, key, root)}."


def _instead(key: str, table: type[Table]) -> str:
    """What an unknown key may have meant, then the keys that are known there."""
    known = list(table.model_fields)
    elsewhere = [
        name if name == "packages" else f"[[{name}]]"
        for name, model in _TABLES.items()
        if key in model.model_fields
    ]
    meant = did_you_mean(key, known)
    if not meant and elsewhere:
        meant = f", which belongs into {' or '.join(elsewhere)};"
    return f"{meant or ','} expected one of {', '.join(known)}."


def _expected(detail: ErrorDetails, key: str, root: type[Table]) -> str:
    kind, value = detail["type"], detail["input"]
    if key == "auditor" and isinstance(value, list):
        return "[auditor] in single brackets"
    if kind == "expected":
        return str((detail.get("ctx") or {}).get("expected"))
    if key in ("feed", "docker_feed") and isinstance(value, Mapping):
        return f"[[{key}]] in double brackets"
    field = _table(detail["loc"], root).model_fields.get(key)
    example = toml(field.examples[0]) if field is not None and field.examples else ""
    what = _TYPES.get(kind, "a value" if kind == "missing" else detail["msg"])
    number = isinstance(value, int) and not isinstance(value, bool) and key == "account"
    return f"{what}{f', such as {example}' if example else ''}{_QUOTED if number else ''}"
