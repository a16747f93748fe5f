"""Feeds with a web identity, judged by STS and by documents (F32-F34, F46)."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

from tests.field.helpers import ALL, Told, allow, auditor, demo, feed, once, role, table

A, REGION, HOST, AUDIENCE = "888899990000", "eu-central-1", "octopus.acme.example", "sts.acme"
SUBJECT = "space:default:feed:registry"


def jwt(subject: str = SUBJECT, issuer: str = f"https://{HOST}", seconds: int = 3600) -> str:
    """A token as STS reads it; nobody checks its signature here."""

    def part(claims: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

    claims = {"iss": issuer, "sub": subject, "aud": AUDIENCE, "exp": int(time.time()) + seconds}
    return f"{part({'alg': 'RS256', 'kid': 'k'})}.{part(claims)}.c2ln"


def trust(subject: str = SUBJECT, audience: str = AUDIENCE, host: str = HOST) -> dict[str, object]:
    return {
        "allow": "sts:AssumeRoleWithWebIdentity",
        "to": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{host}"},
        "when": {"StringEquals": {f"{host}:sub": subject, f"{host}:aud": audience}},
    }


TRUSTS: dict[str, dict[str, object]] = {
    "right": trust(),
    "case": trust(subject="space:Default:feed:Registry"),
    "slug": trust(subject="space:default:feed:old-name"),
    "audience": trust(audience="sts.amazonaws.com"),
    "colon": trust(audience=f"{AUDIENCE}:"),
    "slash": trust(host=f"{HOST}/"),
}
TOKENS = {
    "fresh": jwt(),
    "stale": jwt(seconds=-60),
    "foreign": jwt(issuer="https://octopus.other.example"),
    "none": "not a token",
}


def credentials(role_name: str, token: str = "", **more: object) -> dict[str, object]:
    sample = {"token_file": f"{token}.jwt"} if token else {}
    arn = f"arn:aws:iam::{A}:role/feeds/{role_name}"
    return {"role_arn": arn, "audience": AUDIENCE, "subject": SUBJECT, **sample, **more}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return once(tmp_path_factory, "web", judge)


def judge(tmp_path: Path) -> Told:
    def judged(name: str, given: dict[str, object]) -> str:
        return feed(name, REGION, "shop/cart", pulls=True, credentials=given)

    return demo(
        tmp_path,
        f'account = "{A}"\nregion = "{REGION}"',
        auditor(),
        table("repository", name="shop/cart", images=[{"tags": ["1.0.0"]}]),
        table("oidc_provider", url=f"https://{HOST}", audiences=[AUDIENCE]),
        *(role(name, allow(ALL), path="/feeds/", trust=given) for name, given in TRUSTS.items()),
        *(judged(name, credentials(name, "fresh")) for name in TRUSTS),
        *(judged(f"token {name}", credentials("right", name)) for name in TOKENS),
        judged("long", credentials("right", "fresh", session_seconds=14400)),
        judged("unknown role", credentials("nobody", "fresh")),
        judged("untried", credentials("right")),
        files={f"{name}.jwt": token for name, token in TOKENS.items()},
        families=("identity", "region", "repositories", "permissions", "token", "key"),
    )


def test_a_role_that_works(told: Told) -> None:
    assert told.not_met("right") == told.checks("right", "not assessed") == set()
    assert told.outcome("right", "IDENT-4") == told.outcome("right", "PERM-5") == "met"
    assert told.outcome("right", "IDENT-5") == "not applicable"


@pytest.mark.parametrize("name", ["case", "slug", "audience", "colon", "slash", "unknown role"])
def test_a_trust_policy_that_does_not_fit(told: Told, name: str) -> None:
    """F32, F33, F34: STS does not say which of them it is; nothing else is concluded."""
    said = told.of(name, "IDENT-1")
    assert said.outcome == "not met"
    assert "AssumeRoleWithWebIdentity" in said.text
    assert "trust policy" in said.fix
    assert told.not_met(name) == {"IDENT-1"}
    assert told.outcome(name, "REPO-1") == told.outcome(name, "TOKEN-1") == "not assessed"


def test_an_issuer_without_a_provider(told: Told) -> None:
    said = told.of("token foreign", "IDENT-1")
    assert said.outcome == "not met"
    assert "OpenIDConnect provider" in said.text


def test_a_session_longer_than_the_role_allows(told: Told) -> None:
    """F46: 4 hours are asked for, the role allows one."""
    said = told.of("long", "IDENT-1")
    assert said.outcome == "not met"
    assert "MaxSessionDuration" in said.text


@pytest.mark.parametrize("name", ["token stale", "token none", "untried"])
def test_without_a_usable_token_the_documents_speak(told: Told, name: str) -> None:
    """Only Octopus can sign: a sample that is stale, or none, says nothing of the feed."""
    assert told.not_met(name) == set()
    assert told.outcome(name, "IDENT-1") == told.outcome(name, "TOKEN-1") == "not assessed"
    for check in ("PERM-1", "PERM-2", "PERM-3", "PERM-4", "PERM-5", "PERM-6"):
        assert told.outcome(name, check) == "met"
    assert told.outcome(name, "KEY-1") == "not applicable"
