"""Words of config errors: what was found, without secrets, and what may have been meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

_LONGEST = 60
_BIGGEST = 10**18  # a longer number is a mistake, and Python may refuse to write it
_SECRET_VALUE = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}|eyJ[\w+/=-]{16,}|[A-Za-z0-9+/=]{40,}|-----BEGIN|\bAQECAH"
)
_SURELY_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b|eyJwYXlsb2Fk[\w+/=-]{16,}|\bAQECAH[\w+/=-]{16,}|-----BEGIN"
)
_SECRET_KEY = re.compile(r"secret|passw|pwd|token|accesskey|apikey|privatekey|passphrase")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MEANT: Final = {
    "feeds": "feed",
    "docker_feeds": "docker_feed",
    "docker": "docker_feed",
    "audit": "auditor",
    "aws_region": "region",
    "aws_profile": "profile",
    "repositories": "packages",
    "repository": "packages",
    "images": "packages",
    "package_id": "id",
    "version": "tag",
    "registry_id": "account",
    "role": "role_arn",
    "endpoint": "endpoint_url",
    "slug": "name",
}


def quote(value: object) -> str:
    """A text in quotes on one line, shortened, with nothing unprintable in it."""
    text = value if isinstance(value, str) else str(value)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return json.dumps(shown, ensure_ascii=not shown.isprintable())


def is_secret(text: str) -> bool:
    """The text contains what can only be an access key or a registry password."""
    return _SURELY_SECRET.search(text) is not None


def looks_secret(text: str) -> bool:
    """The text may be an access key, a token or a password, so a message must not show it."""
    return _SECRET_VALUE.search(text) is not None


def secret_key(key: str, known: Iterable[str]) -> bool:
    """The key is named like one that holds a secret, and is not a misspelt known key."""
    if key in (names := set(known)) or get_close_matches(key, names, n=1, cutoff=0.88):
        return False
    return _SECRET_KEY.search(re.sub(r"[^a-z]", "", key.casefold())) is not None


def show(value: object) -> str:
    """What was found, in words: the value where it is short and not a secret, and its type."""
    if isinstance(value, str):
        return "a text that looks like a secret" if looks_secret(value) else quote(value)
    if isinstance(value, bool):
        return f"{str(value).lower()} (not in quotes)"
    if isinstance(value, int):
        return f"{value} (a whole number)" if abs(value) < _BIGGEST else "a very long number"
    if isinstance(value, float):
        return f"{value} (a number)"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"a {type(value).__name__}"


def toml(value: Any) -> str:
    """A value in TOML, for the examples in messages."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {toml(item)}' for key, item in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def key_text(key: object) -> str:
    """A key as written in a path: without quotes where TOML allows it."""
    text = str(key)
    return text if _BARE_KEY.fullmatch(text) and len(text) <= _LONGEST else quote(text)


def did_you_mean(key: object, known: Iterable[str]) -> str:
    """`, did you mean "region"?` for the nearest known key, else ""."""
    names = list(known)
    text = str(key).casefold().replace("-", "_")
    meant = _MEANT.get(text)
    near = [meant] if meant in names else get_close_matches(text, names, n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"?' if near else ""
