"""The one reader of the files that a person names on the command line or in a feeds file.

A file is a regular file. On the command line it may also be piped: `-` is standard input, and
`/dev/stdin`, `/dev/fd/N` and `/proc/self/fd/N` (what a shell's `<(command)` becomes) are open
descriptors. Every other pipe, device, socket or directory is refused before it is opened, so that
no read waits for a writer that never comes. `/dev/null` is an empty file.

A text is UTF-8, or UTF-16 or UTF-32 with a byte order mark (Windows PowerShell's `>` writes UTF-16
with one). The mark belongs to the encoding and is dropped; line ends stay as they are.

Each kind of file has a size limit, from 64 KiB for a token to 512 MiB for a plan (constants below),
and piped input has to come within `Patience`. docs/feeds-file.md states both.

Messages name the file and what was expected of it. They never quote its content.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Final

from ecr_feed.text.safe import clean_line

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB


class FileError(Exception):
    """A file cannot be read as what it should be; the text is one sentence that names it."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file should hold, in words for messages; its size limit in bytes.

    `empty`: a file of no bytes is for its parser to judge. Otherwise the reader refuses it.
    """

    expected: str
    largest: int
    empty: bool = True


FEEDS: Final = FileKind("a feeds file (TOML)", 4 * _MIB)
WAIVERS: Final = FileKind("a waivers file (TOML)", 4 * _MIB)
ACCOUNT: Final = FileKind("an account file (TOML)", 4 * _MIB)
POLICY: Final = FileKind("a policy document (JSON)", _MIB, empty=False)
PLAN: Final = FileKind("the output of `terraform show -json`", 512 * _MIB, empty=False)
BASELINE: Final = FileKind("an earlier results.json", 512 * _MIB, empty=False)
LOGIN: Final = FileKind("a `docker login` line", 256 * _KIB)
TOKEN: Final = FileKind("a web identity token", 64 * _KIB)


def size_of(limit: int) -> str:
    """A limit of so many bytes, in words."""
    return f"{limit // _MIB} MiB" if limit >= _MIB else f"{limit // _KIB} KiB"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long piped input may take, in seconds: `idle` between two pieces, `whole` in all."""

    idle: float = 60.0
    whole: float = 600.0


@dataclass(frozen=True, slots=True)
class FileText:
    """A file as it was read. `source` names it in messages; `path` is None for piped input."""

    source: str
    kind: FileKind
    data: bytes = field(repr=False)
    path: Path | None = None

    @property
    def sha256(self) -> str:
        """Of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def text(self) -> str:
        """The text. Raises FileError where the bytes are not text in one of the encodings."""
        mark, encoding = encoding_of(self.data)
        try:
            text = self.data[mark:].decode(encoding)
        except UnicodeDecodeError as error:
            raise FileError(
                f"{self.source}: not a text in UTF-8 or UTF-16 (byte {mark + error.start + 1} does"
                " not fit): save it as UTF-8."
            ) from None
        if "\0" in text:
            raise FileError(
                f"{self.source}: not a text (it contains NUL characters, as UTF-16 without a byte"
                f" order mark does): expected {self.kind.expected}."
            )
        return text


class Files:
    """Reads the files of one command line; relative names start at `here`.

    A descriptor can be read once. `piped` keeps its bytes by number: a process that has no such
    descriptor (a pytest-xdist worker) gets them as `handed`. `stdin` opens standard input as a
    descriptor of the reader's own. `digests` has the SHA-256 of every file read, by its name as
    given.
    """

    def __init__(
        self,
        here: Path | None = None,
        *,
        stdin: Callable[[], int] = lambda: os.dup(0),
        handed: Mapping[int, bytes] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.here = Path.cwd() if here is None else here
        self.piped: dict[int, bytes] = {}
        self.digests: dict[str, str] = {}
        self._stdin = stdin
        self._handed = handed or {}
        self._patience = patience or Patience()

    def read(self, name: str | Path, kind: FileKind) -> FileText:
        """The file, or FileError."""
        name = str(name)
        source, number = title_of(name), _descriptor_in(name)
        if number is None:
            found = read_file(self.here / name, kind, source)
        else:
            found = FileText(source, kind, self._take(number, source, kind))
        _refuse_empty(found)
        self.digests[name] = found.sha256
        return found

    def _take(self, number: int, source: str, kind: FileKind) -> bytes:
        if number in self.piped:
            raise FileError(f"{source} is named twice: it can be read only once.")
        data = self._handed.get(number)
        if data is None:
            opened = self._stdin if number == 0 else lambda: os.dup(number)
            data = _read_descriptor(opened, source, kind, self._patience)
        self.piped[number] = data
        return data


def title_of(name: str) -> str:
    """A name of the command line as messages and reports show it."""
    return "standard input" if _descriptor_in(name) == 0 else clean_line(name)


def read_file(path: Path, kind: FileKind, source: str | None = None) -> FileText:
    """A regular file, or `/dev/null`; `source` names it in messages. Raises FileError."""
    source = clean_line(str(path)) if source is None else source
    try:
        _refuse_unlike_a_file(os.stat(path), source, kind)
        # No wait for a writer, should the path have become a pipe meanwhile.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            _refuse_unlike_a_file(os.fstat(descriptor), source, kind)
            data = _all_of(descriptor, source, kind)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise FileError(f"{source}: there is no such file.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise _unreadable(source, error) from None
    return FileText(source, kind, data, path)


_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def encoding_of(data: bytes) -> tuple[int, str]:
    """Length of the byte order mark, and the encoding that it stands for; (0, "utf-8") without."""
    found = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    return len(found[0]), found[1]


_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/self)/fd/(?P<number>[0-9]{1,9})")


def _descriptor_in(name: str) -> int | None:
    """The number of the open descriptor that a name stands for; None for a path."""
    if name in ("-", "/dev/stdin"):
        return 0
    match = _DESCRIPTOR.fullmatch(name)
    return int(match["number"]) if match else None


def _read_descriptor(
    opened: Callable[[], int], source: str, kind: FileKind, patience: Patience
) -> bytes:
    try:
        descriptor = opened()
        try:
            return _take_all(descriptor, source, kind, patience)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(source, error) from None


def _take_all(descriptor: int, source: str, kind: FileKind, patience: Patience) -> bytes:
    found = os.fstat(descriptor)
    if os.isatty(descriptor):
        raise FileError(f"{source} is a terminal: pipe {kind.expected} in, or name a file.")
    if stat.S_ISFIFO(found.st_mode) or stat.S_ISSOCK(found.st_mode):
        os.read(descriptor, 0)  # fails at once where it is open for writing only
        return _all_of(descriptor, source, kind, patience)
    _refuse_unlike_a_file(found, source, kind)
    return _all_of(descriptor, source, kind)


def _all_of(
    descriptor: int, source: str, kind: FileKind, patience: Patience | None = None
) -> bytes:
    """Everything up to the end of the file, within the limits; without `patience`, no waiting."""
    ends = monotonic() + (patience.whole if patience else 0)
    data = bytearray()
    while len(data) <= kind.largest:
        if patience and not _ready(descriptor, min(patience.idle, ends - monotonic())):
            raise FileError(
                f"{source} has not ended: expected {kind.expected}, with pauses of at most"
                f" {patience.idle:g} s and complete within {patience.whole:g} s."
            )
        piece = os.read(descriptor, 64 * _KIB)
        if not piece:
            return bytes(data)
        data += piece
    raise _too_large(source, kind)


def _ready(descriptor: int, seconds: float) -> bool:
    """Data, or the end of it, comes within so many seconds."""
    with DefaultSelector() as selector:
        selector.register(descriptor, EVENT_READ)
        return seconds > 0 and bool(selector.select(seconds))


_OTHERS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _refuse_unlike_a_file(found: os.stat_result, source: str, kind: FileKind) -> None:
    """Raises FileError for a directory, pipe, socket or device, and for a file beyond the limit."""
    if not (stat.S_ISREG(found.st_mode) or _is_null(found)):
        what = next((what for is_one, what in _OTHERS if is_one(found.st_mode)), "not a file")
        raise FileError(f"{source} is {what}: expected {kind.expected}.")
    if found.st_size > kind.largest:
        raise _too_large(source, kind)


def _is_null(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev


def _refuse_empty(found: FileText) -> None:
    if not found.kind.empty and not found.data[encoding_of(found.data)[0] :]:
        raise FileError(f"{found.source} is empty: expected {found.kind.expected}.")


def _too_large(source: str, kind: FileKind) -> FileError:
    return FileError(f"{source} is larger than {size_of(kind.largest)}: expected {kind.expected}.")


def _unreadable(source: str, error: OSError | ValueError) -> FileError:
    return FileError(f"{source} cannot be read: {getattr(error, 'strerror', None) or error}.")
