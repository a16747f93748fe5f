"""One table of policies and calls, answered by the evaluator, the embedded account and ministack.

The table says what AWS documents. The evaluator judges documents; the other two are accounts that
boto3 made and asks. Where ministack is known to differ it must differ: the list stays true.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from ecr_feed.iam import Outcome, Policies, Request, decide, parse
from tests.peers.account import Peer
from tests.peers.every_row import ROWS
from tests.peers.rows import ACCOUNT, Permission, Row


def simulable(row: Row) -> bool:
    """IAM's simulation takes no session policy, and no repository policy for a role."""
    return row.session is None or (not row.session and not row.repository)


CASES: Final = [pytest.param(row, id=row.slug) for row in ROWS]
SIMULATED: Final = [pytest.param(row, id=row.slug) for row in ROWS if simulable(row)]
WORDS: Final = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}


def test_the_table_is_large_and_no_row_is_there_twice() -> None:
    assert len(ROWS) >= 60
    assert len({row.slug for row in ROWS}) == len(ROWS)
    assert {row.expected for row in ROWS} == set(WORDS)


def test_ministack_agrees_far_more_often_than_not() -> None:
    assert sum(bool(row.differs) for row in ROWS) <= len(ROWS) // 8


@pytest.mark.parametrize("row", CASES)
def test_the_evaluator_answers_as_aws_documents(row: Row) -> None:
    assert evaluated(row) is row.expected


@pytest.mark.parametrize("row", CASES)
def test_the_embedded_account_answers_alike(row: Row, embedded: Peer) -> None:
    assert embedded.answer(row) is row.expected


@pytest.mark.parametrize("row", SIMULATED)
def test_the_simulation_answers_alike(row: Row, embedded: Peer) -> None:
    for permission in row.call.permissions:
        assert simulated(row, permission, embedded) == WORDS[judged(row, permission)]


@pytest.mark.parametrize("row", CASES)
def test_ministack_answers_alike(row: Row, ministack: Peer) -> None:
    answer = ministack.answer(row)
    if row.differs:
        assert answer is not row.expected, f"no longer so: {row.differs}"
        return
    assert answer is row.expected


def evaluated(row: Row) -> Outcome:
    """The first permission that is not allowed decides; else the call is."""
    answers = (judged(row, permission) for permission in row.call.permissions)
    return next((each for each in answers if each is not Outcome.ALLOWED), Outcome.ALLOWED)


def judged(row: Row, permission: Permission) -> Outcome:
    """Our evaluator's word, from the row's documents alone."""
    documents = enumerate(row.documents())
    policies = Policies(
        identity=tuple(parse(text, name=f"identity-{n}") for n, text in documents),
        boundary=parse(row.document(row.boundary), kind="boundary") if row.boundary else None,
        resource=own_policy(row, permission),
        session=parse(row.document(row.session), kind="session") if row.session else None,
    )
    request = Request(
        row.principal, permission.action, row.fill(permission.resource), context(row, permission)
    )
    return decide(request, policies).outcome


def own_policy(row: Row, permission: Permission) -> Any:
    """The policy of the repository that the permission is about."""
    if row.repository and "{own}" in permission.resource:
        return parse(row.document(row.repository), kind="resource")
    return None


def context(row: Row, permission: Permission) -> dict[str, str | tuple[str, ...]]:
    """What AWS's pages on condition keys say that such a call carries."""
    return {
        "aws:SourceIp": "127.0.0.1",
        "aws:SecureTransport": "true",
        "aws:CurrentTime": "2026-11-20T12:00:00Z",
        "aws:EpochTime": "1795176000",
        "aws:RequestedRegion": row.call.region,
        "aws:PrincipalAccount": ACCOUNT,
        "aws:ResourceAccount": ACCOUNT,
        **caller(row),
        **{f"aws:PrincipalTag/{key}": value for key, value in row.tags.items()},
        **permission.context,
    }


def caller(row: Row) -> dict[str, str]:
    """Keys of a user, or of a role's session."""
    if row.session is None:
        return {
            "aws:PrincipalArn": row.principal,
            "aws:PrincipalType": "User",
            "aws:username": row.slug,
            "aws:userid": "AIDAEXAMPLEEXAMPLE01",
        }
    return {
        "aws:PrincipalArn": row.fill(f"arn:aws:iam::{ACCOUNT}:role/{{role}}"),
        "aws:PrincipalType": "AssumedRole",
        "aws:userid": "AROAEXAMPLEEXAMPLE01:deploy",
        "aws:TokenIssueTime": "2026-11-20T11:00:00Z",
        "aws:MultiFactorAuthPresent": "false",
    }


def simulated(row: Row, permission: Permission, peer: Peer) -> str:
    """SimulatePrincipalPolicy's word, given the context and the repository's policy."""
    kind = "user" if row.session is None else "role"
    entries = [
        {
            "ContextKeyName": key,
            "ContextKeyValues": [value] if isinstance(value, str) else list(value),
            "ContextKeyType": "string" if isinstance(value, str) else "stringList",
        }
        for key, value in context(row, permission).items()
    ]
    about = {"ResourceArns": [row.fill(permission.resource)], "ContextEntries": entries}
    if own_policy(row, permission) is not None:
        about["ResourcePolicy"] = row.document(row.repository)
    source = row.fill(f"arn:aws:iam::{ACCOUNT}:{kind}/{{{kind}}}")
    word: str = peer.simulate(source, ActionNames=[permission.action], **about)["EvalDecision"]
    return word
