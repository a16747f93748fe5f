"""Endpoints that refuse, lie or break off end in "not assessed", never in "met" or a traceback."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.support.proxy import Answer, Asked, Reply, ecr_error, query_error, serving
from tests.support.run import Ran, project_with, run_checks

KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "x" * 40,
}
FEED = """
[[feed]]
name = "Production"
region = "eu-west-1"
packages = ["team/app", "team/worker"]
credentials = { env_prefix = "OCTOPUS_" }
"""
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/octopus</Arn>"
    "<UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
LIVE = {
    "IDENT-1",
    "REPO-1",
    "PERM-1",
    "PERM-2",
    "PERM-3",
    "PERM-4",
    "TOKEN-1",
    "TOKEN-2",
    "TOKEN-3",
}
"""What rests on an answer."""


def run(tmp_path: Path, endpoint: str, **env: str) -> Ran:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(FEED, encoding="utf-8")
    return run_checks(
        tmp_path,
        "--feeds",
        str(feeds),
        "--aws-endpoint-url",
        endpoint,
        env={**KEYS, "AWS_MAX_ATTEMPTS": "1", **env},
    )


def nothing_is_concluded(ran: Ran) -> None:
    assert ran.status == 1, ran.text
    assert "Traceback" not in ran.text
    assert not ran.checks("met") & LIVE
    assert ran.checks("not assessed") >= LIVE
    # That a host cannot be reached is a finding of its own; everything else stays open.
    assert {check.split("-")[0] for check in ran.checks("not met")} <= {"REACH"}


def said(ran: Ran, check: str = "IDENT-1") -> str:
    return str(ran.finding(check)["message"])


def test_refused(tmp_path: Path) -> None:
    with socket.socket() as held:  # bound, never listening: every connection is refused
        held.bind(("127.0.0.1", 0))
        ran = run(tmp_path, f"http://127.0.0.1:{held.getsockname()[1]}")
    nothing_is_concluded(ran)
    assert "connection refused" in said(ran)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, b"<html><body>Please log in</body></html>", "text/html"), "malformed"),
        (Reply(200, b"", "application/json"), "malformed"),
        (Reply(200, b"{}", "application/x-amz-json-1.1"), "malformed"),
        (Reply(503, b"<html>bad gateway</html>", "text/html"), ""),
        (Reply(403, b"<html>proxy says no</html>", "text/html"), ""),
    ],
    ids=["html", "empty", "no-keys", "html-503", "html-403"],
)
def test_answers_that_are_not_aws(tmp_path: Path, reply: Reply, words: str) -> None:
    with serving(lambda asked: reply) as endpoint:
        ran = run(tmp_path, endpoint)
    nothing_is_concluded(ran)
    assert words in said(ran)


def test_a_200_that_breaks_off(tmp_path: Path) -> None:
    reply = Reply(200, IDENTITY.encode(), "text/xml", cut=120)
    with serving(lambda asked: reply) as endpoint:
        ran = run(tmp_path, endpoint)
    nothing_is_concluded(ran)


def ecr_only(answers: dict[str, Reply]) -> Answer:
    def answer(asked: Asked) -> Reply:
        if asked.operation == "GetCallerIdentity":
            return Reply(200, IDENTITY.encode(), "text/xml")
        return answers.get(asked.operation, Reply(200, b"{}"))

    return answer


def test_a_truncated_list_is_never_read_as_none(tmp_path: Path) -> None:
    whole = json.dumps({"repositories": [], "imageDetails": [], "imageIds": []}).encode()
    for reply in (
        Reply(200, b"{}"),
        Reply(200, whole, cut=10),
        Reply(200, b'{"repositories": null}'),
    ):
        operations = (
            "DescribeRepositories",
            "DescribeImages",
            "ListImages",
            "GetAuthorizationToken",
        )
        with serving(ecr_only(dict.fromkeys(operations, reply))) as endpoint:
            ran = run(tmp_path, endpoint)
        assert ran.checks("not met") == set(), ran.text
        assert {"REPO-1", "TOKEN-1", "PERM-1"} <= ran.checks("not assessed")
        assert ran.finding("IDENT-1")["outcome"] == "met"


def test_a_certificate_nobody_knows(tmp_path: Path) -> None:
    from tests.support.tls import tls_server

    with tls_server(tmp_path) as endpoint:
        ran = run(tmp_path, endpoint)
    nothing_is_concluded(ran)
    assert "TLS" in said(ran)
    assert "AWS_CA_BUNDLE" in ran.finding("IDENT-1")["fix"]


FAULTY = """
[[user]]
name = "octopus-feed"
keys = [{{ label = "feed" }}]
policies.feed = {{ allow = "ecr:*" }}

[[repository]]
name = "team/app"

[[feed]]
name = "Production"
region = "eu-west-1"
packages = ["team/app"]
credentials = {{ key = "feed" }}

[[fault]]
{fault}
"""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ('connection = "read-timeout"', "timeout"),
        ('connection = "connect-timeout"', "timeout"),
        ('connection = "dns"', "name not resolved"),
        ('connection = "reset"', "connection lost"),
        ('connection = "proxy"', "proxy"),
        ("truncate = 10", "malformed"),
        ('code = "Throttling"', "10 attempts"),
        ('code = "InternalFailure"', "InternalFailure"),
    ],
)
def test_no_answer_and_broken_answers_conclude_nothing(
    tmp_path: Path, fault: str, words: str
) -> None:
    # In process, where nobody waits: a read that hangs for real takes half a minute.
    project = project_with(tmp_path, accounts={"faulty": FAULTY.format(fault=fault)})
    ran = run_checks(tmp_path, "--demo", "faulty", root=project)
    nothing_is_concluded(ran)
    assert words in said(ran)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_the_code_decides_and_not_the_status(tmp_path: Path, status: int) -> None:
    token = ecr_error("AccessDeniedException", "said", status)
    with serving(ecr_only({"GetAuthorizationToken": token})) as endpoint:
        ran = run(tmp_path, endpoint)
    assert ran.finding("PERM-1")["outcome"] == "not met"
    assert ran.finding("TOKEN-1")["outcome"] == "not assessed"


def test_a_clock_that_is_off_is_never_a_wrong_key(tmp_path: Path) -> None:
    late = query_error(
        "SignatureDoesNotMatch", "Signature expired: 20201125T000000Z is now earlier"
    )
    with serving(lambda asked: late) as endpoint:
        ran = run(tmp_path, endpoint)
    nothing_is_concluded(ran)
    assert "clock" in ran.finding("IDENT-1")["fix"]


def test_collecting_makes_no_call(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(FEED, encoding="utf-8")
    asked: list[Asked] = []
    with serving(asked.append) as endpoint:
        ran = run_checks(
            tmp_path,
            "--feeds",
            str(feeds),
            "--aws-endpoint-url",
            endpoint,
            "--collect-only",
            "-q",
            "-p",
            "tests.support.no_network",
            env={**KEYS, "PYTHONPATH": "."},
        )
    assert ran.status == 0, ran.text
    assert "test_repository_exists[production|team/app]" in ran.out
    assert asked == []
    assert not ran.report.exists() or not list(ran.report.iterdir())
