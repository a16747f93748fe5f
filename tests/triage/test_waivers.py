"""waivers.toml: what it covers, when it ends, and how its mistakes are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.config import ConfigError
from ecr_feed.findings import Finding, OutcomeWord
from ecr_feed.triage.waivers import Waiver, Waivers, load

TODAY = date(2026, 11, 25)
GOOD = """
[[waiver]]
check = "REPO-3"
feed = "Production ECR"
package = "team/*"
reason = "first push in January"
owner = "platform"
expires = 2027-01-31
"""


def waiver(**more: object) -> Waiver:
    values: dict[str, object] = {
        "check": "REPO-3",
        "feed": "Production ECR",
        "package": "team/*",
        "reason": "first push in January",
        "owner": "platform",
        "expires": TODAY + timedelta(days=30),
    }
    return Waiver.model_validate(values | more)


def finding(
    outcome: OutcomeWord = OutcomeWord.NOT_MET,
    package: str | None = "team/app",
    check: str = "REPO-3",
    feed: str = "Production ECR",
) -> Finding:
    return Finding(check, "medium", True, feed, package, outcome, "No tagged image.")


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "waivers.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_as_version_1_took_it(tmp_path: Path) -> None:
    without_package = GOOD.replace('package = "team/*"\n', "").replace("2027-01-31", '"2027-01-31"')
    loaded = load(write(tmp_path, GOOD + without_package), checks={"REPO-3"})
    assert [(each.package, each.expires) for each in loaded.items] == [
        ("team/*", date(2027, 1, 31)),
        (None, date(2027, 1, 31)),
    ]


def test_a_waiver_in_force_covers_what_is_not_met(tmp_path: Path) -> None:
    waivers = load(write(tmp_path, GOOD), checks={"REPO-3"})
    judged = waivers.judge(finding(), TODAY)
    assert judged.outcome == "waived"
    assert judged.evidence["waiver"] == {
        "reason": "first push in January",
        "owner": "platform",
        "expires": "2027-01-31",
    }
    assert not judged.fails_the_run
    (use,) = waivers.uses([judged], TODAY)
    assert (use.state, use.covers) == ("in force", 1)


@pytest.mark.parametrize(
    "outcome", [word for word in OutcomeWord if word is not OutcomeWord.NOT_MET]
)
def test_no_other_outcome_is_ever_changed(outcome: OutcomeWord) -> None:
    judged = finding(outcome)
    assert Waivers((waiver(),)).judge(judged, TODAY) is judged


@pytest.mark.parametrize(
    ("days", "outcome"),
    [(-1, "not met"), (0, "waived"), (1, "waived")],
    ids=["over", "last", "next"],
)
def test_it_counts_until_the_end_of_its_last_day(days: int, outcome: str) -> None:
    waivers = Waivers((waiver(expires=TODAY + timedelta(days=days)),))
    assert waivers.judge(finding(), TODAY).outcome == outcome


def test_an_expired_one_says_so_and_the_finding_counts_again() -> None:
    waivers = Waivers((waiver(expires=TODAY - timedelta(days=1)),))
    judged = waivers.judge(finding(), TODAY)
    assert judged.fails_the_run
    assert "waiver of platform expired on 2026-11-24: it counts again" in judged.message
    (use,) = waivers.uses([judged], TODAY)
    assert (use.state, use.covers) == ("expired", 0)


def test_a_later_waiver_in_force_beats_an_expired_one() -> None:
    old, new = waiver(expires=TODAY - timedelta(days=9)), waiver()
    waivers = Waivers((old, new))
    judged = waivers.judge(finding(), TODAY)
    assert judged.outcome == "waived"
    assert [use.state for use in waivers.uses([judged], TODAY)] == ["expired", "in force"]


@pytest.mark.parametrize(
    ("changes", "subject", "covered"),
    [
        ({}, finding(package="team/deep/app"), True),
        ({}, finding(package="other/app"), False),
        ({}, finding(package="Team/app"), False),
        ({}, finding(package=None), False),
        ({}, finding(check="REPO-1"), False),
        ({}, finding(feed="Team ECR"), False),
        ({"feed": "*"}, finding(feed="Team ECR"), True),
        ({"feed": "Prod*"}, finding(), False),
        ({"package": None}, finding(package=None), True),
        ({"package": None}, finding(), True),
        ({"package": "team/ap?"}, finding(), True),
        ({"package": "*"}, finding(package=None), False),
    ],
)
def test_what_it_names(changes: dict[str, object], subject: Finding, covered: bool) -> None:
    judged = Waivers((waiver(**changes),)).judge(subject, TODAY)
    assert (judged.outcome == "waived") is covered


@pytest.mark.parametrize(
    ("findings", "note"),
    [
        ([], "matches no finding"),
        ([finding(OutcomeWord.MET)], "remove it"),
        ([finding(OutcomeWord.NOT_ASSESSED)], "could not be assessed"),
    ],
)
def test_an_unused_one_says_why(findings: list[Finding], note: str) -> None:
    (use,) = Waivers((waiver(),)).uses(findings, TODAY)
    assert use.state == "unused"
    assert note in use.note


def test_the_second_of_two_that_cover_the_same_is_unused() -> None:
    waivers = Waivers((waiver(), waiver(package="team/app")))
    judged = [waivers.judge(finding(), TODAY)]
    first, second = waivers.uses(judged, TODAY)
    assert (first.state, second.state) == ("in force", "unused")
    assert "earlier waiver" in second.note


def test_an_empty_file_waives_nothing(tmp_path: Path) -> None:
    assert load(write(tmp_path, "")).items == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('check = "REPO-3"', "check = 3"), ["waiver[1].check", "3 (a whole number)", '"REPO-3"']),
        (('check = "REPO-3"', 'check = "REPO-99"'), ["waiver[1].check", "REPO-99", "did you mean"]),
        (('check = "REPO-3"\n', ""), ["waiver[1].check is missing"]),
        (('owner = "platform"', 'owner = " "'), ["waiver[1].owner", "not empty"]),
        (('owner = "platform"\n', ""), ["waiver[1].owner is missing"]),
        (('reason = "first push in January"\n', ""), ["waiver[1].reason is missing"]),
        (("expires = 2027-01-31", "expires = 2027-01-31T00:00:00Z"), ["without a time"]),
        (("expires = 2027-01-31", 'expires = "soon"'), ["waiver[1].expires", "2027-01-31"]),
        (("expires = 2027-01-31\n", ""), ["waiver[1].expires is missing"]),
        (("expires", "expiry"), ["waiver[1].expiry is not a known key", 'did you mean "expires"']),
        (("package", "packages"), ["waiver[1].packages", 'did you mean "package"']),
        (("[[waiver]]", "[waiver]"), ["[[waiver]] in double brackets"]),
        (("[[waiver]]", "[[waivers]]"), ["waivers is not a known key", 'did you mean "waiver"']),
        (("[[waiver]]", "[[waiver]"), ["not valid TOML"]),
    ],
)
def test_mistakes_are_one_clear_paragraph(
    tmp_path: Path, change: tuple[str, str], told: list[str]
) -> None:
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load(path, checks={"REPO-1", "REPO-3"})
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert [part for part in told if part not in text] == [], text


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80"])
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        load(write(tmp_path, content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml")


def test_a_day_in_quotes_is_understood(tmp_path: Path) -> None:
    text = GOOD.replace("2027-01-31", '"2027-01-31"')
    assert load(write(tmp_path, text)).items[0].expires == date(2027, 1, 31)


@given(
    st.sampled_from(list(OutcomeWord)),
    st.integers(-3, 3),
    st.sampled_from(["team/app", "other", None]),
    st.sampled_from(["*", "Production ECR", "Team ECR"]),
)
def test_waiving_only_ever_turns_not_met_into_waived(
    outcome: OutcomeWord, days: int, package: str | None, feed: str
) -> None:
    before = finding(outcome, package)
    one = waiver(feed=feed, expires=TODAY + timedelta(days=days))
    after = Waivers((one,)).judge(before, TODAY)
    if after.outcome != before.outcome:
        assert (before.outcome, after.outcome) == ("not met", "waived")
        assert one.names(before)
        assert one.in_force(TODAY)
    assert replace(after, outcome=before.outcome, message="", evidence={}) == replace(
        before, message="", evidence={}
    )
