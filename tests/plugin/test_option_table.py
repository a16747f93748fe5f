"""The one table of options, and what is made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from ecr_feed.findings import Severity
from ecr_feed.planned.inputs import Planned
from ecr_feed.plugin.option_table import OPTIONS, CommandLine, Option, did_you_mean, strays

Parse = Callable[..., CommandLine]


def test_flags_and_fields_are_unique() -> None:
    assert len({option.flag for option in OPTIONS}) == len(OPTIONS)
    assert len({option.field for option in OPTIONS}) == len(OPTIONS)


def test_every_option_has_its_field_and_every_field_its_option() -> None:
    kept = {field.name for kind in (CommandLine, Planned) for field in fields(kind)}
    assert kept - {"planned", "root", "here"} == {option.field for option in OPTIONS}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.flag)
def test_an_option_takes_one_value_or_none(option: Option) -> None:
    assert option.help
    assert not option.help.endswith(".")
    assert option.switch or bool(option.metavar) != bool(option.choices)
    assert option.default is None or option.default in option.choices
    assert "nargs" not in option.attributes


def test_nothing_given(given: Parse) -> None:
    command = given()
    assert command.gate is Severity.HIGH
    assert command.packages == command.formats == ()
    assert not command.one_feed
    assert not command.planned.given
    assert command.shown() == {"--gate": "high"}


def test_each_value_reaches_its_field_and_the_report(given: Parse) -> None:
    values: list[str] = []
    for option in OPTIONS:
        value = option.choices[0] if option.choices else f"x{option.dest}"
        values += [option.flag] if option.switch else [option.flag, value]
    command = given(*values)
    assert command.region == "xaws_region"
    assert command.packages == ("xpackage",)
    assert command.planned.policies == ("xpolicy",)
    assert command.gate is Severity.CRITICAL
    assert command.one_feed
    shown = command.shown()
    assert list(shown) == [option.flag for option in OPTIONS if option.flag != "--report"]
    assert shown["--deep"] == "yes"
    assert shown["--gate"] == "critical"
    assert shown["--package"] == "xpackage"


def test_what_repeats_is_shown_as_a_list(given: Parse) -> None:
    command = given("--package", "a", "--package", "b", "--scp", "x", "--scp", "y")
    assert command.packages == ("a", "b")
    assert command.shown() == {"--package": "a, b", "--gate": "high", "--scp": "x, y"}


def test_strays() -> None:
    nothing: dict[str, Any] = {option.dest: option.default for option in OPTIONS}
    nothing |= {option.dest: False for option in OPTIONS if option.switch}
    assert strays(nothing) == []
    assert strays(nothing | {"gate": "low", "deep": True}) == ["--gate", "--deep"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--feed", "x"], "--feeds (for --feed)"),
        (["checks/", "--aws-regoin=eu-west-1"], "--aws-region (for --aws-regoin)"),
        (["--feeds", "x", "-k", "feed"], ""),
        (["--collect-only"], ""),
        ([], ""),
    ],
)
def test_did_you_mean(arguments: list[str], said: str) -> None:
    assert did_you_mean(arguments) == said
