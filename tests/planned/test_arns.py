"""Accounts and partitions in the ARNs of a plan's documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_feed.facts.plan import PlanFacts
from ecr_feed.iam import PolicyError, parse
from ecr_feed.planned.arns import (
    is_account_id,
    judge_account,
    plan_account,
    refuse_other_partitions,
)

A, B = "111122223333", "444455556666"
ECR, IAM = "arn:aws:ecr:eu-west-1:{}:repository/x", "arn:aws:iam::{}:user/x"


@pytest.mark.parametrize(
    ("stated", "texts", "judged_in", "named"),
    [
        ("", (), "000000000000", ()),
        ("", (ECR.format(A),), A, (A,)),
        ("", (IAM.format(A),), A, (A,)),
        ("", (ECR.format(A), IAM.format(B)), A, (A,)),  # ECR's ARNs say which registry is meant
        ("", (ECR.format(B), ECR.format(A), ECR.format(A)), "000000000000", (A, B)),
        (B, (ECR.format(A),), B, (A,)),
        ("", (ECR.format("11112222333"),), "000000000000", ()),
        ("", ('{"AWS": "000000000000"}',), "000000000001", ()),
    ],
)
def test_the_account_is_the_stated_one_or_the_only_one_named(
    stated: str, texts: tuple[str, ...], judged_in: str, named: tuple[str, ...]
) -> None:
    found = plan_account(stated, [f'"{text}"' for text in texts])
    assert (found.judged_in, found.named, found.account) == (judged_in, named, stated)


@pytest.mark.parametrize(
    ("account", "named", "expected", "outcome", "says"),
    [
        ("", (A,), None, "not assessed", A),
        ("", (A, B), None, "not assessed", f"{A}, {B}"),
        ("", (), None, "not applicable", "No ARN"),
        (A, (), A, "met", ""),
        (A, (A, B), A, "met", ""),
        (A, (B,), A, "not applicable", B),
        (A, (A,), B, "not met", f"The plan is of account {A}, not {B}"),
        (A, (A,), None, "met", ""),
    ],
)
def test_the_account_is_asked_for(
    account: str, named: tuple[str, ...], expected: str | None, outcome: str, says: str
) -> None:
    facts = PlanFacts(account or A, IAM.format(A), account, named, "000000000000")
    found = judge_account(facts, expected)
    assert found.outcome == outcome
    assert found.message.startswith(says)
    if outcome == "not assessed":
        assert "--account" in found.message
        assert f"--account {A}" in str(found.fix)


def policy(**more: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": "ecr:*", **more}]})


@pytest.mark.parametrize(
    ("document", "kind", "region", "place"),
    [
        (policy(Resource=ECR.format(A)), "identity", "eu-west-1", ""),
        (policy(Resource=ECR.format(A)), "identity", "cn-north-1", "Statement[0].Resource"),
        (policy(NotResource=ECR.format(A)), "scp", "us-gov-west-1", "Statement[0].NotResource"),
        (policy(Principal={"AWS": IAM.format(A)}), "resource", "cn-north-1", "Principal"),
        (policy(Principal={"AWS": A}), "resource", "cn-north-1", ""),
        (policy(Resource="arn:aws-cn:s3:::x"), "boundary", "eu-west-1", "Statement[0].Resource"),
        (policy(Resource=["*", "arn:*:ecr:*:*:*"]), "identity", "cn-north-1", ""),
    ],
)  # fmt: skip
def test_a_partition_that_does_not_fit_is_refused(
    document: str, kind: str, region: str, place: str
) -> None:
    parsed = parse(document, kind=kind)
    if not place:
        refuse_other_partitions(parsed, region)
        return
    with pytest.raises(PolicyError) as caught:
        refuse_other_partitions(parsed, region)
    assert place in caught.value.path
    assert "expected arn:" in caught.value.reason


@pytest.mark.parametrize(
    ("text", "right"),
    [(A, True), ("012345678910", True), ("1" * 11, False), ("1" * 13, False), ("", False),
     ("1111-2222-3333", False), ("١" * 12, False)],
)  # fmt: skip
def test_an_account_id_has_12_digits(text: str, right: bool) -> None:
    assert is_account_id(text) is right
