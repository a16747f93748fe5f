"""Mistakes that can be seen in an access key before any call: quotes, blanks, exchanged fields.

Only the fields are named. What is in them is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_KEY_ID: Final = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,124}")
_SECRET: Final = re.compile(r"[A-Za-z0-9/+=]{40}")
_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d"
_LONGEST_KEY_ID: Final = 128
"""Characters: IAM API reference, AccessKey, AccessKeyId."""
_TOKEN_FROM: Final = 100
"""Characters: a session token has several hundred, a secret access key has 40."""
_BLANKS: Final = {"\n": "a line break", "\r": "a carriage return", "\t": "a tab"}


@dataclass(frozen=True, slots=True)
class KeyField:
    """One field of an access key: its name for people, such as a variable's, and its text."""

    name: str
    text: str


def mistakes_in(key_id: KeyField, secret: KeyField, token: KeyField) -> str:
    """What is wrong with the fields, in one sentence that names them; "" for nothing.

    A field that is empty is not judged.
    """
    found = [said for field in (key_id, secret, token) if (said := _characters(field))]
    found = found or list(_exchanged(key_id, secret, token))
    return "; ".join(found)


def _characters(field: KeyField) -> str:
    text = field.text
    if text[:1] in _QUOTES or text[-1:] in _QUOTES:
        return f"{field.name} has quotes around it" if text else ""
    if text != text.strip():
        end = "begins" if text[0].isspace() else "ends"
        blank = text[0] if end == "begins" else text[-1]
        return f"{field.name} {end} with {_BLANKS.get(blank, 'a blank')}"
    if any(each.isspace() for each in text):
        return f"{field.name} has a blank in it"
    if any(not "!" <= each <= "~" for each in text):
        return f"{field.name} has a character in it that no key has"
    return ""


def _exchanged(key_id: KeyField, secret: KeyField, token: KeyField) -> Iterator[str]:
    """Fields that hold what belongs in another field."""
    as_secret = _is_secret(key_id.text) or "/" in key_id.text or "+" in key_id.text
    as_key_id = _KEY_ID.fullmatch(secret.text) is not None
    if as_secret and as_key_id:
        yield f"{key_id.name} and {secret.name} are in each other's place"
        return
    if len(key_id.text) > _LONGEST_KEY_ID:
        yield f"{key_id.name} is longer than any access key ID: is it the session token?"
    elif as_secret:
        yield f"{key_id.name} is not an access key ID: is it the secret access key?"
    if as_key_id:
        yield f"{secret.name} is an access key ID, not a secret access key"
    elif len(secret.text) >= _TOKEN_FROM:
        yield f"{secret.name} is longer than any secret access key: is it the session token?"
    if _KEY_ID.fullmatch(token.text):
        yield f"{token.name} is an access key ID, not a session token"
    elif _is_secret(token.text):
        yield f"{token.name} is not a session token: is it the secret access key?"


def _is_secret(text: str) -> bool:
    return _SECRET.fullmatch(text) is not None and _KEY_ID.fullmatch(text) is None
