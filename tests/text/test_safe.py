"""Other people's text, made harmless to look at."""

from __future__ import annotations

import re
import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.text.safe import BLOCK_LIMIT, LINE_LIMIT, clean, clean_line, cut, inert
from tests.report.helpers import HOSTILE

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("team/app", "team/app"),
        ("café ☕ 日本", "café ☕ 日本"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ud800b", "a\\ud800b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
    ],
)
def test_harmful_characters_are_spelled_out(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(ANYTHING)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    line = clean_line(text)
    assert not {unicodedata.category(letter) for letter in line} & {"Cc", "Cs", "Zl", "Zp"}
    line.encode("utf-8")
    assert clean_line(line) == line


@pytest.mark.parametrize("limit", [100, LINE_LIMIT, BLOCK_LIMIT])
@pytest.mark.parametrize("letter", ["x", "\x00", "\U000e0041"])
def test_a_long_text_is_cut_with_a_note(limit: int, letter: str) -> None:
    shown = clean(letter * 1_048_576, limit)
    assert len(shown) == limit
    assert shown.endswith("characters in all]")
    assert clean(shown, limit) == shown


def test_a_text_at_the_limit_is_whole() -> None:
    assert cut("x" * 100, 100) == "x" * 100
    assert "cut: 101 characters" in cut("x" * 101, 100)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_order_to_a_build_server_survives(text: str) -> None:
    line = inert(clean_line(text))
    assert "##octopus" not in line
    assert "##vso" not in line
    assert not line.lstrip().startswith("::")
    block = inert(clean(text))
    assert not any(part.lstrip().startswith("::") for part in block.splitlines())


@pytest.mark.parametrize("word", ["said", "x" * 90, "half-"])
@pytest.mark.parametrize("order", ["::error::x", "::error file=a,line=1::x", "::stop-commands::x"])
def test_an_order_does_not_come_about_where_a_text_is_wrapped(word: str, order: str) -> None:
    for text in (f"{word}{order}", f"{word} {order}", f"{word}\t{order}"):
        shown = inert(text)
        for width in range(10, 120):
            lines = textwrap.wrap(shown, width, drop_whitespace=True)
            assert not [line for line in lines if re.match(r"\s*::[\w-]+.*::", line)]


def test_a_node_id_stays_readable() -> None:
    for text in ("checks/test_a.py::test_b[c]", "arn:aws:iam::123456789012:role/a:::b"):
        assert inert(text) == text
