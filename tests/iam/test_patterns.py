from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam.match import compile_tokens
from ecr_feed.iam.patterns import (
    covers,
    intersect,
    pattern_tokens,
    resource_type_pattern,
    separating_texts,
    values_in_place,
)

ECR = "arn:aws:ecr:eu-west-1:123456789012:repository/"


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("*", ECR + "*", True),
        (ECR + "*", "*", False),
        (ECR + "team/*", ECR + "team/app", True),
        (ECR + "team/*", ECR + "*", False),
        (ECR + "te?m", ECR + "team", True),
        (ECR + "te?m", ECR + "te*m", False),
        ("arn:aws:ecr", ECR + "*", True),
        ("arn:aws:ecr:*:123456789012:repository/*", ECR + "${aws:username}/*", True),
        (ECR + "${aws:username}", ECR + "app", True),
    ],
)
def test_covers(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ECR + "a*", ECR + "*b", True),
        (ECR + "a*", ECR + "b*", False),
        ("arn:*:ecr:*:*:*", ECR + "x", True),
        ("arn:aws:s3:::*", ECR + "*", False),
        ("arn:aws:*:*:*:*", ECR + "*", True),
        (ECR + "a?", ECR + "abc", False),
        ("*", "arn:aws:s3:::b", True),
    ],
)
def test_intersect(one: str, other: str, expected: bool) -> None:
    assert intersect(one, other) is expected
    assert intersect(other, one) is expected


def test_a_resource_type_is_a_pattern() -> None:
    template = "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"
    assert resource_type_pattern(template) == "arn:*:ecr:*:*:repository/*"


PATTERNS = st.text(alphabet="ab:*?", max_size=6).map(lambda text: "arn:a:b:c:d:" + text)


@given(PATTERNS, PATTERNS)
def test_both_agree_with_texts_found_by_following_the_patterns(one: str, other: str) -> None:
    tokens = (pattern_tokens(one), pattern_tokens(other))
    tests = [compile_tokens(each) for each in tokens]
    met = {tuple(bool(test(text)) for test in tests) for text in separating_texts(tokens)}
    assert intersect(one, other) is ((True, True) in met)
    if covers(one, other):
        assert (False, True) not in met
    if one == other:
        assert covers(one, other)


@given(st.lists(PATTERNS, max_size=3, unique=True), st.lists(PATTERNS, max_size=2))
def test_separating_texts_differ_in_what_they_match(patterns: list[str], avoid: list[str]) -> None:
    tokens = list(dict.fromkeys(pattern_tokens(each) for each in patterns))
    texts = list(separating_texts(tokens, avoid))
    met = [tuple(bool(compile_tokens(each)(text)) for each in tokens) for text in texts]
    assert len(set(met)) == len(met)
    assert not set(texts) & set(avoid)


def test_values_in_place() -> None:
    before, after = pattern_tokens("arn:a:b:c:d:x/"), ("/", "y")
    assert list(values_in_place(before, after, "arn:a:b:c:d:x/one/y")) == ["one"]
    assert list(values_in_place(before, after, "arn:a:b:c:d:x/one/z")) == []
