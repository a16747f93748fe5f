"""An authorization token of ECR, decoded and judged. The clock is an argument.

What a token is: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from ecr_feed.facts.aws import AuthorizationToken, Secret
from ecr_feed.naming import RegistryHost, expected_hosts
from ecr_feed.text.times import duration

USER: Final = "AWS"
LIFETIME: Final = timedelta(hours=12)
TOLERANCE: Final = timedelta(minutes=5)
"""How far the validity may be from 12 hours: clock differences and network delay."""
SHORTEST_RUN: Final = timedelta(minutes=10)
"""Credentials must outlive the audit itself by this."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SAFE_WORD = re.compile(r"[A-Z0-9_.]{1,20}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """User and password of a token; `problem` says why they cannot be used, without the secret."""

    user: str = field(repr=False)  # in a malformed token it may be part of the secret
    password: Secret
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`granted` from fetching to expiry, `left` from now to expiry (negative once expired)."""

    left: timedelta
    granted: timedelta
    expired: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class RegistryVerdict:
    """The registry that a token names; `problem` where it is not the expected one."""

    host: RegistryHost
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordHint:
    """What ECR's password contains, in an undocumented format: evidence, never a verdict."""

    expires_at: datetime | None = None
    version: str = ""
    type: str = ""


def decode(token: AuthorizationToken) -> Decoded:
    """Base64 of `AWS:PASSWORD`, split at the first colon; never raises."""
    text = token.token.reveal()
    try:
        plain = _strict_base64(text).decode("utf-8")
    except UnicodeDecodeError:
        return _unusable("its decoded content is not UTF-8 text")
    except ValueError as error:
        return _unusable(str(error))
    user, colon, password = plain.partition(":")
    if not colon:
        return _unusable("there is no colon between user name and password")
    return Decoded(user, Secret(password), _pair_problem(user, password))


def lifetime(token: AuthorizationToken, now: datetime) -> Lifetime:
    """Judge the expiry: in the future, and 12 hours after fetching, 5 minutes more or less."""
    left = token.expires_at - now
    granted = token.expires_at - token.fetched_at
    expired = left <= timedelta(0)
    problem = None
    if expired:
        problem = f"expired {duration(-left)} ago"
    elif abs(granted - LIFETIME) > TOLERANCE:
        problem = f"it is valid for {duration(granted)}"
    return Lifetime(left, granted, expired, problem)


def registry(token: AuthorizationToken, account: str, region: str) -> RegistryVerdict:
    """Compare the registry that the token names with the expected account and region."""
    host = RegistryHost.parse(token.proxy_endpoint)
    if not host.ok:
        return RegistryVerdict(host, f"{host}: {host.problems[0]}")
    wrong = [
        f"{what} is {found}, not {expected}"
        for what, found, expected in (
            ("account", host.account, account),
            ("region", host.region, region),
        )
        if found != expected
    ]
    if not wrong and host.host not in expected_hosts(account, region):
        wrong = [f"{host} is not one of the registry's hosts"]
    return RegistryVerdict(host, "its " + " and its ".join(wrong) if wrong else None)


def password_hint(password: Secret) -> PasswordHint | None:
    """Read the JSON that ECR's passwords are base64 of today, or None. Never raises.

    The format is undocumented; only what cannot be part of the secret is returned.
    """
    text = password.reveal().strip()
    try:
        inner = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(inner, Mapping) or not {"payload", "datakey"} & set(inner):
        return None
    return PasswordHint(
        _moment(inner.get("expiration")), _word(inner.get("version")), _word(inner.get("type"))
    )


def _unusable(problem: str) -> Decoded:
    return Decoded("", Secret(""), problem)


def _strict_base64(text: str) -> bytes:
    """Raises ValueError, whose message quotes nothing of the text, unless it is plain base64."""
    if not text:
        raise ValueError("it is empty")
    if re.search(r"\s", text):
        raise ValueError("its base64 contains blanks or line breaks")
    if _BASE64.fullmatch(text) is None:
        raise ValueError("it is not base64: it contains other characters")
    if len(text) % 4:
        raise ValueError("its base64 is cut off: the length is not a multiple of 4")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("it is not base64") from None


def _pair_problem(user: str, password: str) -> str | None:
    if user != USER:
        shown = repr(user) if user.isascii() and user.isprintable() and len(user) <= 16 else None
        return f"the user name is {shown or f'a text of {len(user)} characters'}, not '{USER}'"
    return None if password else "the password is empty"


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _word(value: object) -> str:
    return value if isinstance(value, str) and _SAFE_WORD.fullmatch(value) else ""
