"""Planted secrets appear in no artefact and on no stream, whatever the service and the options."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.moto_server import moto_server, owner, push
from tests.support.proxy import Asked, Reply, ecr_error, query_error, serving
from tests.support.run import Ran, project_with, run_checks

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKy"
SESSION = base64.b64encode(b"\x21\x0a\x0a\x01b" + bytes(range(7, 250))).decode()
PASSWORD = "eyJwYXlsb2FkIjoi" + base64.b64encode(bytes(range(250))).decode() + "Iiwi"
TOKEN = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
LEGACY = "eyJwYXlsb2FkIjoi" + base64.b64encode(bytes(range(250, 5, -1))).decode() + "Iiwi"
PLAIN = "Tr0ub4dor&3-of-the-legacy-feed"
KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": SECRET,
    "OCTOPUS_AWS_SESSION_TOKEN": SESSION,
    "LEGACY_PASSWORD": PLAIN,
}
_FEED = """
[[feed]]
name = "Answers with {what}"
region = "{region}"
packages = ["team/app", "team/worker", "team/missing"]
credentials = {{ env_prefix = "OCTOPUS_" }}
"""
_LEGACY = """
[[docker_feed]]
name = "Legacy line"
region = "eu-west-1"
login = { file = "login.txt" }

[[docker_feed]]
name = "Legacy fields"
region = "eu-west-1"

[docker_feed.login]
username = "AWS"
password_env = "LEGACY_PASSWORD"
url = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"
"""
LOUDEST = (
    *("-vvv", "--tb=long", "--showlocals", "-rA", "--log-cli-level=DEBUG", "-s"),
    *("--setup-show", "--full-trace", "--durations=0", "-W", "default"),
    *("-o", "junit_logging=all"),
)


def forms(secret: str) -> Iterator[bytes]:
    """The secret as written, encoded, and its halves."""
    raw = secret.encode()
    whole = {
        secret,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        raw.hex(),
    }
    for form in whole:
        middle = len(form) // 2
        yield from (form.encode(), form[:middle].encode(), form[middle:].encode())


PLANTED = [
    form for text in (SECRET, SESSION, TOKEN, PASSWORD, LEGACY, PLAIN) for form in forms(text)
]


def outputs(ran: Ran, *more: Path) -> dict[str, bytes]:
    """Everything a run left behind, by name."""
    files = [path for path in (*ran.report.rglob("*"), *more) if path.is_file()]
    left = {path.name: path.read_bytes() for path in files}
    assert {"report.html", "results.json", "junit.xml", "findings.csv", "manifest.json"} <= set(
        left
    )
    return {**left, "stdout": ran.out.encode(), "stderr": ran.err.encode()}


def shows_nothing(ran: Ran, *more: Path) -> None:
    found = [
        (name, form)
        for name, content in outputs(ran, *more).items()
        for form in PLANTED
        if form in content
    ]
    assert not found


def token_answer(asked: Asked) -> Reply | None:
    """The account's own token, which nobody could have registered beforehand."""
    if asked.operation != "GetAuthorizationToken":
        return None
    data = {
        "authorizationToken": TOKEN,
        "expiresAt": 4102444800,
        "proxyEndpoint": f"https://123456789012.dkr.ecr.{asked.region}.amazonaws.com",
    }
    return Reply(200, json.dumps({"authorizationData": [data]}).encode())


def everything() -> str:
    """What a careless server may put into its answers."""
    encoded = [base64.b64encode(text.encode()).decode() for text in (SECRET, TOKEN, PASSWORD)]
    return (
        f"secret {SECRET} key='{SECRET}' X-Amz-Security-Token: {SESSION} AWS:{PASSWORD}"
        f" Authorization: Basic {TOKEN} docker login -u AWS -p {LEGACY} {' '.join(encoded)}"
        f" {SESSION[:120]}"
    )


def errors(asked: Asked) -> Reply | None:
    if asked.operation == "GetAuthorizationToken":
        return None
    return ecr_error("AccessDeniedException", everything())


def headers(asked: Asked) -> Reply | None:
    """A proxy that echoes the request it did not like, headers and all."""
    if asked.operation == "DescribeImages":
        return ecr_error("ServerException", f"{asked.headers} {everything()}", 500)
    return None


def pages(asked: Asked) -> Reply | None:
    if asked.operation.startswith(("Describe", "List")):
        return Reply(200, f"<html><p>{everything()}</p></html>".encode(), "text/html")
    return None


def bodies(asked: Asked) -> Reply | None:
    """Well-formed answers whose names, texts and codes are secrets."""
    if asked.operation == "DescribeRepositories":
        rows = [
            {
                "repositoryName": name,
                "repositoryArn": f"arn:aws:ecr:eu-west-1:123456789012:repository/{name}",
                "registryId": "123456789012",
                "repositoryUri": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{PASSWORD}",
            }
            for name in ("team/app", "team/worker", f"team/missing-{SECRET}")
        ]
        return Reply(200, json.dumps({"repositories": rows}).encode())
    if asked.operation in ("DescribeImages", "ListImages"):
        return ecr_error(f"Weird{SECRET}Exception", everything())
    return None


def identity(asked: Asked) -> Reply | None:
    if asked.operation == "GetCallerIdentity":
        return query_error("AccessDenied", everything())
    return None


ANSWERS: dict[str, Callable[[Asked], Reply | None]] = {
    "eu-west-1": errors,
    "eu-west-2": headers,
    "eu-west-3": pages,
    "eu-central-1": bodies,
    "eu-north-1": identity,
}


def answer(asked: Asked) -> Reply | None:
    """Each region is careless in its own way."""
    return token_answer(asked) or ANSWERS[asked.region](asked)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_planted_secrets(tmp_path: Path, workers: tuple[str, ...]) -> None:
    feeds = [_FEED.format(what=ANSWERS[region].__name__, region=region) for region in ANSWERS]
    (tmp_path / "feeds.toml").write_text("".join(feeds) + _LEGACY, encoding="utf-8")
    login = f"docker login -u AWS -p {LEGACY} https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    (tmp_path / "login.txt").write_text(login, encoding="utf-8")
    log, trace = tmp_path / "run.log", tmp_path / "trace.log"
    with moto_server(tmp_path) as upstream:
        for region in ANSWERS:
            client = owner(upstream, "ecr", region)
            for name in ("team/app", "team/worker"):
                client.create_repository(repositoryName=name)
                push(client, name, "1.0.0")
        with serving(answer, upstream) as endpoint:
            ran = run_checks(
                tmp_path,
                *LOUDEST,
                *workers,
                *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint),
                *("--log-file", str(log), "--log-file-level=DEBUG", f"--debug={trace}"),
                *("--output-format=ocsf", "--output-format=github", "--output-format=policy-fix"),
                env={**KEYS, "AWS_MAX_ATTEMPTS": "1"},
            )
    assert ran.status == 1, ran.text
    assert "********" in ran.text
    for region, feed in zip(ANSWERS, ran.results["feeds"], strict=False):
        assert feed["token"] or region == "eu-north-1", feed
    shows_nothing(ran, log, trace)


SHAPES = {
    "the password of a registry": rb"eyJwYXlsb2Fk",
    "base64 of AWS:": rb"QVdTO",
    "a secret access key": (
        rb"(?<![A-Za-z0-9/+=_-])(?=[a-z0-9/+]*[A-Z])(?=[A-Z0-9/+]*[a-z])(?=[A-Za-z/+]*[0-9])"
        rb"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])"
    ),
    "a signature": rb"(?i)signature=[0-9a-f]{32}",
    "an authorization header": rb"(?i)authorization['\"]?: *b?['\"]?(?:basic|bearer|aws4)",
    "a whole key ID": rb"\bA[KS]IA[A-Z0-9]{16}\b",
}


@pytest.mark.parametrize(
    ("demo", "workers"), [("healthy", ()), ("healthy", ("-n", "2")), ("denied-token", ())]
)
def test_the_embedded_accounts_own_secrets(
    tmp_path: Path, demo: str, workers: tuple[str, ...]
) -> None:
    log = tmp_path / "run.log"
    logs = ("--log-file", str(log), "--log-file-level=DEBUG")
    ran = run_checks(tmp_path, "--deep", "--demo", demo, *LOUDEST, *logs, *workers)
    assert ran.results["verdict"] == ("READY" if demo == "healthy" else "NOT READY"), ran.text
    assert not [
        (what, name)
        for what, shape in SHAPES.items()
        for name, content in outputs(ran, log).items()
        if re.search(shape, content)
    ]


LEAKY = """
import logging, sys, threading, warnings

import pytest

from ecr_feed.check import HIGH, check
from ecr_feed.outcomes import expect, note


def rule(number):
    return check(id=f"REPO-{number}", severity=HIGH, title="t", why="w", fix="f", reads=(), refs=(
        "https://example.com/",))


@pytest.fixture
def revealed(account):
    yield account.token().token.reveal()
    warnings.warn("teardown " + account.token().token.reveal())
    print("teardown", account.token().token.reveal())


@rule(1)
def test_log(feed, revealed):
    logging.getLogger("botocore.auth").debug("signing %s", revealed)
    logging.getLogger("anyone").warning("%s %s", "token", revealed)
    logging.getLogger("anyone").warning("does not fit %s %s", revealed)
    try:
        raise ValueError(revealed)
    except ValueError:
        logging.getLogger("anyone").exception("failed")


@rule(2)
def test_print(feed, revealed):
    print("captured", revealed)
    print("captured", revealed, file=sys.stderr)


@rule(3)
def test_warn(feed, revealed):
    warnings.warn("found " + revealed)


@rule(4)
def test_message(feed, revealed):
    note(found=revealed, nested={"deep": [revealed]})
    expect(False, "said " + revealed, expected=revealed, found=revealed, fix="do " + revealed)


@rule(5)
def test_mistake(feed, revealed):
    assert revealed == "something else"


@rule(6)
def test_skip(feed, revealed):
    pytest.skip("because " + revealed)


@rule(7)
def test_thread(feed, revealed):
    def fail():
        raise ValueError(revealed)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def test_that_is_no_check(accounts, pytestconfig):
    from ecr_feed.plugin.selection import selection
    feed = selection(pytestconfig).suite.feeds[0]
    print("plain", accounts.view(feed).account.token().token.reveal())
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_careless_check(tmp_path: Path, workers: tuple[str, ...]) -> None:
    # Not with -s: what a check prints past pytest's capture is nobody's to change.
    project = project_with(tmp_path, checks={"leaky": LEAKY})
    options = [option for option in LOUDEST if option not in ("-s", "--setup-show")]
    log = tmp_path / "run.log"
    logs = ("--log-file", str(log), "--log-file-level=DEBUG")
    ran = run_checks(tmp_path, *options, *logs, *workers, root=project)
    assert ran.status == 1, ran.text
    assert "token ********" in ran.text or workers
    for name, content in outputs(ran, log).items():
        assert not re.search(rb"eyJwYXlsb2Fk|QVdTO", content), name
