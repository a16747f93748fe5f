from __future__ import annotations

import pytest

from ecr_feed.iam import Outcome
from tests.iam.helpers import (
    FEDERATED,
    FOREIGN,
    PULL,
    REPOSITORY,
    A,
    allow,
    ask,
    deny,
    grant,
    policy,
)

FULL = policy(allow(), name="full")
PULLS = policy(allow(PULL, REPOSITORY), name="pulls")
OTHER = policy(allow("s3:*"), name="other")


def test_without_a_session_policy_it_has_no_permissions() -> None:
    for own in ((), (FULL,)):
        decision = ask(*own, principal=FEDERATED)
        assert decision.outcome is Outcome.IMPLICIT_DENY


def test_what_an_unknown_parent_may_do_is_not_known() -> None:
    decision = ask(principal=FEDERATED, session=PULLS)
    assert decision.outcome is Outcome.UNDETERMINED
    assert decision.depends_on == ("what the federated user's parent may do",)
    assert "parent" in decision.because


def test_a_session_policy_that_does_not_allow_settles_it() -> None:
    assert ask(principal=FEDERATED, session=OTHER).outcome is Outcome.IMPLICIT_DENY
    denied = ask(principal=FEDERATED, session=policy(allow(), deny(PULL)))
    assert denied.outcome is Outcome.EXPLICIT_DENY


def test_a_known_parent_and_the_session_policy_must_both_allow() -> None:
    assert ask(FULL, principal=FEDERATED, session=PULLS).allowed
    assert not ask(OTHER, principal=FEDERATED, session=PULLS).allowed
    assert ask(FULL, policy(deny(PULL)), principal=FEDERATED, session=PULLS).outcome == (
        "explicit deny"
    )


@pytest.mark.parametrize("session", [None, OTHER, PULLS])
def test_a_repository_policy_that_names_it_allows(session: object) -> None:
    assert ask(
        principal=FEDERATED,
        session=session,  # type: ignore[arg-type]  # a parameter of several tests
        repository=grant({"AWS": FEDERATED}, PULL),
    ).allowed


def test_a_deny_of_a_known_parent_outweighs_a_grant_by_name() -> None:
    named = grant({"AWS": FEDERATED}, PULL)
    denied = ask(policy(deny(PULL)), principal=FEDERATED, repository=named)
    assert denied.outcome is Outcome.EXPLICIT_DENY


def test_naming_the_account_or_its_parent_grants_nothing() -> None:
    for named in (A, f"arn:aws:iam::{A}:user/octopus"):
        decision = ask(principal=FEDERATED, repository=grant({"AWS": named}, PULL))
        assert decision.outcome is Outcome.IMPLICIT_DENY


def test_another_account_needs_both_sides() -> None:
    named = grant({"AWS": FEDERATED}, PULL)
    assert not ask(principal=FEDERATED, resource=FOREIGN, repository=named).allowed
    session = policy(allow(PULL, FOREIGN))
    abroad = ask(principal=FEDERATED, resource=FOREIGN, repository=named, session=session)
    assert abroad.outcome is Outcome.UNDETERMINED
    known = ask(FULL, principal=FEDERATED, resource=FOREIGN, repository=named, session=session)
    assert known.allowed


def test_who_it_is_cannot_be_denied() -> None:
    assert ask(principal=FEDERATED, action="sts:GetCallerIdentity", resource="*").allowed
