r"""Text from an account, a service or a person, made harmless to display.

Repository names, tags, policies and error messages are written by others. Characters that would
control a terminal or a log processor, or mislead a reader, are written visibly instead: `\x1b` for
an escape, `\u202e` for a right-to-left override.
"""

from __future__ import annotations

import re
from typing import Final

LINE_LIMIT: Final = 4_096
BLOCK_LIMIT: Final = 16_384

# Control characters (but tab and newline), the C1 block, invisible and bidirectional marks, line
# and paragraph separators, lone surrogates, and the two code points that XML cannot hold.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_BREAKS: Final = {"\n": "\\n", "\t": "\\t"}
# Build servers take these for commands anywhere in a line: ##octopus[, ##vso[, ##teamcity[,
# ##[error]. GitHub reads `::error::` only at the start of a line, but printed text may be wrapped,
# even inside a long word, so that a whole command is broken up wherever it stands.
_HASHES: Final = re.compile(r"##(?=[A-Za-z\[])")
_COLONS: Final = re.compile(
    r"(?:(?<=\s)|^):(?=:)|:(?=:[A-Za-z][\w-]*(?:\s[^\n]*?)?::)", re.MULTILINE
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str, limit: int = BLOCK_LIMIT) -> str:
    """The text with its harmful characters spelled out; newlines and tabs stay.

    At most `limit` characters, including the note that says how long the text was.
    """
    text = text.replace("\r\n", "\n")
    # Each character is shown as one or more, so what is cut here could not have been shown.
    shown = _HARMFUL.sub(_visible, text[: limit + 1])
    return cut(shown, limit, of=max(len(text), len(shown)))


def clean_line(text: str, limit: int = LINE_LIMIT) -> str:
    """`clean`, on one line."""
    text = clean(text, limit)
    if "\n" in text or "\t" in text:
        for raw, shown in _BREAKS.items():
            text = text.replace(raw, shown)
    return text


def cut(text: str, limit: int, of: int | None = None) -> str:
    """At most `limit` characters of the text, with a note where it was longer."""
    whole = len(text) if of is None else of
    if whole <= limit:
        return text
    note = f" [cut: {whole:,} characters in all]"
    return text[: limit - len(note)] + note


def inert(text: str) -> str:
    """Text for a stream that a build server reads, without anything that it takes for a command."""
    return _COLONS.sub(": ", _HASHES.sub("# #", text))
