"""The bytes of a feeds file -> TOML tables."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from ecr_feed.config.errors import ConfigError
from ecr_feed.config.words import one_line

LARGEST: Final = 4 * 1024 * 1024  # bytes
_POSITION = re.compile(r"(?P<what>.*?)\s*\(at (?P<where>[^()]*)\)\s*")
_LEADING_ZERO = re.compile(r"=\s*0[0-9]")
_OPEN_QUOTE = re.compile(r"""Expected "['"]|Unterminated""")
_BACKSLASH = re.compile(r'=.*"[^"]*\\')


def read(
    path: Path,
    *,
    expected: str = "a feeds file (TOML)",
    largest: int = LARGEST,
    too_large: str = f"is larger than {LARGEST // 1024 // 1024} MiB: not a feeds file",
) -> bytes:
    """The bytes of a file that a person named, at most `largest`. Raises ConfigError.

    `expected` and `too_large` are the words for a directory and for a file beyond the limit.
    """
    name = one_line(path)
    try:
        if path.is_dir():
            raise ConfigError(f"{name} is a directory: expected {expected}.")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name}: there is no such file.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{name} cannot be read: {reason}.") from None
    if len(data) > largest:
        raise ConfigError(f"{name} {too_large}.")
    return data


def parse(data: bytes, source: str) -> dict[str, Any]:
    """TOML in UTF-8, with or without a byte order mark, as tables. Raises ConfigError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        kind = "it is UTF-16" if utf16 else f"byte {error.start + 1} does not fit"
        raise ConfigError(f"{source}: not a text in UTF-8 ({kind}): save it as UTF-8.") from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: not a feeds file: its tables are nested too deep.") from None
    except ValueError as error:
        raise ConfigError(_toml_error(str(error), text, source)) from None


def _toml_error(message: str, text: str, source: str) -> str:
    """The TOML parser's message and the position; never the line itself: it may hold a secret."""
    match = _POSITION.fullmatch(message)
    what, where = (match["what"], match["where"]) if match else (message.splitlines()[0], "")
    lines = text.rstrip("\n").split("\n")
    if where == "end of document":
        where = f"line {len(lines)}, the end of it"
    number = re.match(r"line ([0-9]+)", where)
    line = lines[int(number[1]) - 1] if number and int(number[1]) <= len(lines) else ""
    at = f" at {where}" if where else ""
    return f"{source}: not valid TOML{at}: {what}.{_hint(what, line)}"


def _hint(what: str, line: str) -> str:
    if _LEADING_ZERO.search(line):
        return " A number cannot begin with 0: put an account ID in quotes."
    if _BACKSLASH.search(line):
        return " In double quotes, write a backslash twice; in single quotes, once."
    if _OPEN_QUOTE.search(what):
        return " A quote is opened and not closed."
    return ""
