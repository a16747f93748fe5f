"""Policies as files: names, commands, and where a report shows them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from ecr_feed.report import html
from ecr_feed.report.policies import lines, numbered, policy_fixes, with_files
from ecr_feed.report.results import results, schema, to_bytes
from tests.report import helpers
from tests.report.test_results import closed

ONE: dict[str, Any] = {"Version": "2012-10-17", "Statement": [{"Sid": "One"}]}
TWO: dict[str, Any] = {"Version": "2012-10-17", "Statement": [{"Sid": "Two"}]}
LACKING = replace(helpers.FEED, policy_fix=helpers.fix(ONE, TWO))
FILES = ["policy-fix.production-ecr.json", "policy-fix.production-ecr.2.json"]
ATTACH = "aws iam attach-user-policy --user-name octopus-feed --policy-arn"


def test_the_documents_of_a_policy_are_numbered_from_the_second() -> None:
    assert numbered("a.json", 3) == ["a.json", "a.2.json", "a.3.json"]
    assert numbered("a.json", 0) == []


def test_every_document_has_a_file() -> None:
    run = helpers.build(helpers.few(), feeds=(with_files(LACKING), helpers.TEAM))
    made = {name: json.loads(content) for name, content in policy_fixes(run).items()}
    assert made == dict(zip(FILES, (ONE, TWO), strict=True))


def test_results_have_the_policy_once_with_files_and_commands() -> None:
    run = helpers.build(helpers.few(), feeds=(with_files(LACKING), helpers.TEAM))
    made = json.loads(to_bytes(results(run)))
    Draft202012Validator(closed(schema())).validate(made)
    fix, none = (feed["policy_fix"] for feed in made["feeds"])
    assert none is None
    assert [placed["document"] for placed in fix["documents"]] == [ONE, TWO]
    assert fix["files"] == FILES
    assert fix["commands"] == [
        f"aws iam create-policy --policy-name ecr-1 --policy-document file://{FILES[0]}",
        f"{ATTACH} arn:aws:iam::123456789012:policy/ecr-1",
        f"aws iam create-policy --policy-name ecr-2 --policy-document file://{FILES[1]}",
        f"{ATTACH} arn:aws:iam::123456789012:policy/ecr-2",
    ]


def test_without_the_format_there_are_neither_files_nor_commands_that_name_them() -> None:
    run = helpers.build(helpers.few(), feeds=(LACKING,))
    (feed,) = json.loads(to_bytes(results(run)))["feeds"]
    assert (feed["policy_fix"]["files"], feed["policy_fix"]["commands"]) == ([], [])
    page = html.fragment(run, "0" * 64)
    assert "With --output-format policy-fix it is written to files." in page


def test_the_page_has_the_policy_once() -> None:
    page = html.fragment(helpers.build(helpers.few(), feeds=(with_files(LACKING),)), "0" * 64)
    assert page.count("&#34;Two&#34;") == 1
    assert "all 391 missing permissions, in 2 documents" in page
    assert "No auditor is configured." in page
    assert f"{ATTACH} arn:aws:iam::123456789012:policy/ecr-2" in page
    assert "file it" not in page


def test_the_terminal_names_files_and_commands() -> None:
    fix = helpers.fix(ONE)
    assert list(lines("Production", fix, ["reports/a.json"], needed=False)) == [
        (
            "Policy of Production: 391 permissions that it lacks, in 1 file. "
            "Attach them as managed policies of user octopus-feed."
        ),
        "  wrote reports/a.json (40 characters, managed policy)",
        "  aws iam create-policy --policy-name ecr-1 --policy-document file://reports/a.json",
        f"  {ATTACH} arn:aws:iam::123456789012:policy/ecr-1",
        "  No auditor is configured.",
    ]
