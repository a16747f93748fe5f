from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.aws.transport.access_denied import DenialMessage, parse_denial

USER = "arn:aws:sts::123456789012:assumed-role/feed/session"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
HEAD = f"User: {USER} is not authorized to perform: ecr:ListImages on resource: {REPOSITORY}"
POLICY = "arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"


QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"


def lacking(kind: str) -> str:
    return f" because no {kind} allows the ecr:ListImages action"


def denying(kind: str) -> str:
    return f" with an explicit deny in {kind}"


@pytest.mark.parametrize(
    ("tail", "explicit", "layer", "policy"),
    [
        ("", None, "", ""),
        (lacking("identity-based policy"), False, "identity", ""),
        (lacking("permissions boundary"), False, "boundary", ""),
        (lacking("session policy"), False, "session", ""),
        (lacking("resource-based policy"), False, "resource", ""),
        (lacking("service control policy"), False, "scp", ""),
        (lacking("resource control policy"), False, "rcp", ""),
        (lacking("VPC endpoint policy"), False, "endpoint", ""),
        (denying("an identity-based policy"), True, "identity", ""),
        (denying("a service control policy"), True, "scp", ""),
        (denying("a permissions boundary."), True, "boundary", ""),
        (denying("a VPC endpoint policy"), True, "endpoint", ""),
        (denying(f"a service control policy: {POLICY}"), True, "scp", POLICY),
        (denying(f"a service control policy: {POLICY}. See https://aws/x"), True, "scp", POLICY),
        (denying("something new policy"), True, "", ""),
        (" with an explicit deny", True, "", ""),
        (" with an explicit deny.", True, "", ""),
        (" with an explicit deny. Go to https://aws/authorization-details/ID", True, "", ""),
        (denying("an identity-based policy") + " Go to https://aws/x/ID", True, "identity", ""),
        (denying("a resource-based policy") + ". Go to https://aws/x/ID", True, "resource", ""),
        (lacking("resource-based policy") + ". Go to https://aws/x/ID", False, "resource", ""),
        (denying(f"an identity-based policy: {QUARANTINE}"), True, "identity", QUARANTINE),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_aws_reasons(tail: str, explicit: bool | None, layer: str, policy: str) -> None:
    assert parse_denial(HEAD + tail) == DenialMessage(
        USER, "ecr:ListImages", REPOSITORY, explicit, layer, policy
    )


def test_no_resource_no_user() -> None:
    said = parse_denial("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert said == DenialMessage(action="sts:AssumeRoleWithWebIdentity")
    assert parse_denial("") == DenialMessage()


@pytest.mark.parametrize(
    ("written", "resource"),
    [
        (f'"{REPOSITORY}"', REPOSITORY),
        ("user octopus-feed", "user octopus-feed"),
        ("role ci", "role ci"),
        ("*", "*"),
        (f"{REPOSITORY}.", REPOSITORY),
    ],
)
def test_the_forms_of_a_resource(written: str, resource: str) -> None:
    for tail in ("", lacking("identity-based policy"), " with an explicit deny"):
        assert parse_denial(HEAD.replace(REPOSITORY, written) + tail).resource == resource


def test_the_literal_resource_of_a_list_without_names() -> None:
    whole = REPOSITORY.replace("team/app", "*")
    assert parse_denial(HEAD.replace(REPOSITORY, whole)).resource == whole


def test_reason_in_words() -> None:
    assert parse_denial(HEAD + " with an explicit deny in a service control policy").reason == (
        "an explicit deny in the scp policy"
    )
    assert parse_denial(HEAD).reason == ""


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    said = parse_denial(HEAD + text)
    assert said.action == "ecr:ListImages"
    parse_denial(text)
