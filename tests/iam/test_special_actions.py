from __future__ import annotations

import pytest

from ecr_feed.iam import Layer, Outcome
from tests.iam.helpers import (
    FEDERATED,
    FOREIGN,
    REPOSITORY,
    ROLE,
    ROOT,
    SESSION,
    TOKEN,
    USER,
    A,
    B,
    allow,
    ask,
    deny,
    grant,
    policy,
)


class TestGetCallerIdentity:
    def test_cannot_be_denied(self) -> None:
        denied = policy(deny())
        for caller in (USER, ROLE, SESSION, ROOT, FEDERATED):
            decision = ask(
                denied,
                principal=caller,
                action="STS:getCallerIdentity",
                resource="*",
                boundary=denied,
                session=denied,
                scps=((denied,), ()),
                rcps=((),),
            )
            assert (decision.outcome, decision.layer) == (Outcome.ALLOWED, Layer.ALWAYS)

    def test_needs_a_signature(self) -> None:
        assert not ask(principal=None, action="sts:GetCallerIdentity", resource="*").allowed


class TestActionsWithoutResource:
    @pytest.mark.parametrize("asked", ["*", REPOSITORY, f"arn:aws:ecr:eu-west-1:{A}:repository/*"])
    def test_only_a_star_reaches_the_token(self, asked: str) -> None:
        everything = f"arn:aws:ecr:*:{A}:repository/*"
        assert ask(policy(allow(TOKEN)), action=TOKEN, resource=asked).allowed
        assert ask(policy(allow("ecr:*", [REPOSITORY, "*"])), action=TOKEN, resource=asked).allowed
        for pattern in (everything, REPOSITORY, "arn:aws:ecr", "arn:*:ecr:*:*:*"):
            assert not ask(policy(allow(TOKEN, pattern)), action=TOKEN, resource=asked).allowed

    def test_a_deny_has_to_reach_it_too(self) -> None:
        scoped = policy(allow(), deny("ecr:*", REPOSITORY))
        assert ask(scoped, action=TOKEN).allowed
        assert not ask(policy(allow(), deny(TOKEN)), action=TOKEN).allowed

    def test_not_resource_that_misses_reaches_it(self) -> None:
        allowing = policy({"Effect": "Allow", "Action": "ecr:*", "NotResource": REPOSITORY})
        assert ask(allowing, action=TOKEN, resource=REPOSITORY).allowed
        denying = policy(allow(), {"Effect": "Deny", "Action": "ecr:*", "NotResource": REPOSITORY})
        assert ask(denying, action=TOKEN, resource=REPOSITORY).outcome is Outcome.EXPLICIT_DENY
        nothing = policy({"Effect": "Allow", "Action": "ecr:*", "NotResource": "*"})
        assert not ask(nothing, action=TOKEN).allowed

    def test_a_repository_policy_does_not_reach_it(self) -> None:
        assert not ask(action=TOKEN, repository=grant("*", "ecr:*")).allowed
        assert ask(policy(allow(TOKEN)), action=TOKEN, repository=grant("*", effect="Deny")).allowed

    def test_it_is_the_callers_own_account(self) -> None:
        assert ask(policy(allow(TOKEN)), action=TOKEN, resource=FOREIGN).allowed
        assert ask(policy(allow(TOKEN)), action=TOKEN, resource_account=B).allowed


class TestNot:
    def test_not_action_leaves_the_listed_alone(self) -> None:
        allowing = policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
        assert ask(allowing).allowed
        assert not ask(allowing, action="iam:CreateUser", resource="*").allowed
        denying = policy(allow(), {"Effect": "Deny", "NotAction": ["ECR:*"], "Resource": "*"})
        assert ask(denying).allowed
        assert (
            ask(denying, action="s3:GetObject", resource="arn:aws:s3:::b/k").outcome
            == "explicit deny"
        )

    def test_not_resource_leaves_the_listed_alone(self) -> None:
        denying = policy(
            allow(),
            {"Effect": "Deny", "Action": "*", "NotResource": [REPOSITORY, "arn:aws:s3:::b/*"]},
        )
        assert ask(denying).allowed
        assert ask(denying, resource=REPOSITORY + "2").outcome is Outcome.EXPLICIT_DENY

    def test_a_list_without_names_is_authorised_on_the_text(self) -> None:
        every = f"arn:aws:ecr:eu-west-1:{A}:repository/*"
        listing = "ecr:DescribeRepositories"
        assert not ask(policy(allow(listing, REPOSITORY)), action=listing, resource=every).allowed
        assert not ask(
            policy(allow(listing, every[:-1] + "team/*")), action=listing, resource=every
        ).allowed
        assert ask(policy(allow(listing, every)), action=listing, resource=every).allowed
