"""Secrets and hostile texts planted in every field of a run, looked for in every output."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ecr_feed.facts.aws import Call, Secret
from ecr_feed.findings import Comparison, Finding, OutcomeWord, WaiverUse
from ecr_feed.report import html, ocsf, services, summary, views
from ecr_feed.report.pytest_html import BEGIN, END
from ecr_feed.report.record import FeedFacts, Run, prepare
from ecr_feed.report.redact import Redactor
from ecr_feed.report.results import results, to_bytes
from ecr_feed.report.views import findings_csv
from tests.report import helpers

KEY = "fG7hJ2kL9mN4pQ6rS8tU1vW3xY5zA0bC+dE/fGhI"
TOKEN = base64.b64encode(b"AWS:" + base64.b64encode(bytes(range(256)) * 6)).decode()
UNKNOWN = "Zx9Cv8Bn7Mm6Kk5Jj4Hh3Gg2Ff1Dd0Ss+Aa/Qq1W"  # looks like one, and nobody registered it
SECRETS = (KEY, TOKEN, TOKEN[100:160], UNKNOWN)
OUTPUTS: dict[str, Callable[[Run], str]] = {
    "results.json": lambda run: to_bytes(results(run)).decode(),
    "findings.csv": lambda run: findings_csv(run).decode(),
    "ocsf": lambda run: ocsf.ocsf(run).decode(),
    "html": lambda run: html.fragment(run, "0" * 64),
    "summary.md": services.step_summary,
    "annotations": lambda run: "\n".join(services.workflow_commands(run)),
    "outputs": services.outputs,
    "octopus": lambda run: "\n".join(services.messages(run, [])),
    "terminal": lambda run: "\n".join(
        line for line, _ in [*summary.findings(run), *summary.verdict(run, Path("reports"))]
    ),
    "policy-fix": lambda run: repr(views.files(run, services.FORMATS)),
}


def planted(text: str, redactor: Redactor) -> Run:
    """A run with the text in every field that is not one of our own words."""
    findings = tuple(
        Finding(
            "REPO-1",
            "high",
            True,
            text,
            text,
            outcome,
            f"message {text}",
            {"expected": text, "found": [text], text: {"deep": text}, "request_id": text},
            f"fix {text}",
            f"test[{text}]",
        )
        for outcome in OutcomeWord
    )
    feed = FeedFacts(
        text,
        "slug",
        text,
        account=text,
        endpoint_url=text,
        identity_arn=text,
        identity_source=text,
        policy_fix={
            "permissions": 1,
            "documents": [
                {
                    "document": {"Statement": [{"Resource": text}]},
                    "way": "inline",
                    "name": text,
                    "characters": 1,
                }
            ],
            "attach_to": {"kind": "user", "name": text, "account": text, "partition": text},
            "said": text,
            "notes": [text],
            "files": ["policy-fix.slug.json"],
            "commands": [text],
        },
    )
    day = date(2026, 12, 31)
    return helpers.build(
        findings,
        redactor=redactor,
        feeds=(feed,),
        calls=(Call(text, text, text, 400, 1, 0.1, text, text),),
        waivers=(WaiverUse("REPO-1", text, text, text, text, day, "in force", 1, text),),
        comparison=Comparison(
            text,
            "2026-11-24T00:00:00Z",
            "0" * 64,
            {("REPO-1", text, text): "new"},
            (("A", text, text),),
        ),
        auditor_arn=text,
        source=text,
        options={"--feeds": text},
        inputs={text: "0" * 64},
        complete=False,
        incomplete=text,
    )


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_secret_is_in_any_output(output: str) -> None:
    redactor = Redactor([Secret(KEY), Secret(TOKEN)])
    for secret in SECRETS:
        made = OUTPUTS[output](planted(secret, redactor))
        for start in range(0, len(secret) - 12, 7):
            assert secret[start : start + 13] not in made, (output, secret[:8])


@pytest.mark.parametrize("output", [name for name in OUTPUTS if name != "outputs"])
def test_the_mask_shows_that_something_was_there(output: str) -> None:
    made = OUTPUTS[output](planted(KEY, Redactor([Secret(KEY)])))
    assert "****" in made or output == "octopus" or "\\*\\*" in made


@pytest.mark.parametrize("text", helpers.HOSTILE[:-1])
def test_no_hostile_text_leaves_a_control_character(text: str) -> None:
    run = planted(text, Redactor())
    for name, made in ((name, make(run)) for name, make in OUTPUTS.items()):
        for letter in "\x00\x07\x08\x1b\x7f\x9b\u202e\u2066\ud800":
            assert letter not in made, name
        made.encode("utf-8")


@pytest.mark.parametrize("text", helpers.HOSTILE[:-1])
def test_no_hostile_text_ends_the_fragment(text: str) -> None:
    made = html.fragment(planted(text, Redactor()), "0" * 64)
    assert made.count(BEGIN) == made.count(END) == 1
    assert made.startswith(BEGIN)
    assert made.endswith(END)


def test_preparing_twice_changes_nothing() -> None:
    redactor = Redactor([Secret(KEY)])
    run = planted(f"{KEY} \x1b[31m", redactor)
    again = prepare(run, redactor)
    assert to_bytes(results(again)) == to_bytes(results(run))
