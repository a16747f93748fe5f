"""A saved text of a console or a redirection, split into commands and words.

Understands what is found in such files: POSIX, PowerShell and cmd quoting and line
continuations, prompts, pipes, UTF-16 from PowerShell's `>`. Nothing is expanded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ecr_feed.text.files import encoding_of

_CONTINUED = re.compile(r"[\\`^][ \t]*(?:\r\n|\r|\n)[ \t]*")
_PROMPT = re.compile(
    r"\s*(?:(?:PS\s+)?[A-Za-z]:\\[^<>|]*>|[\w.-]{1,64}@[\w.-]{1,64}[^$#|]{0,200}[$#]\s|[$>%]\s)\s*"
)
_WRAPPED = re.compile(r"(?:eval\s+)?[\"']?(?:\$\((?P<dollar>.*)\)|`(?P<tick>.*)`)[\"']?")
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<single>'[^']*')
    | (?P<double>"(?:[^"\\]|\\["\\$`]|\\(?!["\\$`]))*")
    | (?P<curly>[“”‘’„«»])
    | (?P<inner>\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`)
    | (?P<placeholder><[A-Za-z][\w -]*>)
    | (?P<redirect>[<>]+(?:&[0-9])?\s*)
    | (?P<end>[|;&]+)
    | (?P<escaped>\\["'\\$`\ ])
    | (?P<open>["'])
    | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class Command:
    """One command's words. `slips` names what a shell reads differently than was meant."""

    words: list[str] = field(default_factory=list)
    slips: list[str] = field(default_factory=list)


def decode(data: bytes) -> tuple[str, str | None]:
    """The text, and what is wrong with its encoding. UTF-8, or UTF-16 with or without its mark."""
    mark, encoding = encoding_of(data)
    if not mark and data[1:2] == b"\0":
        encoding = "utf-16-le"
    elif not mark and data[:1] == b"\0":
        encoding = "utf-16-be"
    try:
        return data[mark:].decode(encoding), None
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), "it is not a text in UTF-8 or UTF-16"


def lines(text: str) -> list[str]:
    """Lines without prompts and blanks at the ends, continued lines joined, empty ones left out."""
    joined = _CONTINUED.sub(" ", text.lstrip("\ufeff"))
    found = (_unwrap(_without_prompt(line).strip()) for line in joined.splitlines())
    return [line for line in found if line]


def commands(line: str) -> list[Command]:
    """The commands of one line, split at pipes, `;` and `&&`; redirections fall away."""
    reader = _Reader()
    for match in _TOKEN.finditer(line):
        reader.take(str(match.lastgroup), match[0])
    return reader.end()


class _Reader:
    """Builds commands from tokens. `word` is None between words."""

    def __init__(self) -> None:
        self.done: list[Command] = []
        self.command = Command()
        self.word: str | None = None
        self.target = False  # the next word is where a redirection goes

    def take(self, kind: str, text: str) -> None:
        """One more token of the line."""
        if kind in ("space", "redirect", "end"):
            self._divide(kind)
        elif kind in ("curly", "open"):
            self._slip(kind)
            self.word = self.word or ""
        else:
            self.word = (self.word or "") + _value(kind, text)

    def end(self) -> list[Command]:
        """All commands, the empty ones left out."""
        self._divide("end")
        return [command for command in self.done if command.words]

    def _divide(self, kind: str) -> None:
        if kind == "redirect" and self.word is not None and self.word.isdigit():
            self.word = None  # the 2 of `2>&1`
        if self.word is not None:
            if not self.target:
                self.command.words.append(self.word)
            self.word, self.target = None, False
        self.target = self.target or kind == "redirect"
        if kind == "end":
            self.done.append(self.command)
            self.command, self.target = Command(), False

    def _slip(self, kind: str) -> None:
        typographic = "typographic quotes, which a shell reads as letters"
        slip = typographic if kind == "curly" else "a quote that is never closed"
        if slip not in self.command.slips:
            self.command.slips.append(slip)


def _value(kind: str, text: str) -> str:
    if kind == "single":
        return text[1:-1]
    if kind == "double":
        return re.sub(r"\\([\"\\$`])", r"\1", text[1:-1])
    return text[1:] if kind == "escaped" else text


def _without_prompt(line: str) -> str:
    match = _PROMPT.match(line)
    return line[match.end() :] if match else line


def _unwrap(line: str) -> str:
    """`$(...)`, backticks and `eval` around a whole line."""
    match = _WRAPPED.fullmatch(line)
    return (match["dollar"] or match["tick"] or "").strip() if match else line
