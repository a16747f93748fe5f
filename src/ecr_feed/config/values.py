"""The kinds of value in a feeds file: what each must be, and the text of its error.

A validator here raises `wrong(...)`, whose text ends the sentence "found ..., expected ...".
"""

from __future__ import annotations

import math
import re
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from ecr_feed.config.wording import quote
from ecr_feed.naming import is_account_id

LONGEST_HOURS: Final = 8760  # a year: more is a mistake in the unit, and overflows durations
SHORTEST_SESSION: Final = 900  # seconds, AssumeRoleWithWebIdentity's own limits
LONGEST_SESSION: Final = 43200

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ROLE_ARN = re.compile(
    r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/(?:[\x21-\x7e]+/)?[\w+=,.@-]{1,64}", re.ASCII
)
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?")


def wrong(expected: str, found: str | None = None) -> PydanticCustomError:
    """The error of a value: what was expected; `found` is shown instead of the value."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected, "found": found})


def has_control(text: str) -> bool:
    """The text has control characters, line separators or marks that change its direction."""
    return any(
        unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} or letter in _BIDI
        for letter in text
    )


def _text(text: str) -> str:
    if not text.strip():
        raise wrong("a text that is not empty")
    if text != text.strip():
        raise wrong("a text without blanks at its ends")
    if has_control(text):
        raise wrong("a text on one line, without control characters")
    return text


def not_blank(text: str) -> str:
    """A package ID: any text. A check judges whether it is a legal name."""
    if not text.strip():
        raise wrong("a package ID that is not empty")
    return text


def _account(text: str) -> str:
    if is_account_id(text):
        return text
    if re.fullmatch(r"[0-9]+", text):
        raise wrong("an account ID of 12 digits", f"{quote(text)} ({len(text)} digits)")
    raise wrong("an account ID of exactly 12 digits")


def _hours(hours: float) -> float:
    if not math.isfinite(hours) or not 0 < hours <= LONGEST_HOURS:
        raise wrong(f"hours above 0, at most {LONGEST_HOURS}")
    return hours


def _session(seconds: int) -> int:
    if not SHORTEST_SESSION <= seconds <= LONGEST_SESSION:
        raise wrong(f"seconds from {SHORTEST_SESSION} to {LONGEST_SESSION}")
    return seconds


def _variable(text: str) -> str:
    """The value is never shown: people paste the secret itself where its variable's name goes."""
    if _VARIABLE.fullmatch(text) is None:
        raise wrong(
            "the name of an environment variable (letters, digits, _; no digit first)",
            "something else, which may be a secret and is not shown",
        )
    return text


def _role(text: str) -> str:
    if _ROLE_ARN.fullmatch(text) is None:
        raise wrong('the ARN of an IAM role, such as "arn:aws:iam::123456789012:role/octopus"')
    return text


def _platform(text: str) -> str:
    if _PLATFORM.fullmatch(text) is None:
        raise wrong('a platform, such as "linux/amd64" or "linux/arm64/v8"')
    return text


def _url(text: str) -> str:
    """An http(s) URL with a host; no user name, query or fragment."""
    expected = 'an http or https URL, such as "https://localhost:5000"'
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # reading the port judges it
    except ValueError:
        raise wrong(expected) from None
    if "@" in parts.netloc:
        raise wrong(f"{expected}, without a user name", "a URL with a user name in it")
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", text):
        raise wrong(expected)
    if parts.query or parts.fragment:
        raise wrong(f"{expected}, without ? or #")
    return text


def _registry_url(text: str) -> str:
    """A registry's address as set in Octopus; a check judges which registry it is."""
    if "@" in text:
        raise wrong("a registry's address without a user name", "one with a user name in it")
    return text


def _path(value: object, info: ValidationInfo) -> object:
    """Relative paths start at the feeds file's own directory, `~` is the home directory."""
    if not isinstance(value, str):
        return value
    text = _text(value)
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise wrong("a path whose ~ is a known home directory") from None
    base = (info.context or {}).get("base")
    return path if base is None else Path(base) / path


def _schema(kind: str, **rules: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **rules})


_NOT_BLANK = r"\S"

Text = Annotated[str, AfterValidator(_text), _schema("string", pattern=_NOT_BLANK)]
PackageId = Annotated[str, AfterValidator(not_blank), _schema("string", pattern=_NOT_BLANK)]
AccountId = Annotated[str, AfterValidator(_account), _schema("string", pattern="^[0-9]{12}$")]
Hours = Annotated[
    float,
    AfterValidator(_hours),
    _schema("number", exclusiveMinimum=0, maximum=LONGEST_HOURS),
]
SessionSeconds = Annotated[
    int,
    AfterValidator(_session),
    _schema("integer", minimum=SHORTEST_SESSION, maximum=LONGEST_SESSION),
]
VariableName = Annotated[
    str, AfterValidator(_variable), _schema("string", pattern="^[A-Za-z_][A-Za-z0-9_]*$")
]
RoleArn = Annotated[
    Text,
    AfterValidator(_role),
    _schema("string", pattern="^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/"),
]
Platform = Annotated[
    str, AfterValidator(_platform), _schema("string", pattern=f"^{_PLATFORM.pattern}$")
]
Url = Annotated[Text, AfterValidator(_url), _schema("string", pattern="^https?://[^@?#]+$")]
RegistryUrl = Annotated[
    Text, AfterValidator(_registry_url), _schema("string", pattern=r"^[^@]*\S[^@]*$")
]
FilePath = Annotated[Path, BeforeValidator(_path), _schema("string", pattern=_NOT_BLANK)]
