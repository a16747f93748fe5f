"""results.json: the documented shape, its schema, its order and its bytes."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from ecr_feed.findings import Comparison, OutcomeWord, subject
from ecr_feed.report.record import Run, check_order
from ecr_feed.report.results import FINDING_KEYS, digest, results, schema, to_bytes
from tests.report import helpers

VALIDATOR = Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
FIRST_KEYS = (*FINDING_KEYS, "expected", "found")


def closed(node: Any) -> Any:
    """The schema in which every object has the keys that are described, and no other."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    inside = {key: closed(each) for key, each in node.items()}
    described = "properties" in inside and isinstance(inside.get("type"), str)
    return {"additionalProperties": False, **inside} if described else inside


def document(run: Run) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(to_bytes(results(run)))
    return loaded


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("maker", [helpers.few, helpers.clean, tuple])
@pytest.mark.parametrize("mode", ["aws", "demo", "plan"])
def test_every_run_is_valid(maker: Any, mode: str) -> None:
    made = document(helpers.build(maker(), mode=mode))
    VALIDATOR.validate(made)
    Draft202012Validator(closed(schema())).validate(made)


def test_a_reader_of_2_0_takes_a_later_2_x() -> None:
    made = document(helpers.build(helpers.few()))
    made |= {"schema_version": "2.7", "causes": []}
    made["findings"][0]["later"] = made["suite"]["later"] = made["run"]["later"] = 1
    VALIDATOR.validate(made)
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**made, "schema_version": "3.0"})


def test_a_hostile_run_is_valid() -> None:
    VALIDATOR.validate(document(helpers.hostile_run()))


def test_the_documented_keys_are_there_in_their_order() -> None:
    made = document(helpers.build(helpers.few()))
    named = ["schema_version", "mode", "verdict", "suite", "run", "feeds", "calls", "findings"]
    assert [key for key in made if key in named] == named
    assert set(made["suite"]) == {"name", "version", "python", "pytest", "botocore", "moto"}
    assert {"started", "finished"} <= set(made["run"])
    assert made["run"]["finished"] == "2026-11-25T00:03:27Z"
    assert all(tuple(row) == FIRST_KEYS for row in made["findings"])
    assert made["calls"] == [
        {"service": "ecr", "operation": "DescribeRepositories", "count": 1},
        {"service": "ecr", "operation": "ListImages", "count": 1},
        {"service": "sts", "operation": "GetCallerIdentity", "count": 1},
    ]
    assert sum(made["counts"].values()) == len(made["findings"])


def test_values_of_a_finding() -> None:
    made = document(
        helpers.build((helpers.missing("a/b"), helpers.finding("TOKEN-2", package=None)))
    )
    first, second = made["findings"]
    assert first["package"] == "a/b"
    assert second["package"] is None
    assert second["fix"] is None
    assert first["evidence"]["expected"] == "a repository of that exact name"
    assert first["expected"] == "a repository of that exact name"
    assert first["found"] == "team/missing-app (nearest)"
    assert (second["expected"], second["found"]) == (None, None)


def test_expected_and_found_are_texts_whatever_the_evidence_holds() -> None:
    evidence = {"expected": ["linux/amd64", "linux/arm64"], "found": 0}
    (row,) = document(helpers.build((helpers.finding(evidence=evidence),)))["findings"]
    assert (row["expected"], row["found"]) == ("linux/amd64, linux/arm64", "0")
    assert row["evidence"] == evidence


def test_the_same_findings_give_the_same_bytes_in_any_order() -> None:
    findings = list(helpers.few())
    once = to_bytes(results(helpers.build(tuple(findings))))
    random.Random(7).shuffle(findings)
    calls = tuple(reversed(helpers.CALLS))
    again = to_bytes(results(helpers.build(tuple(findings), calls=calls)))
    assert digest(once) == digest(again)


def test_findings_are_sorted_as_people_count() -> None:
    ids = ["REPO-10", "REPO-2", "PERM-1", "REPO-1"]
    made = document(helpers.build(tuple(helpers.finding(name) for name in ids)))
    assert [row["check"] for row in made["findings"]] == ["PERM-1", "REPO-1", "REPO-2", "REPO-10"]
    assert sorted(ids, key=check_order) == ["PERM-1", "REPO-1", "REPO-2", "REPO-10"]


def test_feeds_carry_their_own_counts() -> None:
    feeds = document(helpers.build(helpers.few()))["feeds"]
    assert [feed["name"] for feed in feeds] == ["Production ECR", "Team ECR"]
    assert feeds[0]["counts"]["not met"] == 2
    assert feeds[0]["families"]["REPO"]["not met"] == 2
    assert feeds[1]["counts"] == {
        "met": 2,
        "not met": 0,
        "not assessed": 0,
        "waived": 0,
        "not applicable": 1,
    }


def test_a_baseline_adds_marks_and_nothing_else() -> None:
    finding = helpers.missing("a/b")
    comparison = Comparison("old.json", "2026-11-24T00:00:00Z", "0" * 64, {subject(finding): "new"})
    made = document(helpers.build((finding, helpers.finding()), comparison=comparison))
    VALIDATOR.validate(made)
    assert {row["package"]: row["baseline"] for row in made["findings"]} == {
        "a/b": "new",
        "team/app": None,
    }
    assert all(tuple(row)[:12] == FIRST_KEYS for row in made["findings"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["verdict"], "MAYBE"),
        (["mode"], "moto"),
        (["findings", 0, "outcome"], "passed"),
        (["findings", 0, "severity"], 4),
        (["findings", 0, "evidence"], None),
        (["findings", 0, "package"], 3),
        (["run", "finished"], "2026-11-25T00:03:27+00:00"),
        (["feeds", 0, "kind"], "helm"),
        (["waivers", 0, "state"], "on"),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: list[Any], value: object) -> None:
    made = document(helpers.build(helpers.few()))
    spot: Any = made
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(made)


@pytest.mark.parametrize("key", FIRST_KEYS)
def test_the_schema_wants_every_key_of_a_finding(key: str) -> None:
    made = document(helpers.build(helpers.few()))
    del made["findings"][0][key]
    with pytest.raises(ValidationError):
        VALIDATOR.validate(made)


def test_a_time_without_a_zone_is_refused() -> None:
    run = replace(helpers.build(()), started=helpers.NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="zone"):
        results(run)


def test_times_are_told_in_utc_whatever_their_zone() -> None:
    there = helpers.NOW.astimezone(timezone(timedelta(hours=9)))
    made = document(replace(helpers.build(()), finished=there))
    assert made["run"]["finished"] == "2026-11-25T00:03:27Z"


def test_an_outcome_is_plain_text() -> None:
    run = helpers.build((helpers.finding(outcome=OutcomeWord.NOT_MET),))
    assert type(run.findings[0].outcome) is str
