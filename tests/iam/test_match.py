from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam.match import (
    Tokens,
    Wild,
    action_set,
    arn_like_test,
    arn_tokens,
    compile_tokens,
    like_test,
    resource_set,
    resource_tokens,
    run_states,
    text_tokens,
)


def matches_resource(pattern: str, text: str) -> bool:
    return bool(compile_tokens(resource_tokens([(pattern, True)]))(text))


ECR = "arn:aws:ecr:eu-west-1:123456789012:repository/"
LOG = "arn:aws:logs:eu-west-1:123456789012:log-group:app:log-stream:one"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "*", True),
        ("*", ECR + "team/app", True),
        (ECR + "team/app", ECR + "team/app", True),
        (ECR + "team/app", ECR + "Team/app", False),
        (ECR + "team/*", ECR + "team/a/b/c", True),
        (ECR + "team/*", ECR + "team/", True),
        (ECR + "team/*", ECR + "team", False),
        (ECR + "*/app", ECR + "team/sub/app", True),
        (ECR + "team/ap?", ECR + "team/app", True),
        (ECR + "team/ap?", ECR + "team/ap", False),
        (ECR + "team/ap?", ECR + "team/apps", False),
        (ECR + "a.b", ECR + "axb", False),
        (ECR + "a+", ECR + "aa", False),
        (ECR + "[ab]", ECR + "a", False),
        (ECR + "*", ECR + "*", True),
        (ECR + "team/*", ECR + "*", False),
        # A star at the end of a part crosses colons, one within stays in its part.
        ("arn:aws:logs:*", LOG, True),
        ("arn:aws:logs:*:log-stream:one", LOG, True),
        ("arn:aws:logs:eu-west-1:123456789012:log-group:a*:log-stream:one", LOG, True),
        ("arn:aws:logs:eu-west-1:123456789012:log-group:a*e", LOG, False),
        ("arn:aws:logs:e*1:123456789012:log-group:app:log-stream:one", LOG, True),
        ("arn:aws:logs:e*2:log-group:app:log-stream:one", LOG, False),
        ("arn:aws:logs:eu-west-1?123456789012:log-group:app:log-stream:one", LOG, False),
        ("arn:aws:*", LOG, True),
        # Missing parts are `*`.
        ("arn:aws:ecr", ECR + "team/app", True),
        ("arn:aws:ecr:eu-west-1", ECR + "team/app", True),
        ("arn:aws:ecr:eu-west-2", ECR + "team/app", False),
        ("arn:aws:ec", ECR + "team/app", False),
        ("arn:aws:ecr:eu-west-1:123456789012", ECR + "team/app", True),
        # An action without resources is asked for on `*`, which is text, not an ARN.
        (ECR + "*", "*", False),
        ("arn:aws:ecr", "*", False),
    ],
)
def test_resource(pattern: str, text: str, expected: bool) -> None:
    assert matches_resource(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "ecr:BatchGetImage", True),
        ("*:*", "ecr:BatchGetImage", True),
        ("ecr:*", "ecr:BatchGetImage", True),
        ("ECR:batchgetimage", "ecr:BatchGetImage", True),
        ("ecr:*Image", "ecr:BatchGetImage", True),
        ("ecr:Batch???Image", "ecr:BatchGetImage", True),
        ("ecr:Batch??Image", "ecr:BatchGetImage", False),
        ("ecr:Get*", "ecr:BatchGetImage", False),
        ("ec:*", "ecr:BatchGetImage", False),
        ("ecr-public:*", "ecr:BatchGetImage", False),
    ],
)
def test_action(pattern: str, action: str, expected: bool) -> None:
    assert action_set((pattern,)).matches(action.lower()) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("arn:aws:iam::123456789012:role/*", "arn:aws:iam::123456789012:role/a/b", True),
        ("arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:role/x", True),
        # Each part is matched alone, even where a star ends it.
        ("arn:aws:*:role/x", "arn:aws:iam::123456789012:role/x", False),
        ("arn:aws:i*:role/x:y:z", "arn:aws:iam::1:role/x:y:z", False),
        ("arn:aws:logs:*:*:log-group:*", LOG, True),
        ("*", LOG, True),
        ("*", "no-arn", False),
        ("arn:aws:iam", "arn:aws:iam::1:x", False),
    ],
)
def test_arn_like(pattern: str, text: str, expected: bool) -> None:
    tokens = arn_tokens([(pattern, True)])
    assert (tokens is not None and bool(compile_tokens(tokens)(text))) is expected


def test_a_literal_piece_holds_no_wildcards() -> None:
    tokens = text_tokens([("a*", True), ("*", False)])
    assert compile_tokens(tokens)("axx*")
    assert not compile_tokens(tokens)("axxx")


def independent(tokens: Tokens, text: str) -> bool:
    """A matcher by plain recursion over both ends, sharing nothing with the compiled ones."""

    @cache
    def at(token: int, char: int) -> bool:
        if token == len(tokens):
            return char == len(text)
        wild = tokens[token]
        here = text[char : char + 1]
        if wild in (Wild.ANY, Wild.ANY_IN_SEGMENT):
            eats = here != "" and (wild is Wild.ANY or here != ":")
            return at(token + 1, char) or (eats and at(token, char + 1))
        if wild in (Wild.ONE, Wild.ONE_IN_SEGMENT):
            fits = here != "" and (wild is Wild.ONE or here != ":")
        else:
            fits = here == wild
        return fits and at(token + 1, char + 1)

    return at(0, 0)


PATTERNS = st.text(alphabet="ab:/*?.\n", max_size=10)
TEXTS = st.text(alphabet="ab:/.\n*", max_size=12)


@given(PATTERNS, TEXTS, st.sampled_from([text_tokens, resource_tokens, arn_tokens]))
def test_compiled_patterns_agree_with_an_independent_matcher(
    pattern: str, text: str, read: object
) -> None:
    assert callable(read)
    for prefix in ("", "arn:a:b:c:d:"):
        tokens = read([(prefix + pattern, True)])
        if tokens is not None:
            expected = independent(tokens, prefix + text)
            assert bool(compile_tokens(tokens)(prefix + text)) is expected
            assert run_states(tokens, prefix + text) is expected


def test_many_stars_take_no_exponential_time() -> None:
    tokens = text_tokens([("a*" * 200 + "b", True)])
    assert not compile_tokens(tokens)("a" * 600)
    assert compile_tokens(tokens)("a" * 600 + "b")


@given(PATTERNS, TEXTS, st.sampled_from(["", "arn:", "arn:a:b:c", "arn:a:b:c:d:"]))
def test_the_quick_tests_agree_with_the_tokens(pattern: str, text: str, prefix: str) -> None:
    pattern = prefix + pattern
    piece = (pattern, True)
    arn = arn_tokens([piece])
    for asked in (text, prefix + text, pattern):
        as_text = bool(compile_tokens(text_tokens([piece]))(asked))
        assert bool(like_test((piece,))(asked)) is as_text
        assert action_set((pattern,)).matches(asked) is as_text
        as_arn = arn is not None and bool(compile_tokens(arn)(asked))
        assert bool(arn_like_test((piece,))(asked)) is as_arn
        as_resource = bool(compile_tokens(resource_tokens([piece]))(asked))
        assert resource_set([pattern]).matches(asked) is as_resource
