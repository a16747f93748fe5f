"""The same findings as CSV, OCSF, GitHub, Octopus, JUnit and policies see them."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import (  # type: ignore[import-untyped] # ships no types
    OcsfJsonSchemaEmbedded,
    get_ocsf_schema,
)

from ecr_feed.facts.aws import Secret
from ecr_feed.findings import OutcomeWord
from ecr_feed.report import ocsf, services, views
from ecr_feed.report.policies import with_files
from ecr_feed.report.record import Run
from ecr_feed.report.redact import Redactor
from ecr_feed.report.results import FINDING_KEYS
from ecr_feed.report.views import UnreadableJUnit, findings_csv, junit
from tests.report import helpers

HOSTILE = helpers.hostile_run()
FEW = helpers.build(helpers.few())


def rows(run: Run) -> list[dict[str, str]]:
    text = findings_csv(run).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_csv_has_the_documented_columns_and_every_finding() -> None:
    made = rows(FEW)
    assert tuple(made[0]) == FINDING_KEYS
    assert len(made) == len(FEW.findings)
    assert {row["outcome"] for row in made} == {word.value for word in OutcomeWord}
    assert findings_csv(FEW).count(b"\r\n") >= len(made) + 1
    assert json.loads(made[0]["evidence"])["action"] == "ecr:ListImages"


def test_no_csv_cell_is_a_formula() -> None:
    made = rows(HOSTILE)
    assert len(made) == len(HOSTILE.findings)
    assert not [
        cell for row in made for cell in row.values() if re.match(r"\s*[=+\-@\t\r|%]", cell)
    ]


def test_a_csv_cell_that_begins_like_a_formula_is_quoted() -> None:
    (row,) = rows(helpers.build((helpers.finding(message="=1+1", fix="-x"),)))
    assert (row["message"], row["fix"]) == ("'=1+1", "'-x")


@pytest.mark.parametrize("version", [ocsf.VERSION, "1.6.0", "1.8.0"])
@pytest.mark.parametrize(
    "run", [FEW, HOSTILE, helpers.build((), mode="demo")], ids=["few", "hostile", "none"]
)
def test_ocsf_is_valid_as_published(version: str, run: Run) -> None:
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    schema = published.get_class_schema("compliance_finding", profiles=["cloud"])
    validator = Draft202012Validator(schema)
    events = json.loads(ocsf.ocsf(run))
    assert len(events) == len(run.findings)
    assert [error.message for event in events for error in validator.iter_errors(event)] == []


def test_ocsf_words() -> None:
    events = json.loads(ocsf.ocsf(FEW))
    told = {
        event["compliance"]["status_code"]: (
            event["compliance"]["status_id"],
            event["status_id"],
        )
        for event in events
    }
    assert told == {
        "met": (1, 4),
        "not met": (3, 1),
        "not assessed": (2, 1),
        "waived": (3, 3),
        "not applicable": (99, 4),
    }
    assert {event["type_uid"] for event in events} == {200301}
    assert {event["time"] for event in events} == {1_795_565_007_000}
    assert len({event["finding_info"]["uid"] for event in events}) == len(events)


def test_annotations_are_ten_of_each_kind_at_most_and_one_line_each() -> None:
    quiet = [
        helpers.finding("REPO-3", OutcomeWord.NOT_MET, f"q/{at}", gating=False) for at in range(12)
    ]
    many = helpers.build((*helpers.many(40, broken=30), *quiet))
    commands = services.workflow_commands(many)
    for kind, left_out in (("error", 21), ("warning", 3)):
        mine = [line for line in commands if line.startswith(f"::{kind} ")]
        assert len(mine) == 10
        assert mine[-1].endswith(f"::and {left_out} more: see the report.")


def test_annotations_put_the_worst_first() -> None:
    low = helpers.finding("A-1", OutcomeWord.NOT_MET, severity="low")
    unknown = helpers.finding("B-1", OutcomeWord.NOT_ASSESSED)
    worst = helpers.finding("C-1", OutcomeWord.NOT_MET)
    commands = services.workflow_commands(helpers.build((low, unknown, worst)))
    assert [line.split("=")[1][:3] for line in commands] == ["C-1", "A-1", "B-1"]


def test_hostile_names_make_no_second_annotation() -> None:
    commands = services.workflow_commands(HOSTILE)
    assert len(commands) == 10
    for line in commands:
        assert "\n" not in line
        assert "##octopus[" not in line
        title = line.partition("title=")[2].partition("::")[0]
        assert not re.search(r"[:,\r\n]", title)


def test_the_step_summary_stays_below_the_limit_and_says_what_is_left_out() -> None:
    open_ones = tuple(
        helpers.finding(
            f"REPO-{at}", OutcomeWord.NOT_MET, f"team/{at}", message="x" * 500, fix=f"{at}" * 100
        )
        for at in range(1, 2_500)
    )
    text = services.step_summary(helpers.build(open_ones))
    assert len(text.encode()) < 1_048_576
    assert re.search(r"And [\d,]+ more findings", text)


@pytest.mark.parametrize("run", [FEW, HOSTILE])
def test_the_step_summary_is_one_table_row_a_group_without_markup(run: Run) -> None:
    text = services.step_summary(run)
    assert "NOT READY" in text
    assert not re.search(r"<[a-z/!]", text, re.IGNORECASE)
    for line in text.splitlines():
        if line.startswith(("| ✗", "| ?")):
            assert len(re.findall(r"(?<!\\)\|", line)) == 7


def test_outputs_are_plain() -> None:
    assert services.outputs(FEW).splitlines() == [
        "verdict=NOT READY",
        "mode=aws",
        "not_met=2",
        "not_assessed=1",
        "waived=1",
        "not_applicable=1",
        "met=4",
    ]


def parsed(line: str) -> tuple[str, dict[str, str]]:
    match = re.fullmatch(r"##octopus\[([\w-]+)((?: \w+='[A-Za-z0-9+/=]*')*)\]", line)
    assert match, line
    values = re.findall(r"(\w+)='([^']*)'", match[2])
    return match[1], {key: base64.b64decode(value).decode() for key, value in values}


def test_octopus_messages_are_variables_then_artifacts(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_bytes(b"12345")
    told = [parsed(line) for line in services.messages(FEW, [report, tmp_path / "gone"])]
    assert told[0] == ("setVariable", {"name": "EcrFeedAudit.Verdict", "value": "NOT READY"})
    assert ("setVariable", {"name": "EcrFeedAudit.NotMet", "value": "2"}) in told
    assert told[-1] == (
        "createArtifact",
        {"path": str(report), "name": "report.html", "length": "5"},
    )
    assert sum(name == "createArtifact" for name, _ in told) == 1


@pytest.mark.parametrize("text", helpers.HOSTILE[:-1])
def test_no_value_breaks_out_of_an_octopus_message(text: str) -> None:
    name, values = parsed(services.progress(250, text))
    assert name == "progress"
    assert values["percentage"] == "100"
    assert "\n" not in services.message("setVariable", {"name": text, "value": text})


def test_formats_of_the_service_are_added_to_those_asked_for() -> None:
    assert services.wanted([], {}) == frozenset()
    assert services.wanted(["ocsf"], {"GITHUB_ACTIONS": "true"}) == {"ocsf", "github"}
    inside = {"OctopusCalamariWorkingDirectory": "/tmp/x", "GITHUB_ACTIONS": "false"}
    assert services.wanted([], inside) == {"octopus"}


def test_every_format_makes_its_files() -> None:
    policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    feeds = (with_files(replace(helpers.FEED, policy_fix=helpers.fix(policy))), helpers.TEAM)
    fixed = helpers.build(helpers.few(), feeds=feeds)
    made = views.files(fixed, services.FORMATS)
    assert sorted(made) == ["findings.ocsf.json", "policy-fix.production-ecr.json", "summary.md"]
    assert json.loads(made["policy-fix.production-ecr.json"]) == policy
    assert not any(name in made for name in ("results.json", "manifest.json"))


JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" skipped="0"
tests="1" time="0.1" timestamp="2026-11-25T00:03:27+00:00" hostname="build-7"><testcase
classname="checks.x" name="t[wJalrXUtnFEMI/K7MDENG+bPxRfiCYqH7TSLKEYs]" time="0.1"><properties>
<property name="check" value="REPO-1"/></properties><failure message="docker login -p hunter2 h">key
wJalrXUtnFEMI/K7MDENG+bPxRfiCYqH7TSLKEYs &lt;script&gt;</failure></testcase></testsuite>
</testsuites>
"""


def test_junit_loses_secrets_and_the_machines_name_and_gains_the_verdict() -> None:
    redactor = Redactor([Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYqH7TSLKEYs")])
    made = junit(JUNIT, FEW, redactor)
    assert b"wJalr" not in made
    assert b"hunter2" not in made
    assert b"build-7" not in made
    root = ET.fromstring(made)
    (failure,) = root.iter("failure")
    assert failure.text is not None
    assert failure.text.endswith("<script>")
    suite = root.find("testsuite")
    assert suite is not None
    told = {item.get("name"): item.get("value") for item in suite.findall("properties/property")}
    assert told == {"verdict": "NOT READY", "mode": "aws", "gate": "high"}
    assert next(iter(suite)).tag == "properties"


# What the schema that JUnit readers share allows; properties of a test case are pytest's own.
ELEMENTS: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, {"name"}),
    "testsuite": (
        {"properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "testcase": (
        {"properties", "skipped", "failure", "error", "system-out", "system-err"},
        {"classname", "name", "time"},
    ),
    **{name: (set(), {"message", "type"}) for name in ("skipped", "failure", "error")},
}


def test_junit_keeps_to_the_elements_that_readers_know() -> None:
    for element in ET.fromstring(junit(JUNIT, FEW, Redactor())).iter():
        children, attributes = ELEMENTS[element.tag]
        assert {child.tag for child in element} <= children
        assert set(element.attrib) <= attributes


def test_a_junit_file_that_is_cut_short_is_not_published() -> None:
    with pytest.raises(UnreadableJUnit):
        junit(JUNIT[:300], FEW, Redactor())
