"""A service's own words, made fit to be shown: one line, bounded, without keys or signed text."""

from __future__ import annotations

import re
from typing import Final

LIMIT: Final = 700
# What SignatureDoesNotMatch appends: our own signed request, word for word.
_ECHO = re.compile(r"\s*The (?:Canonical String|String-to-Sign)\b.*", re.DOTALL | re.IGNORECASE)
# What botocore appends to an answer it cannot parse: the answer's whole body.
_BODY = re.compile(r",?\s*(?:invalid XML received|invalid JSON received)\b.*", re.DOTALL)
_KEY_ID = re.compile(r"\b((?:AKIA|ASIA))[A-Z0-9]{8,}([A-Z0-9]{4})\b")
_HASH = re.compile(r"(?<![A-Za-z0-9+/=:])[A-Za-z0-9+/=_-]{64,}(?![A-Za-z0-9+/=_-])")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}")
_SECRET_FIELD = re.compile(
    r"(?i)\b(password|secret[a-z_ ]*key|session[_ ]?token|security-token|signature)"
    r"([\"']?\s*[=:]\s*)"
    r"[\"']?[^\s\"',&]+"
)
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@")


def words(text: object) -> str:
    """`text` in one printable line of at most `LIMIT` characters; "" for what is no text."""
    if not isinstance(text, str):
        return ""
    shown = _BODY.sub("", _ECHO.sub("", text))
    shown = _URL_USER.sub(r"\1***@", shown)
    shown = _JWT.sub("***", shown)
    shown = _SECRET_FIELD.sub(r"\1\2***", shown)
    shown = _KEY_ID.sub(r"\1***\2", shown)
    shown = _HASH.sub("***", shown)
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= LIMIT else shown[: LIMIT - 1] + "…"
