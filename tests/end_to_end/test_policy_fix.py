"""130 packages and a policy that allows the token alone: every document, attached as printed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import from_tables
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed import core_for, fill
from tests.iam.test_quotas import granted
from tests.support.iam_commands import run_commands
from tests.support.run import Ran, project_with, run_checks

NAMES = [f"team/service-{number}" for number in range(130)]
ACCOUNT = f"""
[auditor]
key = "owner"

[[user]]
name = "octopus-feed"
keys = [{{ label = "feed" }}]
policies.token = {{ allow = "ecr:GetAuthorizationToken" }}

[[repository]]
name = "team/service-{{n}}"
count = 130

[[feed]]
name = "Auditor"
region = "eu-west-1"
packages = {NAMES}
credentials = {{ key = "feed" }}
"""
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/"
READS = ("ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policy-fix")


@pytest.fixture(scope="module")
def ran(folder: Path) -> Ran:
    project = project_with(folder, accounts={"many": ACCOUNT})
    options = ("--demo", "many", "--output-format", "policy-fix", "--write-policy", "feed.json")
    target = [str(project / "checks" / "test_permissions.py")]
    rooted = ("-c", str(project / "pyproject.toml"), "--rootdir", str(project))
    return run_checks(folder, *rooted, *options, root=project, cwd=folder, target=target)


def covers(allowed: set[tuple[str, str]], action: str, name: str) -> bool:
    return bool({(action, REPOSITORY + name), (action, f"{REPOSITORY}*")} & allowed)


def test_every_missing_permission_is_in_a_document_within_the_quota(ran: Ran) -> None:
    files = sorted(ran.report.glob("policy-fix*"))
    assert [path.name for path in files] == [
        "policy-fix.auditor.2.json",
        "policy-fix.auditor.json",
    ]
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    for document in documents:
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144
    allowed = {pair for document in documents for pair in granted(document)}
    left = [(a, name) for a in READS for name in NAMES if not covers(allowed, a, name)]
    assert left == []
    assert "ecr:GetAuthorizationToken" not in {action for action, _ in allowed}


def test_the_policy_stands_once_in_the_results(ran: Ran) -> None:
    (feed,) = ran.results["feeds"]
    assert feed["policy_fix"]["permissions"] == 3 * 130 + 1
    fixes = {finding["fix"] for finding in ran.results["findings"] if finding["fix"]}
    assert len(fixes) == 1
    assert "policy-fix" in fixes.pop()
    text = (ran.report / "results.json").read_text(encoding="utf-8")
    assert text.count(f'"{REPOSITORY}team/service-17"') < 20


def test_the_terminal_names_what_was_written_and_how_to_attach_it(ran: Ran) -> None:
    lines = ran.out.splitlines()
    assert (
        "Policy of Auditor: 391 permissions that it lacks, in 2 files. "
        "Attach them as 2 managed policies of user octopus-feed."
    ) in lines
    for name in ("feed.json", "feed.2.json", "report/policy-fix.auditor.2.json"):
        assert [line for line in lines if line.startswith(f"  wrote {name} (")], name
    assert "wrote feed.auditor.json (the auditor's policy)" in lines


@pytest.mark.parametrize("needed", [True, False])
def test_the_printed_commands_allow_every_denied_permission(
    ran: Ran, folder: Path, needed: bool
) -> None:
    said = "that it needs" if needed else "that it lacks"
    lines = ran.out.splitlines()
    start = next(at for at, line in enumerate(lines) if said in line)
    commands = []
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        commands += [line.strip()] if line.startswith("  aws ") else []
    account = from_tables(tomllib.loads(ACCOUNT), "many")
    core = core_for(account)
    fill(core, account)
    iam: Any = Owner(core).client("iam", account.region, account.account)
    assert run_commands(commands, iam, folder) == ["create-policy", "attach-user-policy"] * 2
    arn = "arn:aws:iam::123456789012:user/octopus-feed"
    asked = [*(f"{REPOSITORY}{name}" for name in NAMES)]
    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=[*READS], ResourceArns=asked
    )
    decisions = {
        row["EvalResourceDecision"]
        for result in answer["EvaluationResults"]
        for row in result["ResourceSpecificResults"]
    }
    assert decisions == {"allowed"}


def test_a_changed_file_is_not_overwritten(ran: Ran, folder: Path, tmp_path: Path) -> None:
    assert ran.status == 1
    path = tmp_path / "feed.json"
    path.write_text((folder / "feed.json").read_text(encoding="utf-8") + " ", encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    again = run_checks(tmp_path, "--demo", "missing-repository", "--write-policy", str(path))
    assert again.status == 4
    assert "feed.json was not written by an earlier run" in again.err
    assert path.read_text(encoding="utf-8") == before
    assert not (tmp_path / "feed.auditor.json").exists()
