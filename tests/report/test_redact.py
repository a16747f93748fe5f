"""Secrets in every form that a library may print them in; and what is no secret stays."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from time import process_time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.facts.aws import MASK, Secret
from ecr_feed.findings import Finding, OutcomeWord
from ecr_feed.report.redact import GRAM, Redactor

KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYqH7TSLKEYs"
PASSWORD = base64.b64encode(json.dumps({"payload": "p" * 40 + "Zq1/x+9", "version": "2"}).encode())
TOKEN = base64.b64encode(b"AWS:" + PASSWORD).decode()
AWKWARD = 'p<w>"&/ä\\\n%20secret'


def known() -> Redactor:
    return Redactor([Secret(KEY), Secret(TOKEN), Secret(AWKWARD)])


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "inside": lambda text: f"before {text} after",
    "repr": repr,
    "json": json.dumps,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "html": html.escape,
    "url": lambda text: quote(text, safe=""),
    "url lower": lambda text: quote(text, safe="").lower(),
    "reversed": lambda text: text[::-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 url": lambda text: base64.urlsafe_b64encode(b"x" + text.encode()).decode(),
    "base64 pair": lambda text: base64.b64encode(b"AWS:" + text.encode() + b"!").decode(),
    "hex": lambda text: text.encode().hex(),
}


@pytest.mark.parametrize(
    "secret", [KEY, TOKEN, PASSWORD.decode(), AWKWARD], ids=["key", "token", "password", "awkward"]
)
@pytest.mark.parametrize("form", FORMS)
def test_a_registered_secret_is_gone_in_every_form(secret: str, form: str) -> None:
    text = FORMS[form](secret)
    shown = known().text(text)
    assert MASK in shown
    assert shown != text
    middle = secret[len(secret) // 3 :][: GRAM - 2]
    assert len(secret) < 24 or middle not in shown


@pytest.mark.parametrize(
    "secret", [KEY, TOKEN, PASSWORD.decode()], ids=["key", "token", "password"]
)
@pytest.mark.parametrize("half", [0, 1])
def test_the_halves_of_a_long_secret_are_gone_too(secret: str, half: int) -> None:
    middle = len(secret) // 2
    part = (secret[:middle], secret[middle:])[half]
    shown = known().text(f"value {part}...")
    assert MASK in shown
    assert part[:GRAM] not in shown
    assert part[-GRAM:] not in shown


@given(st.binary(min_size=30, max_size=60), st.integers(0, 40), st.text(max_size=10))
def test_no_piece_of_a_random_secret_survives(raw: bytes, at: int, around: str) -> None:
    secret = base64.b64encode(raw).decode()
    redactor = Redactor([secret])
    piece = secret[at % 20 : at % 20 + 24]
    shown = redactor.text(f"{around} {piece} {around}")
    grams = {piece[i : i + GRAM] for i in range(len(piece) - GRAM + 1)}
    low = {gram for gram in grams if len(set(gram)) < 3}
    assert not any(gram in shown for gram in grams - low)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("key AKIAIOSFODNN7ABCDEFG.", "IOSFODNN7"),
        ("ASIAIOSFODNN7ABCDEFG", "IOSFODNN7"),
        (f"found {KEY}", KEY[:10]),
        ("Authorization: Basic QVdTOmFiYw==", "QVdTOm"),
        ('{"Authorization": "Bearer abc.def"}', "abc.def"),
        ("docker login -u AWS -p hunter2 -e none https://1.dkr", "hunter2"),
        ("docker login --username AWS --password hunter2 https://1.dkr", "hunter2"),
        ("docker login --password=hunter2 host", "hunter2"),
        ("docker login -phunter2 host", "hunter2"),
        ("docker login -p 'two words' host", "two words"),
        ("aws_secret_access_key = abcdefgh", "abcdefgh"),
        ('"SecretAccessKey": "abcdefgh"', "abcdefgh"),
        ("AWS_SESSION_TOKEN=abcdefgh", "abcdefgh"),
        ("password: abcdefgh", "abcdefgh"),
        ("https://user:hunter2@host/", "hunter2"),
        ("X-Amz-Signature=0123456789abcdef0123", "0123456789abcdef"),
        ("?X-Amz-Security-Token=IQoJb3JpZ2lu&x", "IQoJb3"),
        ("Signature=" + "0f" * 32, "0f0f0f"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "eyJzdWI"),
        ("eyJwYXlsb2FkIjoiQUJDREVGRw==", "QUJDRE"),
        ("AWS:abcdefghijklmnopqrst", "abcdefgh"),
        ("AQECAHhwm0YaISJeRtJm5n1G6uqeekXuoXXPe5UFce9Rq8/14wAAAA", "hwm0Ya"),
        ("X-Octopus-ApiKey: API-ABCDEFGHIJKLMNOPQRSTUVWXYZ1", "ABCDEFGH"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "abc"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, hidden: str) -> None:
    shown = Redactor().text(text)
    assert hidden not in shown
    assert "****" in shown
    assert Redactor().text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "ecr:GetAuthorizationToken is denied to arn:aws:iam::123456789012:user/octopus-feed",
        "sha256:" + "0123456789abcdef" * 4,
        "7c0e6f2a-0000-4000-8000-000000000000",
        "platform/payments/checkout/service-worker-image",
        "aws ecr create-repository --repository-name team/app --region eu-west-1",
        "aws ecr get-login-password | docker login --username AWS --password-stdin 1.dkr.ecr.x",
        "Basic authentication is what ECR's registry takes.",
        "The token lives 12 h; the secret key was made 80 days ago.",
        "0123456789abcdef0123456789abcdef01234567",
        "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "ap-southeast-1 ASIA akia",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().text(text) == text
    assert known().text(text) == text


def test_key_ids_keep_their_last_four() -> None:
    assert Redactor().text("AKIAIOSFODNN7ABCDEFG") == "AKIA************DEFG"


def test_short_secrets_are_masked_as_whole_words_only() -> None:
    redactor = Redactor([Secret("prod"), Secret("abc")])
    assert redactor.text("password prod, product") == f"password {MASK}, product"
    assert redactor.text("abcdef abc") == "abcdef abc"


def test_scrub_makes_json_of_anything() -> None:
    class Word(Enum):
        A = "a"

    moment = datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)
    scrubbed = known().scrub(
        {
            "text": f"x {KEY}",
            KEY: 1,
            "nested": [{"deep": (KEY, None, True, 1.5)}],
            "secret": Secret("s"),
            "password": "whatever it is",
            "word": Word.A,
            "outcome": OutcomeWord.MET,
            "time": moment,
            "set": {"b", "a"},
            "nan": float("nan"),
            "bytes": b"raw",
            "object": object(),
        }
    )
    text = json.dumps(scrubbed, allow_nan=False)
    assert KEY not in text
    assert scrubbed == {
        "text": f"x {MASK}",
        MASK: 1,
        "nested": [{"deep": [MASK, None, True, 1.5]}],
        "secret": MASK,
        "password": MASK,
        "word": "a",
        "outcome": "met",
        "time": "2026-11-25T01:02:03Z",
        "set": ["a", "b"],
        "nan": "nan",
        "bytes": "<bytes>",
        "object": "<object>",
    }


def test_scrub_ends_on_a_value_that_holds_itself() -> None:
    knot: dict[str, object] = {}
    knot["again"] = knot
    assert "nested too deep" in json.dumps(known().scrub(knot))


def test_a_finding_is_scrubbed_whole() -> None:
    finding = Finding(
        "REPO-1", "high", True, KEY, KEY, OutcomeWord.MET, KEY, {"a": [KEY]}, KEY, KEY
    )
    shown = known().finding(finding)
    assert KEY not in repr(shown)
    assert type(shown.outcome) is str


def test_a_secret_registered_later_counts_from_then_on() -> None:
    redactor = Redactor()
    text = "the word Zebra-Crossing-7 is one"
    assert redactor.line(text) == text
    redactor.register(Secret("Zebra-Crossing-7"))
    assert redactor.line(text) == f"the word {MASK} is one"


def test_ten_thousand_findings_take_seconds_of_processor_time_at_most() -> None:
    redactor = known()
    begin = process_time()
    for number in range(10_000):
        message = f"Package ID 'team/app-{number}' has no repository in eu-west-1."
        evidence = {"near": ["team/app", f"team/app{number}"], "request_id": f"7c0e-{number}"}
        redactor.finding(
            Finding("REPO-1", "high", True, "F", f"a/{number}", "met", message, evidence, "fix")
        )
    assert process_time() - begin < 20


@pytest.mark.parametrize(
    "text",
    ["docker login ", "eyJaaaaaaaaaaaa", "://a", "-----BEGIN PRIVATE KEY-----", "-p ", "aB3/"],
)
def test_a_megabyte_of_almost_secrets_is_no_trap(text: str) -> None:
    begin = process_time()
    known().block(text * (1_000_000 // len(text)))
    assert process_time() - begin < 15


def test_an_account_id_in_a_token_is_no_secret() -> None:
    # As a widely used test endpoint makes them.
    token = base64.b64encode(b"AWS:123456789012-auth-token").decode()
    shown = Redactor([Secret(token)]).text(f"{token} 123456789012-auth-token 123456789012")
    assert shown == "******** ******** 123456789012"
    assert Redactor([Secret(token)]).text("210987654321") == "210987654321"
