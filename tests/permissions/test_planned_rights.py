"""What the feed of a plan may do, from documents in which much is not stated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.facts.aws import Answer
from ecr_feed.findings import Severity
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.fixes import needed_policy
from ecr_feed.permissions.permission_rules import evidence_of
from ecr_feed.planned.documents import Documents, account_from_documents
from ecr_feed.planned.inputs import suite_of
from ecr_feed.plugin.accounts import Accounts
from ecr_feed.plugin.selection import Selection

APP = "team/app"
A, B = "111122223333", "444455556666"
IMAGES = "ecr:DescribeImages"
YES, NO, OPEN = Answer.ALLOWED, Answer.DENIED, Answer.UNDETERMINED


def allow(resource: str | list[str] | None = "*", effect: str = "Allow", **more: Any) -> str:
    made = {"Effect": effect, "Action": "ecr:*", **more}
    made |= {} if resource is None else {"Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [made]})


def when(operator: str, key: str, value: object) -> str:
    return allow(Condition={operator: {key: value}})


def arn(account: str) -> str:
    return f"arn:aws:ecr:eu-west-1:{account}:repository/*"


def principal(*names: str, effect: str = "Allow", element: str = "Principal") -> str:
    return allow(None, effect, **{element: {"AWS": [f"arn:aws:iam::{name}" for name in names]}})


@contextmanager
def planned(
    *policies: str, grant: str = "", log: CallLog | None = None, **more: Any
) -> Iterator[Rights]:
    """The rights of a plan with these policies, and `grant` on its only repository."""
    documents = Documents(
        region="eu-west-1",
        packages=[APP],
        policies={f"policy-{n}.json": text for n, text in enumerate(policies)},
        repository_policies={APP: grant} if grant else {},
        **more,
    )
    file = account_from_documents(documents)
    suite = suite_of(file, "test")
    chosen = Selection("plan", suite, Severity.HIGH, Path(), account=file)
    accounts = Accounts(chosen, log or CallLog(), on_secret=lambda secret: None)
    try:
        yield accounts.view(suite.feeds[0]).rights
    finally:
        accounts.close()


NOTHING = allow(arn("*").replace("repository/*", "repository/other"))


@pytest.mark.parametrize(
    ("policy", "account", "answer", "names"),
    [
        (allow(), "", YES, ""),
        (allow(arn("*")), "", YES, ""),
        (allow(arn("????????????")), "", YES, ""),
        (allow(arn("${aws:PrincipalAccount}")), "", NO, ""),  # no variable stands there
        (allow(arn("11112222333")), "", NO, "not 12 digits"),
        (allow(arn("1111222233334")), A, NO, "not 12 digits"),
        (allow(arn("1111*")), "", OPEN, "--account"),
        (allow(arn("0*")), "", OPEN, "--account"),
        (allow(arn("1111*")), A, YES, ""),
        (allow(arn("1111*")), B, NO, ""),
        (allow(arn(A)), "", YES, ""),
        (allow(arn(A)), A, YES, ""),
        (allow(arn(A)), B, NO, f"names account {A}, not {B}"),
        (allow([arn(A), arn(B)]), "", OPEN, f"allowed for {A}"),
        (allow([arn(A), arn(B)]), B, YES, ""),
        (when("StringEquals", "aws:ResourceAccount", A), "", OPEN, "--account"),
        (when("StringEquals", "aws:ResourceAccount", A), A, YES, ""),
        (when("StringLike", "aws:PrincipalAccount", "1111*"), "", OPEN, "--account"),
        (when("StringNotEquals", "aws:PrincipalAccount", A), A, NO, "aws:PrincipalAccount"),
    ],
)
def test_an_account_that_nobody_stated_decides_nothing(
    policy: str, account: str, answer: Answer, names: str
) -> None:
    with planned(policy, account=account) as rights:
        found = rights.answers(IMAGES, APP)
    assert found.answer is answer, found.because
    assert names in found.because
    shown = json.dumps(evidence_of(found))
    assert "000000000000" not in shown
    assert "no-document" not in shown


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("aws:RequestedRegion", "eu-west-1", YES),
        ("aws:RequestedRegion", "us-east-1", NO),
        ("aws:PrincipalType", "User", YES),
        ("aws:PrincipalType", "AssumedRole", NO),
        ("aws:MultiFactorAuthPresent", "true", NO),
        ("aws:SourceIp", "203.0.113.0/24", OPEN),
        ("aws:SourceVpc", "vpc-1", OPEN),
        ("aws:SourceVpce", "vpce-1", OPEN),
        ("aws:UserAgent", "x", OPEN),
        ("aws:Referer", "x", OPEN),
        ("aws:PrincipalOrgID", "o-exampleorgid", OPEN),
        ("aws:PrincipalOrgPaths", "o-exampleorgid/*", OPEN),
        ("aws:ResourceOrgID", "o-exampleorgid", OPEN),
        ("aws:PrincipalTag/team", "web", OPEN),
        ("aws:ResourceTag/team", "web", OPEN),
        ("ecr:ResourceTag/team", "web", OPEN),
        ("aws:username", "octopus", OPEN),
        ("aws:userid", "AIDAEXAMPLE", OPEN),
        ("aws:PrincipalArn", f"arn:aws:iam::{A}:user/octopus", OPEN),
    ],
)
def test_a_key_that_nothing_states_leaves_the_answer_open(
    key: str, value: str, answer: Answer
) -> None:
    operator = {"aws:SourceIp": "IpAddress", "aws:MultiFactorAuthPresent": "Bool"}
    with planned(when(operator.get(key, "StringEquals"), key, value), account=A) as rights:
        found = rights.answers(IMAGES, APP)
    assert found.answer is answer, found.because
    assert answer is YES or key in found.because
    assert [each.witness for each in found.witnesses] == ["evaluation"]


@pytest.mark.parametrize(
    ("grant", "identity", "answer"),
    [
        (allow(None, Principal="*"), "", YES),
        (principal(f"{A}:root"), "", NO),  # leaves it to identity policies, which grant nothing
        (principal(f"{A}:user/octopus"), "", OPEN),
        (principal(f"{A}:user/octopus"), "octopus", YES),
        (principal(f"{A}:user/octopus"), "other", NO),
        (principal(f"{B}:user/octopus"), "", NO),
        (principal(f"{A}:role/octopus"), "", NO),
    ],
)
def test_a_user_that_nobody_stated_decides_nothing(
    grant: str, identity: str, answer: Answer
) -> None:
    with planned(NOTHING, grant=grant, account=A, identity=identity) as rights:
        found = rights.answers(IMAGES, APP)
    assert found.answer is answer, found.because
    assert "no-document" not in json.dumps(evidence_of(found))


def test_a_denial_of_everyone_but_a_user_depends_on_the_user() -> None:
    names = (f"{A}:root", f"{A}:user/octopus")
    closed = principal(*names, effect="Deny", element="NotPrincipal")
    with planned(allow(), grant=closed, account=A) as rights:
        assert rights.answers(IMAGES, APP).answer is OPEN
    with planned(allow(), grant=closed, account=A, identity="octopus") as rights:
        assert rights.answers(IMAGES, APP).answer is YES


def test_nothing_of_where_documents_are_put_is_a_fact() -> None:
    log = CallLog()
    with planned(allow(arn(A)), log=log) as rights:
        assert list(rights.all_answers())
        assert rights.grantee() == "the feed's user"
        assert rights.access_key_id() == ""
        assert rights.principal().policies[0].name == "policy-0.json"
        with pytest.raises(Exception, match="feed"):  # there is no such key
            rights.account.identity()
    assert list(log.drain()) == []


def test_no_policy_lifts_a_condition_that_some_users_have_to_meet() -> None:
    only_tagged = when("StringEquals", "aws:PrincipalTag/team", "web")
    with planned(only_tagged, grant=principal(f"{A}:user/x")) as rights:
        assert rights.answers(IMAGES, APP).answer is OPEN
        made = needed_policy(rights, planned="managed")
    assert made is not None
    assert IMAGES not in json.dumps(made["documents"])
    (note,) = made["notes"]
    assert "Meet or correct the condition in" in note
    assert "tag-user" not in note


def test_policies_name_no_account_and_no_user_that_no_document_names() -> None:
    with planned(NOTHING) as rights:
        assert rights.answers(IMAGES, APP).answer is NO
        made = needed_policy(rights, planned="managed")
    assert made is not None
    assert "arn:aws:ecr:eu-west-1:*:repository/team/app" in json.dumps(made["documents"])
    assert rights.shown(json.dumps(made)) == json.dumps(made)
