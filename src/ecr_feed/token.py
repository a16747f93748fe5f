"""An authorization token of ECR: decoded, and judged by the TOKEN rules. The clock is an argument.

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
from ecr_feed.outcomes import Judgement
from ecr_feed.text.times import duration, to_second

USER: Final = "AWS"
LIFETIME: Final = timedelta(hours=12)
TOLERANCE: Final = timedelta(minutes=5)
"""How far the validity may be from 12 hours: clock differences and network delay."""
SHORTEST_RUN: Final = timedelta(minutes=10)
"""How long temporary credentials must still be valid when they are judged."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SAFE_WORD = re.compile(r"[A-Z0-9_.]{1,20}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """User and password of a token; `problem` says why they cannot be used, without the secret."""

    user: str = field(repr=False)  # in a malformed token it may be part of the secret
    password: Secret
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordHint:
    """What ECR's password contains, in an undocumented format: evidence only, never judged."""

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


def judge_content(token: AuthorizationToken) -> Judgement:
    """The token decodes to the user name AWS and a password."""
    problem = decode(token).problem
    return Judgement.of(
        problem is None,
        f"The authorization token cannot be used: {problem}.",
        expected="base64 of AWS:PASSWORD",
        found=problem or "base64 of AWS:PASSWORD",
    )


def was_expired(token: AuthorizationToken) -> bool:
    """The token had expired when it was fetched."""
    return token.expires_at <= token.fetched_at


def judge_lifetime(token: AuthorizationToken) -> Judgement:
    """The token expires 12 hours after it was fetched, 5 minutes more or less."""
    granted = token.expires_at - token.fetched_at
    problem = f"it is valid for {duration(granted)}"
    if was_expired(token):
        problem = f"expired {duration(-granted)} ago"
    return Judgement.of(
        abs(granted - LIFETIME) <= TOLERANCE,
        f"The authorization token is not valid for 12 hours: {problem}.",
        expected=f"valid for {duration(LIFETIME)}, {duration(TOLERANCE)} more or less",
        found=f"valid for {duration(max(granted, timedelta()))}: fetched "
        f"{to_second(token.fetched_at)}, expires {to_second(token.expires_at)}",
    )


def judge_registry(
    token: AuthorizationToken, account: str, region: str, *, stated: bool = True
) -> Judgement:
    """The registry that the token names is the account's in the region.

    `stated` is False where the account is STS's answer, not a person's: where that and the token
    contradict each other, neither answer is taken for the truth.
    """
    host = RegistryHost.parse(token.proxy_endpoint)
    if not stated and host.ok and host.account != account:
        return Judgement.not_assessed(
            f"Two answers contradict each other: STS says that the credentials are of account "
            f"{account}, the token is for the registry of {host.account}.",
            evidence={"proxy_endpoint": token.proxy_endpoint, "account": account},
        )
    problem = _registry_problem(host, account, region)
    return Judgement.of(
        problem is None,
        f"The token is for another registry: {problem}.",
        expected=expected_hosts(account, region)[0],
        found=token.proxy_endpoint,
    )


def judge_time_left(token: AuthorizationToken, hours: float, now: datetime) -> Judgement:
    """The token is valid for at least `hours` from now."""
    left = token.expires_at - now
    return Judgement.of(
        left >= timedelta(hours=hours),
        f"The token has {duration(left)} left.",
        expected=f"at least {hours:g} h left",
        found=f"{duration(max(left, timedelta()))} left, until {to_second(token.expires_at)}",
        evidence={"left_hours": round(left.total_seconds() / 3600, 2)},
    )


def judge_longest_deployment(token: AuthorizationToken, hours: float) -> Judgement:
    """A deployment of `hours` that starts with a new token ends before the token expires."""
    longest = timedelta(hours=hours)
    granted = token.expires_at - token.fetched_at
    return Judgement.of(
        longest <= granted,
        f"A deployment of {duration(longest)} takes longer than a token is valid "
        f"({duration(granted)}).",
        expected=f"at most {duration(granted)}",
        found=duration(longest),
    )


def _registry_problem(host: RegistryHost, account: str, region: str) -> str | None:
    """Why the host is not the account's registry in the region; None where it is."""
    if not host.ok:
        return f"{host}: {host.problems[0]}"
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
    return "its " + " and its ".join(wrong) if wrong else None


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
