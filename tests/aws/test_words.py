from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.aws.transport.response import LIMIT, sanitize


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key AKIAABCDEFGHIJKLMNOP is gone", "key AKIA***MNOP is gone"),
        ("http://me:pass@proxy:8080 said no", "http://***@proxy:8080 said no"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.abc refused", "token *** refused"),
        ("a" * 80, "***"),
        ("password=hunter2, x", "password=***, x"),
        ("two\n lines\x1b[31m", "two lines [31m"),
        (
            "on resource: arn:aws:ecr:eu-west-1:123456789012:repository/" + "team/app" * 12,
            "on resource: arn:aws:ecr:eu-west-1:123456789012:repository/" + "team/app" * 12,
        ),
        (None, ""),
        (7, ""),
    ],
)
def test_words(text: object, shown: str) -> None:
    assert sanitize(text) == shown


@given(st.text())
def test_one_bounded_printable_line(text: str) -> None:
    shown = sanitize(text)
    assert shown.isprintable()
    assert len(shown) <= LIMIT
    assert sanitize(shown) == shown
