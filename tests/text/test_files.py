"""The one reader of files: encodings, kinds of path, limits, and an end to every wait."""

from __future__ import annotations

import hashlib
import os
import pty
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_feed.text.files import (
    BASELINE,
    FEEDS,
    LOGIN,
    PLAN,
    POLICY,
    TOKEN,
    WAIVERS,
    FileError,
    FileKind,
    Files,
    FileText,
    Patience,
    read_file,
    size_of,
)

KIND = FileKind("a poem", 1024)
STRICT = FileKind("a poem", 1024, empty=False)
MARKED = {
    "utf-8": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\x00\x00",
    "utf-32-be": b"\x00\x00\xfe\xff",
}
VERSES = ["", "Ü", "a\nb\n", "a\r\nb\r\n", "a\rb", "café ☕\n日本"]


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def piped(closing: ExitStack, data: bytes, *, ends: bool = True) -> int:
    """A pipe's reading end, with the data in it; its writing end is closed where it `ends`."""
    reading, writing = os.pipe()
    closing.callback(os.close, reading)
    os.write(writing, data)
    if ends:
        os.close(writing)
    else:
        closing.callback(os.close, writing)
    return reading


def told(files: Files, name: str | Path, kind: FileKind = KIND) -> str:
    """The text of the error that this read ends in."""
    with pytest.raises(FileError) as caught:
        files.read(name, kind)
    return str(caught.value)


@pytest.mark.parametrize("text", VERSES)
@pytest.mark.parametrize("encoding", [*MARKED, "no mark"])
@pytest.mark.parametrize("way", ["file", "standard input", "descriptor"])
def test_a_text_in_each_encoding(
    tmp_path: Path, closing: ExitStack, way: str, encoding: str, text: str
) -> None:
    plain = encoding == "no mark"
    data = text.encode() if plain else MARKED[encoding] + text.encode(encoding)
    (tmp_path / "poem").write_bytes(data)
    pipe = piped(closing, data)
    name = {"file": "poem", "standard input": "-", "descriptor": f"/dev/fd/{pipe}"}[way]
    files = Files(tmp_path, stdin=lambda: os.dup(pipe))

    read = files.read(name, KIND)

    assert (read.text(), read.data) == (text, data)
    assert read.path == (tmp_path / "poem" if way == "file" else None)
    assert files.digests == {name: hashlib.sha256(data).hexdigest()}


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")),
    st.sampled_from(list(MARKED)),
    st.booleans(),
)
def test_what_is_written_is_read(text: str, encoding: str, marked: bool) -> None:
    mark = MARKED[encoding] if marked or encoding != "utf-8" else b""

    assert FileText("poem", KIND, mark + text.encode(encoding)).text() == text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"abc\xf6d", "byte 4 does not fit"),
        (b"\xef\xbb\xbfabc\xf6d", "byte 7 does not fit"),
        (b"\xff\xfea", "byte 3 does not fit"),
        (b"\xff\xfe\x00\xd8", "byte 3 does not fit"),
        (b"a\0b\0", "UTF-16 without a byte order mark"),
    ],
)
def test_bytes_that_are_not_a_text_are_not_quoted(data: bytes, words: str) -> None:
    with pytest.raises(FileError) as caught:
        FileText("poem", KIND, data).text()

    assert str(caught.value).startswith("poem: not a text")
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "missing: there is no such file."),
        ("folder", "folder is a directory: expected a poem."),
        ("fifo", "fifo is a named pipe: expected a poem."),
        ("link to fifo", "link to fifo is a named pipe: expected a poem."),
        ("socket", "socket is a socket: expected a poem."),
        ("/dev/zero", "/dev/zero is a device: expected a poem."),
        ("/dev/null", "/dev/null is empty: expected a poem."),
        ("empty", "empty is empty: expected a poem."),
        ("only a mark", "only a mark is empty: expected a poem."),
        ("too long", "too long is larger than 1 KiB: expected a poem."),
        ("too long/poem", "too long/poem cannot be read: Not a directory."),
        ("loop", "loop cannot be read: Too many levels of symbolic links."),
        ("nul\0", "nul\\x00 cannot be read: embedded null byte."),
        ("new\nline", "new\\nline: there is no such file."),
        ("x" * 300, f"{'x' * 300} cannot be read: File name too long."),
        ("/dev/fd/999999", "/dev/fd/999999 cannot be read: Bad file descriptor."),
        ("/proc/self/fd/999999", "/proc/self/fd/999999 cannot be read: Bad file descriptor."),
    ],
)
def test_a_path_that_is_not_a_file(
    tmp_path: Path, closing: ExitStack, name: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "only a mark").write_bytes(b"\xef\xbb\xbf")
    (tmp_path / "too long").write_bytes(b"x" * 1025)
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link to fifo").symlink_to("fifo")
    listening = closing.enter_context(socket.socket(socket.AF_UNIX))
    with pytest.MonkeyPatch.context() as patch:  # a socket's path has at most 108 bytes
        patch.chdir(tmp_path)
        listening.bind("socket")

    assert told(Files(tmp_path), name, STRICT) == words


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "poem").touch(mode=0)

    assert told(Files(tmp_path), "poem") == "poem cannot be read: Permission denied."


def test_an_empty_file_is_for_its_parser_unless_the_kind_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "poem").touch()

    assert [Files(tmp_path).read(name, KIND).text() for name in ("poem", os.devnull)] == ["", ""]


@pytest.mark.parametrize(
    ("limit", "size", "words"),
    [
        (1024, 1024, ""),
        (1024, 1025, "larger than 1 KiB"),
        (64 * 1024, 64 * 1024, ""),
        (64 * 1024, 64 * 1024 + 1, "larger than 64 KiB"),
        (FEEDS.largest, FEEDS.largest, ""),
        (FEEDS.largest, FEEDS.largest + 1, "larger than 4 MiB"),
    ],
)
@pytest.mark.parametrize("way", ["file", "standard input"])
def test_the_size_limit(
    tmp_path: Path, closing: ExitStack, way: str, limit: int, size: int, words: str
) -> None:
    path = tmp_path / "poem"
    path.write_bytes(b"x" * size)
    kind = FileKind("a poem", limit)
    file = closing.enter_context(path.open("rb"))
    files = Files(tmp_path, stdin=lambda: os.dup(file.fileno()))
    name = "poem" if way == "file" else "-"

    if words:
        assert words in told(files, name, kind)
    else:
        assert len(files.read(name, kind).data) == size


def test_a_pipe_beyond_the_limit_is_not_read_to_its_end(closing: ExitStack) -> None:
    pipe = piped(closing, b"x" * 2000, ends=False)

    assert "larger than" in told(Files(stdin=lambda: os.dup(pipe)), "-")


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_standard_input_has_one_name_in_messages(closing: ExitStack, name: str) -> None:
    pipe = piped(closing, b"")

    words = told(Files(stdin=lambda: os.dup(pipe)), name, STRICT)

    assert words == "standard input is empty: expected a poem."


@pytest.mark.parametrize(
    ("patience", "words"),
    [
        (Patience(idle=0.01), "pauses of at most 0.01 s"),
        (Patience(whole=0), "complete within 0 s"),
    ],
)
@pytest.mark.parametrize("sent", [b"", b"half a p"])
def test_a_pipe_that_does_not_end(
    closing: ExitStack, sent: bytes, patience: Patience, words: str
) -> None:
    pipe = piped(closing, sent, ends=False)

    said = told(Files(stdin=lambda: os.dup(pipe), patience=patience), "-")

    assert said.startswith("standard input has not ended: expected a poem")
    assert words in said


def test_a_socket_as_standard_input(closing: ExitStack) -> None:
    ours, theirs = socket.socketpair()
    closing.enter_context(ours)
    with theirs:
        theirs.sendall(b"a poem")

    assert Files(stdin=lambda: os.dup(ours.fileno())).read("-", KIND).text() == "a poem"


@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="Linux only")
def test_descriptors_that_are_not_input(tmp_path: Path, closing: ExitStack) -> None:
    terminal, other = pty.openpty()
    reading, writing = os.pipe()
    folder = os.open(tmp_path, os.O_RDONLY)
    zero = os.open("/dev/zero", os.O_RDONLY)
    events = os.eventfd(0)
    for descriptor in (terminal, other, reading, writing, folder, zero, events):
        closing.callback(os.close, descriptor)

    def said(descriptor: int) -> str:
        return told(Files(stdin=lambda: os.dup(descriptor)), "-")

    assert said(other) == "standard input is a terminal: pipe a poem in, or name a file."
    assert said(writing) == "standard input cannot be read: Bad file descriptor."
    assert said(folder) == "standard input is a directory: expected a poem."
    assert said(zero) == "standard input is a device: expected a poem."
    assert said(events) == "standard input is not a file: expected a poem."


@pytest.mark.parametrize("again", ["-", "/dev/stdin"])
def test_piped_input_is_read_once(closing: ExitStack, again: str) -> None:
    pipe = piped(closing, b"a poem")
    files = Files(stdin=lambda: os.dup(pipe))
    files.read("-", KIND)

    assert told(files, again) == "standard input is named twice: it can be read only once."


def test_another_process_reads_what_it_is_handed(closing: ExitStack) -> None:
    pipe = piped(closing, b"a poem")
    first = Files()
    first.read(f"/dev/fd/{pipe}", KIND)

    def no_stdin() -> int:
        raise AssertionError("everything was handed over")

    second = Files(stdin=no_stdin, handed=first.piped)

    assert second.read(f"/dev/fd/{pipe}", KIND).text() == "a poem"
    assert second.digests == first.digests


def test_a_file_that_grows_into_a_pipe_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "poem"
    path.touch()
    look = os.stat

    def swapped(name: Any, **more: Any) -> os.stat_result:
        found = look(name, **more)
        if name == path:
            path.unlink()
            os.mkfifo(path)
        return found

    monkeypatch.setattr(os, "stat", swapped)

    with pytest.raises(FileError, match="is a named pipe"):
        read_file(path, KIND)


@pytest.mark.parametrize("kind", [FEEDS, WAIVERS, POLICY, PLAN, BASELINE, LOGIN, TOKEN])
def test_the_limits_are_documented(kind: FileKind) -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "feeds-file.md"
    rows = [line.split(" | ") for line in path.read_text("utf-8").splitlines()]

    (limit,) = [row[2] for row in rows if row[0] == f"| {kind.expected}"]
    assert limit == f"{size_of(kind.largest)} |"


def test_the_waits_are_documented() -> None:
    assert Patience() == Patience(idle=60, whole=10 * 60)


def test_content_is_not_in_a_repr() -> None:
    assert "hunter2" not in repr(FileText("login.txt", KIND, b"hunter2"))
