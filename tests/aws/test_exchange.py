"""Credentials that are exchanged for others: web identities, the worker's key in account files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecr_feed.aws.readers.identity import IdentityReader
from ecr_feed.aws.transport.backend import Backend, SigningKey
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import OidcCredentials, WorkerCredentials
from ecr_feed.facts.aws import Secret, Trouble
from tests.aws.fake import ACCOUNT, FakeAws, Reply, over_http, query_fault, served
from tests.aws.helpers import assumed, embedded, failure_of

HOUR = datetime(2026, 11, 1, 13, tzinfo=UTC)
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/octopus"


def oidc(path: Path | None) -> OidcCredentials:
    return OidcCredentials(
        role_arn=ROLE, audience="api://default", token_file=path, session_seconds=900
    )


def test_a_web_identity_is_exchanged_unsigned_as_octopus_does(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("eyJhbGciOiJSUzI1NiJ9.e30.x\n")
    fake = FakeAws()
    operation = "AssumeRoleWithWebIdentity"
    fake.replies[operation] = lambda asked: Reply(200, assumed(operation).encode())
    with served(over_http(fake)) as url:
        sessions = Sessions(backend=Backend(endpoint_url=url))
        identity = IdentityReader(sessions, oidc(tmp_path / "token")).identity(REGION)
    exchange = fake.seen[0]
    assert exchange.key == ""
    assert exchange.parameters["RoleSessionName"] == "OctopusAwsAuthentication"
    assert exchange.parameters["DurationSeconds"] == "900"
    assert identity.expires_at == HOUR
    assert fake.seen[1].key == "ASIASESSIONSESSION01"


def test_a_web_identity_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("eyJhbGciOiJSUzI1NiJ9.e30.x")
    fake = FakeAws()
    fake.replies["AssumeRoleWithWebIdentity"] = lambda asked: query_fault(
        "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    )
    with served(over_http(fake)) as url:
        sessions = Sessions(backend=Backend(endpoint_url=url))
        failure = failure_of(IdentityReader(sessions, oidc(tmp_path / "token")).identity, REGION)
    assert (failure.trouble, failure.code) == (Trouble.NO_CREDENTIALS, "AccessDenied")


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("AccessDenied", Trouble.NO_CREDENTIALS),
        ("ValidationError", Trouble.NO_CREDENTIALS),
        ("InvalidIdentityToken", Trouble.NO_CREDENTIALS),
        # The sample is past its time, or the provider or STS had a fault: no fault of the feed's.
        ("ExpiredTokenException", Trouble.OTHER),
        ("IDPCommunicationError", Trouble.OTHER),
        ("InternalFailure", Trouble.OTHER),
        ("Throttling", Trouble.THROTTLED),
    ],
)
def test_what_a_refused_web_identity_says(tmp_path: Path, code: str, trouble: Trouble) -> None:
    (tmp_path / "token").write_text("eyJhbGciOiJSUzI1NiJ9.e30.x")
    fake = FakeAws()
    fake.replies["AssumeRoleWithWebIdentity"] = lambda asked: query_fault(code, "said")
    failure = failure_of(IdentityReader(embedded(fake), oidc(tmp_path / "token")).identity, REGION)
    assert (failure.trouble, failure.code) == (trouble, code)


@pytest.mark.parametrize("text", [None, b"", b"hello", b"\xff.\xff.\xff", b"a.b"])
def test_a_token_file_without_a_token_says_nothing_of_the_feed(
    tmp_path: Path, text: bytes | None
) -> None:
    if text is not None:
        (tmp_path / "token").write_bytes(text)
    failure = failure_of(IdentityReader(Sessions(), oidc(tmp_path / "token")).identity, REGION)
    assert (failure.trouble, failure.code) == (Trouble.OTHER, "TokenFile")
    assert "token file" in failure.message


def test_no_token_file_at_all() -> None:
    without = failure_of(IdentityReader(Sessions(), oidc(None)).identity, REGION)
    assert without.trouble == Trouble.NO_CREDENTIALS
    assert "token_file" in without.message


def test_the_workers_key_of_an_account_file() -> None:
    fake = FakeAws()
    worker = WorkerCredentials(worker=True)
    nobody = failure_of(IdentityReader(embedded(fake), worker).identity, REGION)
    assert (nobody.trouble, len(fake.seen)) == (Trouble.NO_CREDENTIALS, 0)
    keys = {"worker": SigningKey("ASIAWORKERWORKERWO01", Secret("s"), Secret("t"), HOUR)}
    sessions = Sessions(backend=Backend(kind="embedded", answer=fake.answer, keys=keys))
    found = IdentityReader(sessions, worker).identity(REGION)
    assert (found.access_key_id, found.expires_at) == ("ASIAWORKERWORKERWO01", HOUR)
