"""Documents judged before anything exists, and the policies that the suite itself writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.run import ONE_FEED, Ran, project_with, run_checks

REGION = "eu-central-1"
ACCOUNT = "123456789012"
BASE = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
FOUR = ["ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"]
TOKEN = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}


def statement(actions: list[str] | str, resource: list[str] | str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def plan(
    tmp_path: Path, *options: str, packages: tuple[str, ...] = ("shop/web",), **files: str
) -> Ran:
    for name, text in files.items():
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    named = [option.format(at=tmp_path) for option in options]
    for package in packages:
        named += ["--package", package]
    return run_checks(tmp_path, *named, "--aws-region", REGION, "--account", ACCOUNT)


MET = {"REGION-1", "IDENT-2", "REPO-2", "PERM-1", "PERM-2", "PERM-3", "PERM-4", "PERM-7"}
MET |= {"SCOPE-1", "SCOPE-2", "SCOPE-3"}


def test_the_minimum_policy_is_enough(tmp_path: Path) -> None:
    ran = plan(
        tmp_path,
        "--policy",
        "{at}/feed.json",
        feed=policy(TOKEN, statement(FOUR, f"{BASE}/*")),
    )
    assert ran.status == 0, ran.text
    assert ran.results["mode"] == "plan"
    assert ran.results["verdict"] == "READY"
    assert ran.checks("met") == MET
    assert ran.checks("not met") == ran.checks("not assessed") == set()
    assert "[PLAN]" in ran.out
    assert ran.results["calls"] == ran.results["call_record"] == []
    assert ran.results["auditor"] is None
    (feed,) = ran.results["feeds"]
    assert (feed["account"], feed["identity"]["arn"], feed["token"], feed["keys"]) == (
        *(ACCOUNT, None, None, []),
    )
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "Judged from documents alone" in page
    for made_up in (
        "octopus-feed",
        "no-document",
        "AKIA",
        "203.0.113",
        "000000000000",
        f"{ACCOUNT}:root",
    ):
        assert made_up not in page + ran.text + json.dumps(ran.results)


# What people post most often when a feed does not work, each with the fix that the suite prints.
POSTED: dict[str, tuple[str, set[tuple[str, str | None]], str]] = {
    "token-on-a-repository": (
        policy(statement(["ecr:GetAuthorizationToken", *FOUR], f"{BASE}/*")),
        {("PERM-1", None)},
        '"Resource": "*"',
    ),
    "one-repository-of-two": (
        policy(TOKEN, statement(FOUR, [f"{BASE}/shop/web"]), statement(FOUR[0], f"{BASE}/*")),
        {("PERM-3", "shop/api"), ("PERM-4", "shop/api")},
        f'"Action": ["ecr:DescribeImages", "ecr:ListImages"], "Resource": "{BASE}/shop/api"',
    ),
    "explicit-deny": (
        policy(
            statement("ecr:*", "*"),
            {"Sid": "NoTokens", "Effect": "Deny", "Action": "ecr:Get*", "Resource": "*"},
        ),
        {("PERM-1", None), ("SCOPE-1", None), ("SCOPE-2", None)},
        "NoTokens",
    ),
    "another-region": (
        policy(
            TOKEN,
            statement(FOUR, "arn:aws:ecr:us-east-1:123456789012:repository/*"),
        ),
        {
            (check, package)
            for check in ("PERM-2", "PERM-3", "PERM-4")
            for package in ("shop/web", "shop/api")
        }
        | {("PERM-7", None)},
        f'"Resource": ["{BASE}/shop/api", "{BASE}/shop/web"]',
    ),
    "named-listing-only": (
        policy(TOKEN, statement(FOUR, [f"{BASE}/shop/web", f"{BASE}/shop/api"])),
        {("PERM-7", None)},
        f'"Resource": "{BASE}/*"',
    ),
}


@pytest.mark.parametrize("name", POSTED)
def test_what_people_post(tmp_path: Path, name: str) -> None:
    text, expected, fix = POSTED[name]
    packages = ("shop/web", "shop/api")
    ran = plan(tmp_path, "--policy", "{at}/feed.json", packages=packages, feed=text)
    assert ran.findings("not met") - {("SCOPE-3", None)} == expected, ran.text
    check, package = min(expected, key=str)
    assert fix in ran.finding(check, package)["fix"]


@pytest.mark.parametrize(
    "name", ["token-on-a-repository", "one-repository-of-two", "another-region"]
)
def test_adding_the_printed_policy_flips_these_verdicts_and_nothing_else(
    tmp_path: Path, name: str
) -> None:
    text, expected, _ = POSTED[name]
    packages = ("shop/web", "shop/api")
    before = plan(tmp_path, "--policy", "{at}/feed.json", packages=packages, feed=text)
    perms = {found for found in expected if found[0] in ("PERM-1", "PERM-2", "PERM-3", "PERM-4")}
    check, package = min(perms, key=str)
    fix = before.finding(check, package)["fix"]
    (tmp_path / "again").mkdir()
    after = plan(
        tmp_path / "again",
        "--policy",
        f"{tmp_path}/feed.json",
        "--policy",
        "{at}/fix.json",
        packages=packages,
        fix=fix[fix.index("{") :],
    )

    def words(ran: Ran) -> dict[tuple[str, str | None], str]:
        return {(f["check"], f["package"]): f["outcome"] for f in ran.results["findings"]}

    changed = {key for key, word in words(after).items() if words(before)[key] != word}
    assert changed == perms
    assert {words(after)[key] for key in perms} == {"met"}


def test_a_boundary_an_scp_and_a_repository_policy_count(tmp_path: Path) -> None:
    feed = policy(TOKEN, statement(FOUR, f"{BASE}/*"))
    boundary = plan(
        tmp_path,
        "--policy",
        "{at}/feed.json",
        "--boundary",
        "{at}/boundary.json",
        feed=feed,
        boundary=policy(statement("s3:*", "*")),
    )
    finding = boundary.finding("PERM-3", "shop/web")
    assert finding["outcome"] == "not met"
    assert "permissions boundary" in finding["evidence"]["found"]
    assert "permissions boundary" in finding["fix"]

    (tmp_path / "scp").mkdir()
    deny = {"Effect": "Deny", "Action": "ecr:ListImages", "Resource": "*"}
    scp = plan(
        tmp_path / "scp",
        "--policy",
        f"{tmp_path}/feed.json",
        "--scp",
        "{at}/scp.json",
        scp=policy(deny),
    )
    assert scp.findings("not met") == {("PERM-4", "shop/web")}

    (tmp_path / "resource").mkdir()
    grant = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["ecr:DescribeImages", "ecr:ListImages"],
    }
    resource = plan(
        tmp_path / "resource",
        "--policy",
        "{at}/token.json",
        "--repository-policy",
        "shop/web={at}/grant.json",
        token=policy(TOKEN, statement("ecr:DescribeRepositories", f"{BASE}/*")),
        grant=policy(grant),
    )
    assert resource.checks("met") >= {"PERM-3", "PERM-4"}, resource.text


def test_a_condition_that_nobody_can_know_is_not_assessed(tmp_path: Path) -> None:
    condition = {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}
    ran = plan(
        tmp_path,
        "--policy",
        "{at}/feed.json",
        feed=policy(TOKEN, statement(FOUR, f"{BASE}/*", **condition)),
    )
    assert ran.status == 1
    (witness,) = ran.finding("PERM-3", "shop/web")["evidence"]["witnesses"]
    assert witness["witness"] == "evaluation"
    assert "aws:SourceVpce" in witness["because"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"Version": "2012-10-18", "Statement": []}', "Version"),
        ('{"Version": "2012-10-17", "Statement": [{"Effect": "Permit"}]}', "Effect"),
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "Version"),
        ('{"Statement": [] // nothing yet\n}', ""),
        (policy(statement("e*:GetAuthorizationToken", "*")), "Action"),
        # Only the service itself refuses this one: the account cannot be made.
        (policy(statement("iam:GetUser", "arn:aws:iam:eu-west-1:123456789012:user/x")), "region"),
        ("not json", ""),
    ],
)
def test_what_iam_would_refuse_is_a_usage_error_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    ran = plan(tmp_path, "--policy", "{at}/feed.json", feed=text)
    assert ran.status == 4, ran.text
    assert "feed.json" in ran.err or "PutUserPolicy" in ran.err
    assert said in ran.err
    assert "Traceback" not in ran.text


@pytest.mark.parametrize("count", [1, 1000])
def test_large_policies_are_judged(tmp_path: Path, count: int) -> None:
    filler = [statement("ecr:ListImages", f"{BASE}/other/{number:04}-é") for number in range(count)]
    if count == 1:
        names = [f"{BASE}/p/{number:03}" for number in range(90)]
        filler = [statement("ecr:ListImages", names)]
    text = policy(TOKEN, statement(FOUR, f"{BASE}/*"), *filler)
    ran = plan(tmp_path, "--policy", "{at}/feed.json", feed=text)
    if count == 1000:  # far beyond what IAM stores: it would be refused, and so it is here
        assert ran.status == 4, ran.text
        assert "IAM takes 6,144 in a managed policy (--attach managed, the default)" in ran.err
        assert "Traceback" not in ran.text
    else:
        assert ran.status == 0, ran.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--policy", "absent.json", "--aws-region", "eu-west-1", "--package", "a/b"],
            "absent.json",
        ),
        (["--policy", "pyproject.toml"], "--aws-region"),
        (["--plan", "pyproject.toml"], "not JSON"),
        (["--plan", "absent.json"], "absent.json"),
        (["--demo", "healthy", "--plan", "x"], "--demo"),
        (["--feeds", "x.toml", "--policy", "y.json"], "--feeds"),
    ],
)
def test_mixtures_and_missing_files(tmp_path: Path, arguments: list[str], said: str) -> None:
    ran = run_checks(tmp_path, *arguments)
    assert ran.status == 4, ran.text
    assert said in ran.err


def test_the_written_policy_is_exactly_enough(tmp_path: Path) -> None:
    written = tmp_path / "feed.json"
    project = project_with(tmp_path, accounts={"one": ONE_FEED})
    ran = run_checks(tmp_path, "--demo", "one", "--write-policy", str(written), root=project)
    assert ran.status == 0, ran.text
    auditor = json.loads((tmp_path / "feed.auditor.json").read_text(encoding="utf-8"))
    assert "iam:SimulatePrincipalPolicy" in auditor["Statement"][0]["Action"]
    text = written.read_text(encoding="utf-8").replace("eu-west-1", REGION)
    (tmp_path / "plan").mkdir()
    plan_of = tmp_path / "plan"
    again = plan(plan_of, "--policy", "{at}/feed.json", packages=("team/app",), feed=text)
    assert again.status == 0, again.text
    assert not again.checks("not met")


def test_every_feed_has_its_own_written_policy(tmp_path: Path) -> None:
    ran = run_checks(tmp_path, "--write-policy", str(tmp_path / "feed.json"))
    assert ran.status == 0, ran.text
    slugs = {feed["slug"] for feed in ran.results["feeds"] if feed["kind"] == "ecr"}
    assert len(slugs) > 1
    for slug in slugs:
        assert json.loads((tmp_path / f"feed.{slug}.json").read_text(encoding="utf-8"))


AUDITED = """
[[user]]
name = "octopus-feed"
keys = [{{ label = "feed", age_days = 3, used_days = 1 }}]
policies.feed = {{ allow = "ecr:*" }}

[[user]]
name = "auditor"
keys = [{{ label = "auditor" }}]
policies.audit = '{policy}'

[auditor]
key = "auditor"

[[repository]]
name = "team/app"
images = [{{ tags = ["1.0.0"] }}]

[[feed]]
name = "Production"
region = "eu-west-1"
packages = ["team/app"]
credentials = {{ key = "feed" }}
pulls = true
"""


def test_the_written_auditors_policy_is_enough_to_audit(tmp_path: Path) -> None:
    from ecr_feed.plugin.catalogue import catalogue
    from ecr_feed.plugin.policy_files import auditor_policy

    text = json.dumps(auditor_policy(catalogue()))
    project = project_with(tmp_path, accounts={"audited": AUDITED.format(policy=text)})
    ran = run_checks(tmp_path, "--demo", "audited", root=project)
    assert ran.checks("not assessed") == set(), ran.text
    denied = [call for call in ran.results["call_record"] if "Denied" in (call.get("code") or "")]
    assert denied == []
