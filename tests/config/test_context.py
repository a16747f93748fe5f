"""Stated condition keys: what is read of them, and the mistake that each message names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest

from ecr_feed.config import ConfigError, StatedKey, Suite, from_tables, schema, with_context
from ecr_feed.config.context import FIXED
from ecr_feed.config.read import parse

FEED = """
[[feed]]
name = "Prod"
region = "eu-west-1"
packages = ["team/app"]
credentials = { profile = "octopus" }
context = %s
"""
VPCE = '{ "aws:SourceVpce" = "vpce-0123" }'


def suite(context: str = "{}", options: Sequence[str] = ()) -> Suite:
    tables = parse(FEED % context, "f.toml")
    return with_context(from_tables(tables, base=Path("/"), source="f.toml"), options)


def stated(context: str = "{}", *options: str) -> dict[str, tuple[str, ...]]:
    (feed,) = suite(context, options).feeds
    return {each.key: each.values for each in feed.context}


@pytest.mark.parametrize(
    ("context", "options", "found"),
    [
        ("{}", [], {}),
        (VPCE, [], {"aws:SourceVpce": ("vpce-0123",)}),
        ('{ "aws:SourceIp" = ["198.51.100.7", "2001:db8::1"] }', [], {"aws:SourceIp": 2}),
        ('{ "ecr:x" = ["a", "a"] }', [], {"ecr:x": ("a",)}),
        ('{ "aws:ResourceTag/Cost Center" = "42" }', [], {"aws:ResourceTag/Cost Center": 1}),
        ('{ "aws:TokenIssueTime" = "2026-11-25T00:00:00Z" }', [], {"aws:TokenIssueTime": 1}),
        ('{ "aws:VpcSourceIp" = "10.0.0.5" }', [], {"aws:VpcSourceIp": ("10.0.0.5",)}),
        ("{}", ["aws:SourceVpce=a", "aws:SourceVpce=b"], {"aws:SourceVpce": ("a", "b")}),
        ("{}", ["aws:Referer=a=b"], {"aws:Referer": ("a=b",)}),
        # The command line's values stand in place of the file's, whatever the key's case.
        (VPCE, ["AWS:sourcevpce=vpce-9"], {"AWS:sourcevpce": ("vpce-9",)}),
        (VPCE, ["ecr:x=1"], {"aws:SourceVpce": ("vpce-0123",), "ecr:x": ("1",)}),
    ],
)
def test_what_is_read(
    context: str, options: list[str], found: dict[str, tuple[str, ...] | int]
) -> None:
    read = stated(context, *options)
    assert {
        key: len(read[key]) if isinstance(value, int) else read[key] for key, value in found.items()
    } == found
    assert len(read) == len(found)


MISTAKES = [
    ("5", ["found 5", "a table"]),
    ("[]", ["an empty list", "a table"]),
    ('{ "SourceVpce" = "v" }', ['the key "SourceVpce"', '"aws:SourceVpce"']),
    ('{ "" = "v" }', ['the key ""', '"aws:SourceVpce"']),
    ('{ "aws:" = "v" }', ['the key "aws:"']),
    ('{ ":x" = "v" }', ['the key ":x"']),
    ('{ "aws:Source*" = "v" }', ['"aws:Source*"']),
    ('{ aws.SourceVpce = "v" }', ['the key "aws"', '"aws:SourceVpce"']),
    ('{ "aws:SourceVpce" = 5 }', ["found 5", '"aws:SourceVpce"', "in quotes"]),
    ('{ "aws:MultiFactorAuthPresent" = true }', ["found true", "in quotes"]),
    ('{ "aws:SourceVpce" = [] }', ["an empty list", '"aws:SourceVpce"', "at least one"]),
    ('{ "aws:SourceVpce" = ["a", 1] }', ["found 1", '"aws:SourceVpce"']),
    ('{ "aws:SourceVpce" = { a = 1 } }', ["a table", '"aws:SourceVpce"']),
    ('{ "aws:SourceVpce" = " " }', ['"aws:SourceVpce"', "not empty"]),
    ('{ "aws:SourceVpce" = "a\\nb" }', ['"aws:SourceVpce"', "one line"]),
    ('{ "aws:x" = "1", "AWS:X" = "1" }', ['"aws:x" and "AWS:X"', "one spelling"]),
    ('{ "aws:SourceIp" = "10.0.0.5" }', ["10.0.0.5", "never sees a private", "aws:SourceVpce"]),
    ('{ "aws:sourceip" = ["198.51.100.7", "fd00::1"] }', ["fd00::1", "private"]),
    ('{ "aws:SourceIp" = "::ffff:10.0.0.5" }', ["10.0.0.5", "never sees a private"]),
    ('{ "aws:SourceIp" = "0.0.0.0" }', ["0.0.0.0", "the public address"]),
    ('{ "aws:SourceIp" = "198.51.100.0/24" }', ["198.51.100.0/24", "one address"]),
    ('{ "aws:SourceIp" = "office" }', ["office", "one address"]),
    ('{ "aws:SourceVpce" = "AKIAIOSFODNN7EXAMPLE" }', ["looks like a secret"]),
    *((f'{{ "{key.upper()}" = "x" }}', [key.upper(), "remove it"]) for key in FIXED),
]


@pytest.mark.parametrize(("context", "said"), MISTAKES)
def test_a_mistake_names_the_key_and_what_to_do(context: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        suite(context)
    for text in ("f.toml: ", "feed[1].context", 'feed "Prod"', *said):
        assert text in str(caught.value)
    assert "AKIA" not in str(caught.value)


def test_a_key_without_quotes_is_no_toml() -> None:
    with pytest.raises(ConfigError, match='needs quotes: "aws:SourceVpce" = '):
        suite("{ aws:SourceVpce = 'v' }")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["vpce-1"], ['"vpce-1"', "KEY=VALUE"]),
        (["aws:SourceVpce="], ['"aws:SourceVpce="', "KEY=VALUE"]),
        (["=vpce-1"], ['"=vpce-1"', "KEY=VALUE"]),
        (["SourceVpce=vpce-1"], ['"SourceVpce"', '"aws:SourceVpce"']),
        (["aws:x=1", "AWS:x=2"], ['"aws:x" and "AWS:x"', "one spelling"]),
        (["aws:SourceIp=192.168.1.1"], ["192.168.1.1", "private"]),
        (["aws:RequestedRegion=eu-west-1"], ["aws:RequestedRegion", "the feed's region"]),
        (["aws:x=AKIAIOSFODNN7EXAMPLE"], ["looks like a secret"]),
    ],
)
def test_a_mistake_of_the_option(options: list[str], said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        suite(VPCE, options)
    for text in ("--context: ", *said):
        assert text in str(caught.value)
    assert "AKIA" not in str(caught.value)


def test_a_run_without_an_ecr_feed_has_nothing_to_state_it_for() -> None:
    with pytest.raises(ConfigError, match="no \\[\\[feed\\]\\]"):
        with_context(Suite(None, (), ()), ["aws:x=1"])


def test_a_stated_key_is_kept_as_it_is_written_and_compared_in_lower_case() -> None:
    assert StatedKey("aws:SourceVpce", ("v",)).lower == "aws:sourcevpce"


@pytest.mark.parametrize(
    ("context", "fits"),
    [
        ({"aws:SourceVpce": "v"}, True),
        ({"aws:SourceVpce": ["v", "w"]}, True),
        ({"SourceVpce": "v"}, False),
        ({"aws:SourceVpce": 5}, False),
        ({"aws:SourceVpce": []}, False),
        ("aws:SourceVpce", False),
    ],
)
def test_the_schema_says_the_same(context: object, fits: bool) -> None:
    tables = parse(FEED % "{}", "f.toml")
    tables["feed"][0]["context"] = context
    found = list(jsonschema.Draft202012Validator(schema()).iter_errors(tables))
    assert (found == []) is fits
