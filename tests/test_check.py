from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.check import CRITICAL, check, info_of, render_fix
from ecr_feed.outcomes import (
    NotApplicable,
    NotAssessed,
    NotMet,
    collecting_evidence,
    expect,
    not_applicable,
    not_assessed,
    note,
)

GOOD: dict[str, Any] = {
    "id": "REPO-9",
    "severity": CRITICAL,
    "title": "A title",
    "why": "A reason.",
    "fix": "Do {package!q}",
    "reads": ("ecr:ListImages",),
    "refs": ("https://docs.aws.amazon.com/",),
}


def test_metadata_stays_beside_the_function() -> None:
    @check(**GOOD)
    def test_rule(feed: object, package: str) -> None:
        """A rule."""

    info = info_of(test_rule)
    assert info is not None
    assert (info.id, info.family, info.subject, info.per_package) == (
        "REPO-9",
        "REPO",
        "feed",
        True,
    )
    assert [mark.name for mark in test_rule.pytestmark] == ["repo"]  # type: ignore[attr-defined] # set by pytest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "repo-1"}, "not FAMILY-NUMBER"),
        ({"id": "REPO-0"}, "not FAMILY-NUMBER"),
        ({"title": ""}, "title is empty"),
        ({"why": ""}, "why is empty"),
        ({"fix": ""}, "fix is empty"),
        ({"refs": ()}, "refs is empty"),
        ({"refs": ("http://example.com",)}, "not an https address"),
        ({"reads": ("ListImages",)}, "not an IAM action"),
    ],
)
def test_malformed_metadata_is_a_type_error(change: dict[str, Any], said: str) -> None:
    def test_rule(feed: object) -> None:
        """A rule."""

    with pytest.raises(TypeError, match=said):
        check(**{**GOOD, **change})(test_rule)


@pytest.mark.parametrize("key", sorted(GOOD))
def test_every_field_is_required(key: str) -> None:
    with pytest.raises(TypeError, match=key):
        check(**{name: value for name, value in GOOD.items() if name != key})


def test_a_check_takes_a_feed() -> None:
    def test_rule(inventory: object) -> None:
        """A rule."""

    with pytest.raises(TypeError, match="neither feed nor docker_feed"):
        check(**GOOD)(test_rule)


def test_expect_keeps_evidence_whether_it_holds_or_not() -> None:
    with collecting_evidence() as evidence:
        expect(True, "fine", expected=1, found=1, evidence={"a": "b"})
        with pytest.raises(NotMet, match="broken") as caught:
            expect(False, "broken", found=2, fix="mend it")
    assert evidence == {"expected": 1, "found": 2, "a": "b"}
    assert caught.value.fix == "mend it"


def test_evidence_outside_a_run_goes_nowhere() -> None:
    note(a=1)
    with collecting_evidence() as evidence:
        pass
    assert evidence == {}


def test_the_other_words() -> None:
    with pytest.raises(NotApplicable, match="no meaning"):
        not_applicable("no meaning")
    with pytest.raises(NotAssessed, match="nobody knows"):
        not_assessed("nobody knows")


@pytest.mark.parametrize(
    ("package", "rendered"),
    [
        ("team/app", "push team/app"),
        ("x; rm -rf ~", "push 'x; rm -rf ~'"),
        ("it's", """push 'it'"'"'s'"""),
        ("{package}", "push '{package}'"),
    ],
)
def test_a_fix_quotes_names_for_the_shell(package: str, rendered: str) -> None:
    assert render_fix("push {package!q}", {"package": package}) == rendered
