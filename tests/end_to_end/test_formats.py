"""Every file and stream of a run tells the same findings, in the form that its readers expect."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import (  # type: ignore[import-untyped] # ships no types
    OcsfJsonSchemaEmbedded,
    get_ocsf_schema,
)

from ecr_feed.report.ocsf import VERSION
from ecr_feed.report.results import schema
from tests.end_to_end.plain import KEYS, answers, feed
from tests.support.proxy import serving
from tests.support.run import Ran, run_checks

COLUMNS: Final = [
    *("check", "severity", "gating", "feed", "package"),
    *("outcome", "message", "evidence", "fix", "test"),
]
ALL: Final = ("ocsf", "github", "octopus", "policy-fix")
POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ecr:Describe*", "Resource": "*"}],
}


def formats() -> list[str]:
    return [f"--output-format={name}" for name in ALL]


def on_aws(tmp_path: Path) -> Ran:
    """In a step of GitHub Actions, by two workers."""
    (tmp_path / "feeds.toml").write_text(feed("Production | EU"), encoding="utf-8")
    (tmp_path / "step.md").write_text("earlier\n", encoding="utf-8")
    with serving(answers) as endpoint:
        return run_checks(
            tmp_path,
            *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint, "-n", "2"),
            *formats(),
            env={
                **KEYS,
                "GITHUB_ACTIONS": "true",
                "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"),
                "GITHUB_OUTPUT": str(tmp_path / "outputs"),
            },
        )


def demo(tmp_path: Path) -> Ran:
    """In a step of Octopus Deploy, alone."""
    step = {"OctopusCalamariWorkingDirectory": str(tmp_path)}
    return run_checks(tmp_path, "--demo", "missing-repository", *formats(), env=step)


def plan(tmp_path: Path) -> Ran:
    """On a person's machine, quietly."""
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(POLICY), encoding="utf-8")
    one = ("--aws-region", "eu-west-1", "--package", "team/app")
    return run_checks(tmp_path, "--policy", str(policy), *one, "-q", *formats())


RUNS: Final[dict[str, Callable[[Path], Ran]]] = {"aws": on_aws, "demo": demo, "plan": plan}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    return {mode: run(tmp_path_factory.mktemp(mode)) for mode, run in RUNS.items()}


@pytest.fixture(params=RUNS)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ran(runs: dict[str, Ran], mode: str) -> Ran:
    return runs[mode]


def test_results_are_valid_and_counted(ran: Ran, mode: str) -> None:
    assert ran.status == 1, ran.text
    Draft202012Validator(schema()).validate(ran.results)
    assert (ran.results["mode"], ran.results["verdict"]) == (mode, "NOT READY")
    counted = Counter(finding["outcome"] for finding in ran.results["findings"])
    assert {word: number for word, number in ran.results["counts"].items() if number} == counted
    assert all(set(COLUMNS) <= set(finding) for finding in ran.results["findings"])
    subjects = [(f["check"], f["feed"], f["package"]) for f in ran.results["findings"]]
    assert len(set(subjects)) == len(subjects)
    assert set(ran.checks("met", "not met", "not applicable", "not assessed")) <= {
        check["id"] for check in ran.results["checks"]
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", ran.results["run"]["finished"])


def test_the_manifest_is_last_and_tells_every_file(ran: Ran) -> None:
    files = {path.name: path for path in ran.report.iterdir()}
    manifest = files.pop("manifest.json")
    told = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    assert {row["file"]: (row["sha256"], row["bytes"]) for row in told} == {
        name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for name, path in files.items()
    }
    assert manifest.stat().st_mtime_ns >= max(path.stat().st_mtime_ns for path in files.values())


class Text(HTMLParser):
    """What a person reads, outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown = ""
        self._hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.shown += data


def test_the_page_belongs_to_the_results_and_holds_every_finding(ran: Ran, mode: str) -> None:
    page = (ran.report / "report.html").read_text(encoding="utf-8")
    digest = hashlib.sha256((ran.report / "results.json").read_bytes()).hexdigest()
    text = re.sub(r"\s+", " ", Text(page).shown)
    assert digest in text
    assert "NOT READY" in text
    for label in ("DEMO", "PLAN"):
        assert (label in text) is (label == mode.upper())
    for finding in ran.results["findings"]:
        for key in ("check", "feed", "message"):
            assert re.sub(r"\s+", " ", finding[key]) in text, finding
    assert not re.search(r"""(?:src|href)=["']?(?:http:|//)|url\(|@import""", page)


KINDS: Final = {
    "met": (),
    "not met": ("failure",),
    "not assessed": ("error",),
    "not applicable": ("skipped", "pytest.skip"),
}


def test_junit_is_xunit2_and_says_the_same(ran: Ran, mode: str) -> None:
    root = ElementTree.parse(ran.report / "junit.xml").getroot()
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert set(suite.attrib) == {
        *("name", "errors", "failures", "skipped", "tests", "time", "timestamp")
    }
    told = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert (told["verdict"], told["mode"]) == ("NOT READY", mode)
    findings = {f["test"].rpartition("::")[2]: f for f in ran.results["findings"]}
    cases = suite.findall("testcase")
    assert {case.get("name") for case in cases} == set(findings)
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "time"}
        finding = findings[str(case.get("name"))]
        properties = {p.get("name"): p.get("value") for p in case.findall("properties/property")}
        for key in ("check", "severity", "feed", "outcome"):
            assert properties[key] == finding[key]
        kinds = [child for child in case if child.tag not in ("properties", "system-out")]
        if finding["gating"] or finding["outcome"] in ("met", "not applicable"):
            expected = KINDS[finding["outcome"]]
        else:
            expected = ("skipped", "pytest.xfail")
        assert [child.tag for child in kinds] == [*expected[:1]]
        assert [child.get("type") for child in kinds if child.get("type")] == [*expected[1:]]
    counts = Counter(child.tag for case in cases for child in case)
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == counts[tag]


def test_csv_has_the_findings_in_their_order(ran: Ran) -> None:
    data = (ran.report / "findings.csv").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    rows = list(csv.reader(data.decode("utf-8").splitlines(keepends=True), strict=True))
    assert rows[0] == COLUMNS
    assert len(rows) == len(ran.results["findings"]) + 1
    for row, finding in zip(rows[1:], ran.results["findings"], strict=True):
        told: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
        assert json.loads(told.pop("evidence")) == finding["evidence"]
        assert told.pop("gating") == str(finding["gating"]).lower()
        for key, value in told.items():
            assert value == (finding[key] or ""), key


def test_ocsf_is_valid_and_complete(ran: Ran) -> None:
    events = json.loads((ran.report / "findings.ocsf.json").read_text(encoding="utf-8"))
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    validator = Draft202012Validator(
        published.get_class_schema("compliance_finding", profiles=["cloud"])
    )
    assert [error.message for event in events for error in validator.iter_errors(event)] == []
    told = Counter(event["compliance"]["status_code"] for event in events)
    assert told == Counter(finding["outcome"] for finding in ran.results["findings"])


def test_the_terminal_ends_with_the_verdict(ran: Ran, mode: str) -> None:
    lines = [line for line in ran.out.splitlines() if line]
    verdict = next(line for line in reversed(lines) if "NOT READY: " in line)
    counts = ran.results["counts"]
    for word, number in counts.items():
        assert f"{number} {word}" in verdict
    assert verdict.startswith("NOT READY" if mode == "aws" else f"[{mode.upper()}] NOT READY")
    assert len(lines) - lines.index(verdict) <= 2
    assert "Next: " in ran.out
    assert "\x1b" not in ran.out


def test_github_is_told_in_its_step_alone(runs: dict[str, Ran]) -> None:
    ran = runs["aws"]
    step = (ran.report.parent / "step.md").read_text(encoding="utf-8")
    assert step.startswith("earlier\n## ❌ ECR feed audit: NOT READY")
    assert step.removeprefix("earlier\n") == (ran.report / "summary.md").read_text("utf-8")
    assert "Production \\| EU" in step
    assert "verdict=NOT READY" in (ran.report.parent / "outputs").read_text("utf-8")
    commands = [line for line in ran.out.splitlines() if line.startswith("::")]
    kinds = Counter(line.partition(" ")[0] for line in commands)
    assert set(kinds) <= {"::error", "::warning"}
    assert 0 < kinds["::error"] <= 10
    for mode in ("demo", "plan"):
        assert not [line for line in runs[mode].out.splitlines() if line.startswith("::")]


def orders(out: str) -> list[tuple[str, dict[str, str]]]:
    """Octopus' service messages, decoded."""
    found = re.findall(r"^##octopus\[(\w+)((?: \w+='[A-Za-z0-9+/=]*')*)\]$", out, re.MULTILINE)
    assert len(found) == out.count("##octopus")
    return [
        (
            name,
            {
                key: base64.b64decode(value).decode()
                for key, value in re.findall(r"(\w+)='([^']*)'", attributes)
            },
        )
        for name, attributes in found
    ]


def test_octopus_is_told_in_its_step_alone(runs: dict[str, Ran]) -> None:
    ran = runs["demo"]
    told = orders(ran.out)
    variables = {each["name"]: each["value"] for name, each in told if name == "setVariable"}
    assert variables["EcrFeedAudit.Verdict"] == "NOT READY"
    assert variables["EcrFeedAudit.NotMet"] == str(ran.results["counts"]["not met"])
    files = {each["name"]: each for name, each in told if name == "createArtifact"}
    assert set(files) == {path.name for path in ran.report.iterdir()}
    for each in files.values():
        assert Path(each["path"]).stat().st_size == int(each["length"])
    shares = [int(each["percentage"]) for name, each in told if name == "progress"]
    assert shares == sorted(set(shares))
    assert len(shares) == 10
    assert shares[-1] == 100
    for mode in ("aws", "plan"):
        assert orders(runs[mode].out) == []


def test_quiet_is_quiet(runs: dict[str, Ran]) -> None:
    assert "test session starts" not in runs["plan"].out
    assert "reading " not in runs["plan"].out


def test_a_fix_of_the_policy_is_ready(runs: dict[str, Ran]) -> None:
    found = [path for ran in runs.values() for path in ran.report.glob("*policy-fix*")]
    for path in found:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert document["Version"] == "2012-10-17"
    assert list(runs["plan"].report.glob("*policy-fix*"))
