from __future__ import annotations

import pytest

from ecr_feed.iam import Decision, Outcome, RegistryScope, combine, within_scope
from tests.iam.helpers import PULL, REPOSITORY, USER, allow, ask, grant, policy

V1, V2, UNREAD = RegistryScope.V1, RegistryScope.V2, RegistryScope.UNREAD
OWN = policy(allow())
CREATE = "ecr:CreateRepository"


def under(
    scope: RegistryScope, effect: str, action: str = PULL, own: bool = False, **others: object
) -> Decision:
    """A decision under a registry policy of one statement about everything."""
    found = {"Effect": effect, "Principal": "*", "Action": "ecr:*", "Resource": "*", **others}
    registry = within_scope(policy(found, kind="registry", name="registry"), scope)
    return ask(*((OWN,) if own else ()), action=action, repository=registry)


@pytest.mark.parametrize(
    ("scope", "action", "allowed", "denied"),
    [
        (V2, PULL, Outcome.ALLOWED, Outcome.EXPLICIT_DENY),
        (V1, PULL, Outcome.IMPLICIT_DENY, Outcome.ALLOWED),
        (UNREAD, PULL, Outcome.UNDETERMINED, Outcome.UNDETERMINED),
        (V2, CREATE, Outcome.ALLOWED, Outcome.EXPLICIT_DENY),
        (V1, CREATE, Outcome.ALLOWED, Outcome.EXPLICIT_DENY),
        (UNREAD, CREATE, Outcome.ALLOWED, Outcome.EXPLICIT_DENY),
        (V1, "ecr:ReplicateImage", Outcome.ALLOWED, Outcome.EXPLICIT_DENY),
        (V1, "ECR:batchImportUpstreamImage", Outcome.ALLOWED, Outcome.EXPLICIT_DENY),
    ],
)
def test_what_a_registry_policy_governs(
    scope: RegistryScope, action: str, allowed: Outcome, denied: Outcome
) -> None:
    assert under(scope, "Allow", action).outcome is allowed
    assert under(scope, "Deny", action, own=True).outcome is denied


def test_an_unread_scope_is_named() -> None:
    decision = under(UNREAD, "Deny", own=True)
    assert decision.depends_on == ("the scope of the registry policy (V1 or V2)",)


def test_an_unread_scope_matters_only_where_it_turns_the_answer() -> None:
    assert under(UNREAD, "Allow", own=True).allowed
    assert under(UNREAD, "Deny").outcome is Outcome.IMPLICIT_DENY
    assert under(UNREAD, "Deny", own=True, Action="ecr:Put*").allowed


def test_not_action_stays_within_v1() -> None:
    found = {
        "Effect": "Deny",
        "Principal": "*",
        "NotAction": "ecr:DescribeImages",
        "Resource": "*",
    }
    registry = within_scope(policy(found, kind="registry"), V1)
    assert ask(OWN, repository=registry).allowed
    assert not ask(OWN, repository=registry, action=CREATE).allowed


def test_it_stands_beside_the_repository_policy() -> None:
    repository = grant({"AWS": USER}, PULL)
    found = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Resource": REPOSITORY}
    registry = policy(found, kind="registry", name="registry")
    for scope, outcome in ((V1, "allowed"), (V2, "explicit deny"), (UNREAD, "undetermined")):
        both = combine([within_scope(registry, scope), repository])
        assert ask(repository=both).outcome == outcome
