"""A text file that a person names -> its text, and TOML tables from it. Errors: ConfigError."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from ecr_feed.config.errors import ConfigError
from ecr_feed.text.files import FileError, FileKind, Files, FileText

_POSITION: Final = re.compile(r"(?P<what>.*?)\s*\(at (?P<where>[^()]*)\)\s*")
_LEADING_ZERO: Final = re.compile(r"=\s*0[0-9]")
_OPEN_QUOTE: Final = re.compile(r"""Expected "['"]|Unterminated""")
_BARE_COLON: Final = re.compile(r"""(?:^|[{,])\s*[A-Za-z][\w-]*:[\w/:-]+\s*=""")
_BACKSLASH: Final = re.compile(r'=.*"[^"]*\\')


def read(name: str | Path, kind: FileKind, files: Files | None = None) -> tuple[FileText, str]:
    """The file and its text; without `files`, a relative name starts at the current folder.

    Raises ConfigError.
    """
    try:
        file = (files or Files()).read(name, kind)
        return file, file.text()
    except FileError as error:
        raise ConfigError(str(error)) from None


def parse(text: str, source: str) -> dict[str, Any]:
    """TOML as tables; `source` names the file in errors. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: its tables are nested too deep.") from None
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
    if _BARE_COLON.search(line):
        return ' A key with a colon in it needs quotes: "aws:SourceVpce" = "vpce-0123".'
    if _LEADING_ZERO.search(line):
        return " A number cannot begin with 0: put an account ID in quotes."
    if _BACKSLASH.search(line):
        return " In double quotes, write a backslash twice; in single quotes, once."
    if _OPEN_QUOTE.search(what):
        return " A quote is opened and not closed."
    return ""
