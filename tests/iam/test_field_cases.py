"""What people reported from the field, retold with invented data, and the answer that is right."""

from __future__ import annotations

import pytest

from ecr_feed.iam import (
    Layer,
    Need,
    Outcome,
    Policies,
    PolicyError,
    breadth,
    parse,
    smallest_policy,
)
from tests.iam.helpers import (
    FOREIGN,
    JSON,
    PULL,
    REPOSITORY,
    ROLE,
    ROOT,
    SESSION,
    TOKEN,
    A,
    B,
    allow,
    ask,
    deny,
    grant,
    policy,
)

READS = ["ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"]
FOUR = [TOKEN, *READS]
PULLS = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
API = REPOSITORY.replace("team/app", "team/api")


def fixed(*statements: JSON, actions: list[str], resource: str = REPOSITORY) -> bool:
    """Whether adding the smallest policy for the actions makes all of them allowed."""
    added = [parse(each) for each in smallest_policy(Need(action, resource) for action in actions)]
    own = policy(*statements)
    return all(ask(own, *added, action=each, resource=resource).allowed for each in actions)


def test_lists_fine_and_cannot_pull() -> None:
    """F22: the four documented actions on everything."""
    own = policy(allow(FOUR))
    assert all(ask(own, action=action).allowed for action in FOUR)
    denied = [ask(own, action=action) for action in PULLS]
    assert all(each.layer is Layer.NO_GRANT for each in denied)
    assert fixed(allow(FOUR), actions=PULLS)


def test_the_token_scoped_to_a_repository() -> None:
    """F23: a tidy scope that grants no login."""
    own = policy(allow(FOUR, REPOSITORY))
    assert not ask(own, action=TOKEN).allowed
    assert ask(own, action="ecr:ListImages").allowed
    (document,) = smallest_policy([Need(TOKEN, REPOSITORY)])
    assert document["Statement"] == [{"Effect": "Allow", "Action": TOKEN, "Resource": "*"}]


def test_the_right_policy_is_not_condemned() -> None:
    """F24: a star for the token, the rest scoped."""
    own = policy(allow(TOKEN), allow(READS, REPOSITORY))
    needs = [Need(action, REPOSITORY) for action in FOUR]
    assert all(ask(own, action=action).allowed for action in FOUR)
    assert breadth(Policies((own,)), needs) == ()


def test_one_repository_left_out() -> None:
    """F25: allowed on one, not on the other."""
    own = policy(allow(FOUR), deny("s3:*"))
    scoped = policy(allow(TOKEN), allow(READS, REPOSITORY))
    assert ask(own, action="ecr:DescribeImages", resource=API).allowed
    missing = ask(scoped, action="ecr:DescribeImages", resource=API)
    assert missing.nearest[0].misses[0].expected == REPOSITORY
    assert fixed(
        allow(TOKEN), allow(READS, REPOSITORY), actions=["ecr:DescribeImages"], resource=API
    )


def test_an_explicit_deny_is_named() -> None:
    """F26: everything allowed, the login denied; no Allow repairs that."""
    own = policy(allow("ecr:*"), deny(TOKEN, Sid="NoLogin"))
    decision = ask(own, action=TOKEN)
    assert decision.outcome is Outcome.EXPLICIT_DENY
    assert decision.statement is not None
    assert decision.statement.sid == "NoLogin"
    assert not fixed(allow("ecr:*"), deny(TOKEN), actions=[TOKEN])


def test_the_token_in_a_repository_policy() -> None:
    """F27: it acts on no repository, so a repository policy cannot grant it."""
    assert not ask(action=TOKEN, repository=grant("*", TOKEN)).allowed


def test_a_repository_policy_with_a_resource() -> None:
    """F28: Amazon ECR refuses the element."""
    refused = {"Effect": "Allow", "Principal": "*", "Action": PULL, "Resource": REPOSITORY}
    with pytest.raises(PolicyError) as caught:
        parse({"Version": "2012-10-17", "Statement": [refused]}, kind="resource")
    assert caught.value.path == "$.Statement[0].Resource"


def test_the_other_account_allows_and_the_own_does_not() -> None:
    """F29: the identity's side is missing."""
    theirs = grant({"AWS": ROOT}, PULLS)
    decision = ask(resource=FOREIGN, repository=theirs)
    assert decision.layer is Layer.IDENTITY
    (added,) = (parse(each) for each in smallest_policy([Need(PULL, FOREIGN)]))
    assert ask(added, resource=FOREIGN, repository=theirs).allowed


def test_by_tag() -> None:
    """F30: one repository is tagged, one is not, one cannot be read."""
    condition = {"StringEquals": {"aws:ResourceTag/team": "payments"}}
    own = policy(allow(PULLS, Condition=condition))
    assert ask(own, context={"aws:ResourceTag/team": "payments"}).allowed
    untagged = ask(own, resource=API)
    assert untagged.outcome is Outcome.IMPLICIT_DENY
    assert untagged.absent == ("aws:ResourceTag/team",)
    unread = ask(own, unknown=["aws:ResourceTag/team"])
    assert unread.depends_on == ("aws:ResourceTag/team",)


def test_a_boundary_nobody_looked_at() -> None:
    """F43: all rights, cut to another service."""
    own = policy(allow([*FOUR, *PULLS]))
    boundary = policy(allow("s3:*"))
    for action in (*FOUR, *PULLS):
        decision = ask(own, principal=SESSION, action=action, boundary=boundary)
        assert decision.layer is Layer.BOUNDARY
        assert decision.denial_layer == "permissions boundary"


def test_a_role_with_a_path() -> None:
    """F44: the repository policy names the role's path, the session's ARN has lost it."""
    theirs = grant({"AWS": ROLE}, PULLS)
    for caller in (ROLE, SESSION):
        assert ask(principal=caller, repository=theirs).allowed
    other = f"arn:aws:sts::{B}:assumed-role/octopus-feed/deploy"
    assert not ask(principal=other, repository=theirs, resource=FOREIGN.replace(B, A)).allowed


def test_a_private_range_as_source_address() -> None:
    """F45: AWS sees the public egress address, or none through a VPC endpoint."""
    own = policy(allow(PULLS, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    for context in ({"aws:SourceIp": "203.0.113.7"}, {}):
        assert ask(own, context=context).outcome is Outcome.IMPLICIT_DENY
    guarded = policy(
        allow(PULLS), deny(Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    )
    assert ask(guarded, context={"aws:SourceIp": "203.0.113.7"}).allowed
    assert ask(guarded).outcome is Outcome.EXPLICIT_DENY
