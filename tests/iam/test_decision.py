from __future__ import annotations

import json

from ecr_feed.iam import Policies
from tests.iam.helpers import (
    FOREIGN,
    PULL,
    REPOSITORY,
    ROOT,
    TOKEN,
    USER,
    A,
    allow,
    ask,
    deny,
    grant,
    policy,
)

OFFICE = {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}


def test_allowed_names_the_statement() -> None:
    decision = ask(policy(deny("s3:*"), allow(PULL, Sid="Pull"), name="feed"))
    assert decision.because == (
        f"ecr:BatchGetImage on {REPOSITORY} is allowed by the identity-based policy, "
        "statement 'Pull' (2) of 'feed'."
    )


def test_an_explicit_deny_names_the_statement() -> None:
    decision = ask(policy(allow(), deny(TOKEN, Sid="NoLogin"), name="feed"), action=TOKEN)
    assert "explicit deny in the identity-based policy, statement 'NoLogin' (2)" in decision.because
    assert decision.nearest == ()


def test_the_nearest_miss_is_the_resource() -> None:
    document = policy(
        allow("s3:*"),
        allow(TOKEN),
        allow(["ecr:Batch*", "ecr:Get*"], REPOSITORY, Sid="Pull"),
        allow("ecr:Describe*", "*"),
        name="feed",
    )
    decision = ask(document, resource=REPOSITORY[:-3] + "api")
    near = decision.nearest[0]
    assert (near.layer, near.statement.sid) == ("identity", "Pull")
    assert [(miss.what, miss.expected, miss.found) for miss in near.misses] == [
        ("resource", REPOSITORY, REPOSITORY[:-3] + "api")
    ]
    assert "no identity-based policy allows it; nearest is statement 'Pull' (3)" in decision.because


def test_the_nearest_miss_is_a_condition() -> None:
    document = policy(allow(PULL, Condition=OFFICE))
    (miss,) = ask(document, context={"aws:SourceIp": "198.51.100.1"}).nearest[0].misses
    assert (miss.what, miss.key, miss.operator) == ("condition", "aws:SourceIp", "IpAddress")
    assert (miss.expected, miss.found) == ("10.0.0.0/8 or 203.0.113.0/24", "198.51.100.1")
    (gone,) = ask(document).nearest[0].misses
    assert gone.found == "absent"
    assert str(gone) == "IpAddress aws:SourceIp expects 10.0.0.0/8 or 203.0.113.0/24, found absent"


def test_the_nearest_miss_is_the_action() -> None:
    decision = ask(policy(allow("s3:GetObject"), allow("ecr:BatchGetImages", REPOSITORY)))
    near = decision.nearest[0]
    assert near.statement.index == 1
    assert [miss.what for miss in near.misses] == ["action"]


def test_the_nearest_miss_is_the_principal() -> None:
    decision = ask(repository=grant({"AWS": USER + "2"}, PULL))
    near = decision.nearest[0]
    assert near.layer == "resource"
    assert [(miss.what, miss.expected, miss.found) for miss in near.misses] == [
        ("principal", USER + "2", USER)
    ]


def test_naming_the_account_is_said_to_delegate() -> None:
    (miss,) = ask(repository=grant({"AWS": ROOT}, PULL)).nearest[0].misses
    assert miss.expected == f"{ROOT} (leaves it to identity policies)"


def test_a_token_scoped_to_a_repository() -> None:
    decision = ask(policy(allow(TOKEN, REPOSITORY)), action=TOKEN, resource=REPOSITORY)
    (miss,) = decision.nearest[0].misses
    assert (miss.what, miss.expected, miss.found) == ("resource", REPOSITORY, "*")


def test_a_token_granted_in_a_repository_policy() -> None:
    decision = ask(action=TOKEN, repository=grant({"AWS": USER}, TOKEN))
    (miss,) = decision.nearest[0].misses
    assert (miss.what, miss.found) == ("resource", "*")


def test_nearest_looks_into_the_layer_that_blocks() -> None:
    boundary = policy(allow("s3:*"), name="boundary")
    decision = ask(policy(allow()), boundary=boundary)
    assert [(near.layer, near.statement.policy) for near in decision.nearest] == [
        ("boundary", "boundary")
    ]
    scps = ((policy(allow(), name="full"),), (policy(allow("s3:*"), name="narrow"),))
    by_scp = ask(policy(allow()), scps=scps)
    assert [near.statement.policy for near in by_scp.nearest] == ["narrow"]
    assert "no service control policy at level 1 allows it" in by_scp.because


def test_negated_elements_are_said_so() -> None:
    document = policy(
        {"Effect": "Allow", "NotAction": ["ecr:*", "s3:*"], "NotResource": REPOSITORY}
    )
    misses = ask(document).nearest[0].misses
    assert [miss.expected for miss in misses] == [
        "anything but ecr:* or s3:*",
        f"anything but {REPOSITORY}",
    ]


def test_absent_keys() -> None:
    document = policy(
        allow(PULL, Condition=OFFICE),
        allow(PULL, REPOSITORY[:-3] + "${aws:PrincipalTag/Team}"),
        allow(PULL, Condition={"StringEquals": {"aws:here": "${aws:There}"}}),
        allow("s3:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        deny(Condition={"StringNotEquals": {"aws:UnKnown": "x"}}),
    )
    decision = ask(document, context={"aws:here": "x"}, unknown=["aws:unknown"])
    assert decision.absent == ("aws:PrincipalTag/Team", "aws:SourceIp", "aws:There")


def test_absent_keys_of_statements_that_name_others_do_not_count() -> None:
    repository = grant({"AWS": USER + "2"}, PULL, Condition=OFFICE)
    assert ask(repository=repository).absent == ()


def test_both_missing_sides_across_accounts() -> None:
    decision = ask(resource=FOREIGN)
    assert [str(block) for block in decision.blocking] == ["resource", "identity"]
    assert "no resource-based policy allows it" in decision.because


def test_always_and_root() -> None:
    assert "cannot be denied" in ask(action="sts:GetCallerIdentity", resource="*").because
    assert "root user needs no policy" in ask(principal=f"arn:aws:iam::{A}:root").because


def test_evidence_is_json() -> None:
    decision = ask(policy(allow(PULL, Condition=OFFICE), name="feed"))
    evidence = json.loads(json.dumps(decision.evidence))
    assert evidence["outcome"] == "implicit deny"
    assert evidence["absent"] == ["aws:SourceIp"]
    (near,) = evidence["nearest"]
    assert near.startswith("statement 1 of 'feed': IpAddress aws:SourceIp expects 10.0.0.0/8")
    assert near.endswith(", found absent")


def test_the_nearest_of_a_thousand_statements() -> None:
    many = [allow("ecr:BatchGetImage", f"{REPOSITORY}-{index}") for index in range(1000)]
    assert ask(policy(*many), resource=REPOSITORY + "-x").nearest[0].statement.index in range(1000)


def test_all_condition_keys_of_all_layers() -> None:
    limit = policy(allow(Condition=OFFICE))
    own = policy(allow(resource=REPOSITORY + "${aws:PrincipalTag/Team}"))
    policies = Policies((own,), boundary=limit, scps=((limit,),))
    assert policies.condition_keys == {"aws:sourceip", "aws:principaltag/team"}
