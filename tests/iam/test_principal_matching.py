from __future__ import annotations

import pytest

from ecr_feed.iam import Outcome, principal_context
from ecr_feed.iam.principal_matching import CallerKind, read_caller
from tests.iam.helpers import (
    FEDERATED,
    FOREIGN,
    ROLE,
    ROOT,
    SESSION,
    USER,
    A,
    B,
    allow,
    ask,
    grant,
    policy,
)

SERVICE = "lambda.amazonaws.com"
OTHER_USER = f"arn:aws:iam::{A}:user/other"
OTHER_SESSION = f"arn:aws:sts::{A}:assumed-role/octopus-feed/other"
PROVIDER = f"arn:aws:iam::{A}:oidc-provider/octopus.example.com"


@pytest.mark.parametrize(
    ("principal", "kind", "account"),
    [
        (None, CallerKind.UNSIGNED, None),
        (USER, CallerKind.USER, A),
        (f"arn:aws:iam::{A}:user/a/b/c", CallerKind.USER, A),
        (ROLE, CallerKind.ROLE, A),
        (SESSION, CallerKind.SESSION, A),
        (FEDERATED, CallerKind.FEDERATED, A),
        (ROOT, CallerKind.ROOT, A),
        (A, CallerKind.ROOT, A),
        (SERVICE, CallerKind.SERVICE, None),
        (PROVIDER, CallerKind.PROVIDER, None),
        (f"arn:aws-cn:iam::{A}:saml-provider/x", CallerKind.PROVIDER, None),
    ],
)
def test_callers(principal: str | None, kind: CallerKind, account: str | None) -> None:
    caller = read_caller(principal)
    assert (caller.kind, caller.account) == (kind, account)


@pytest.mark.parametrize(
    "principal",
    [
        "",
        "me",
        "arn:aws:iam::12:user/x",
        f"arn:aws:iam::{A}:group/x",
        f"arn:aws:iam::{A}:user/",
        f"arn:aws:sts::{A}:user/moto",
        "arn:aws:s3:::bucket",
    ],
)
def test_what_cannot_call_is_a_mistake(principal: str) -> None:
    with pytest.raises(ValueError, match="not a valid principal"):
        ask(principal=principal)


NAMED: list[tuple[object, str | None, bool]] = [
    ("*", USER, True),
    ("*", None, True),
    ("*", SERVICE, True),
    ({"AWS": "*"}, None, True),
    ({"AWS": USER}, USER, True),
    ({"AWS": USER}, OTHER_USER, False),
    ({"AWS": USER.replace("octopus", "Octopus")}, USER, False),
    ({"AWS": [OTHER_USER, USER]}, USER, True),
    ({"AWS": ROLE}, SESSION, True),
    ({"AWS": ROLE}, ROLE, True),
    ({"AWS": ROLE}, f"arn:aws:sts::{A}:assumed-role/other/deploy", False),
    ({"AWS": ROLE}, f"arn:aws:sts::{B}:assumed-role/octopus-feed/deploy", False),
    ({"AWS": SESSION}, SESSION, True),
    ({"AWS": SESSION}, OTHER_SESSION, False),
    ({"AWS": SESSION}, ROLE, False),
    ({"AWS": FEDERATED}, FEDERATED, True),
    ({"AWS": USER}, FEDERATED, False),
    ({"Service": SERVICE}, SERVICE, True),
    ({"Service": "ecs.amazonaws.com"}, SERVICE, False),
    ({"AWS": ROOT}, SERVICE, False),
    ({"AWS": ROOT}, None, False),
    ({"AWS": A}, None, False),
    ({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, USER, False),
    ({"CanonicalUser": "a" * 64}, USER, False),
    ({"AWS": []}, USER, False),
    ({"Service": "*"}, SERVICE, True),
    ({"Service": "*"}, USER, False),
    ({"Service": "*"}, None, False),
    ({"Federated": "*"}, PROVIDER, True),
    ({"Federated": "*"}, SERVICE, False),
]


@pytest.mark.parametrize(("principal", "caller", "named"), NAMED)
def test_who_a_principal_names(principal: object, caller: str | None, named: bool) -> None:
    assert ask(repository=grant(principal), principal=caller).allowed is named


@pytest.mark.parametrize(("principal", "caller", "named"), NAMED)
def test_a_deny_hits_whom_it_names(principal: object, caller: str | None, named: bool) -> None:
    repository = policy(
        {"Effect": "Allow", "Principal": "*", "Action": "*"},
        {"Effect": "Deny", "Principal": principal, "Action": "*"},
        kind="resource",
    )
    decision = ask(policy(allow()), repository=repository, principal=caller)
    assert decision.outcome is (Outcome.EXPLICIT_DENY if named else Outcome.ALLOWED)


@pytest.mark.parametrize("account", [ROOT, A])
@pytest.mark.parametrize("caller", [USER, ROLE, SESSION, FEDERATED, ROOT])
def test_a_deny_on_the_account_hits_all_its_principals(account: str, caller: str) -> None:
    repository = grant({"AWS": account}, effect="Deny")
    assert ask(policy(allow()), repository=repository, principal=caller).outcome == "explicit deny"


def test_the_same_account_number_in_another_partition_is_another_account() -> None:
    china = f"arn:aws-cn:iam::{A}:root"
    foreign = ask(policy(allow()), repository=grant({"AWS": china}), resource=FOREIGN)
    assert foreign.outcome is Outcome.IMPLICIT_DENY


def test_a_role_path_that_the_context_tells_must_agree() -> None:
    without_path = grant({"AWS": f"arn:aws:iam::{A}:role/octopus-feed"})
    assert ask(repository=without_path, principal=SESSION).allowed
    told = {"aws:PrincipalArn": ROLE}
    assert not ask(repository=without_path, principal=SESSION, context=told).allowed
    assert ask(repository=grant({"AWS": ROLE}), principal=SESSION, context=told).allowed


@pytest.mark.parametrize(
    ("listed", "caller", "hit"),
    [
        ([USER, ROOT], USER, False),
        ([USER], USER, False),
        ([USER, ROOT], OTHER_USER, True),
        ([USER, A], SESSION, True),
        ([SESSION, ROLE, ROOT], SESSION, False),
        ([ROLE, ROOT], SESSION, False),
        ([SESSION, ROLE, ROOT], OTHER_SESSION, True),
        ([ROLE, ROOT], OTHER_SESSION, False),
        ([SESSION, ROOT], OTHER_SESSION, True),
        ([ROOT], USER, False),
        ([A], SESSION, False),
        ([f"arn:aws:iam::{B}:root"], USER, True),
        ([f"arn:aws:iam::{B}:user/x", ROOT], USER, False),
        ([ROOT], SERVICE, True),
        ([ROOT], None, True),
    ],
)
def test_not_principal(listed: list[str], caller: str | None, hit: bool) -> None:
    repository = policy(
        {"Effect": "Allow", "Principal": "*", "Action": "*"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "*"},
        kind="resource",
    )
    decision = ask(repository=repository, principal=caller)
    assert decision.outcome is (Outcome.EXPLICIT_DENY if hit else Outcome.ALLOWED)


@pytest.mark.parametrize("caller", [USER, ROLE, SESSION])
def test_not_principal_always_hits_a_principal_with_a_boundary(caller: str) -> None:
    excepted = {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [USER, ROLE, SESSION, ROOT]},
        "Action": "*",
    }
    repository = policy(excepted, kind="resource")
    own = policy(allow())
    assert ask(own, repository=repository, principal=caller).allowed
    with_boundary = ask(own, repository=repository, principal=caller, boundary=policy(allow()))
    assert with_boundary.outcome is Outcome.EXPLICIT_DENY


def test_not_principal_may_except_a_service() -> None:
    repository = policy(
        {"Effect": "Allow", "Principal": "*", "Action": "*"},
        {"Effect": "Deny", "NotPrincipal": {"Service": SERVICE}, "Action": "*"},
        kind="resource",
    )
    assert ask(repository=repository, principal=SERVICE).allowed
    assert not ask(repository=repository, principal="ecs.amazonaws.com").allowed


@pytest.mark.parametrize(
    ("caller", "arn"),
    [
        (USER, USER),
        (ROLE, ROLE),
        (SESSION, f"arn:aws:iam::{A}:role/octopus-feed"),
        (FEDERATED, FEDERATED),
        (ROOT, ROOT),
        (A, ROOT),
    ],
)
def test_principal_arn_is_filled_in(caller: str, arn: str) -> None:
    condition = {"ArnEquals": {"aws:PrincipalArn": arn}}
    assert ask(repository=grant("*", Condition=condition), principal=caller).allowed


@pytest.mark.parametrize("caller", [None, SERVICE, PROVIDER])
def test_principal_arn_is_absent_for_outsiders(caller: str | None) -> None:
    condition = {"Null": {"aws:PrincipalArn": "true"}}
    assert ask(repository=grant("*", Condition=condition), principal=caller).allowed


def test_a_given_principal_arn_wins() -> None:
    condition = {"ArnEquals": {"aws:PrincipalArn": ROLE}}
    repository = grant("*", Condition=condition)
    assert not ask(repository=repository, principal=SESSION).allowed
    assert ask(repository=repository, principal=SESSION, context={"aws:principalarn": ROLE}).allowed
    unknown = ask(repository=repository, principal=SESSION, unknown=["aws:PrincipalArn"])
    assert unknown.depends_on == ("aws:PrincipalArn",)


def test_what_a_principal_tells_of_itself() -> None:
    path = f"arn:aws:iam::{A}:user/ci/octopus"
    assert principal_context(path) == {
        "aws:PrincipalArn": path,
        "aws:PrincipalAccount": A,
        "aws:PrincipalType": "User",
        "aws:username": "octopus",
    }
    assert principal_context(SESSION) == {
        "aws:PrincipalArn": f"arn:aws:iam::{A}:role/octopus-feed",
        "aws:PrincipalAccount": A,
        "aws:PrincipalType": "AssumedRole",
    }
    assert principal_context(None) == {"aws:PrincipalType": "Anonymous"}
    assert principal_context(SERVICE) == {}
