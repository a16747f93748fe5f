from __future__ import annotations

import pytest

from ecr_feed.iam import Document, Layer, Outcome
from tests.iam.helpers import (
    ROLE,
    ROOT,
    SESSION,
    USER,
    A,
    B,
    allow,
    ask,
    policy,
)

OTHER = policy(allow("s3:*"), name="other")
SERVICE = "lambda.amazonaws.com"
ROLE_ARN = f"arn:aws:iam::{A}:role/target"
ASSUME = "sts:AssumeRole"
MAY_ASSUME = policy(allow(ASSUME, ROLE_ARN))


def trust(principal: object, action: str = ASSUME, **others: object) -> Document:
    found = {"Effect": "Allow", "Principal": principal, "Action": action, **others}
    return policy(found, kind="trust", name="trust")


class TestTrust:
    def test_must_allow_in_the_same_account_too(self) -> None:
        for document in (None, trust({"Service": SERVICE})):
            decision = ask(MAY_ASSUME, action=ASSUME, resource=ROLE_ARN, repository=document)
            assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, Layer.RESOURCE)

    @pytest.mark.parametrize("account", [ROOT, A])
    def test_the_account_named_there_delegates(self, account: str) -> None:
        delegates = trust({"AWS": account})
        assert ask(MAY_ASSUME, action=ASSUME, resource=ROLE_ARN, repository=delegates).allowed
        alone = ask(action=ASSUME, resource=ROLE_ARN, repository=delegates)
        assert alone.layer is Layer.IDENTITY

    def test_a_user_named_there_needs_nothing_else(self) -> None:
        named = trust({"AWS": USER})
        assert ask(action=ASSUME, resource=ROLE_ARN, repository=named).allowed
        assert ask(action=ASSUME, resource=ROLE_ARN, repository=named, boundary=OTHER).allowed

    def test_a_role_named_there_is_limited_by_its_boundary(self) -> None:
        named = trust({"AWS": ROLE})
        assert ask(action=ASSUME, resource=ROLE_ARN, repository=named, principal=SESSION).allowed
        bounded = ask(
            action=ASSUME, resource=ROLE_ARN, repository=named, principal=SESSION, boundary=OTHER
        )
        assert bounded.layer is Layer.BOUNDARY

    def test_across_accounts_both_sides(self) -> None:
        target = ROLE_ARN.replace(A, B)
        may = policy(allow(ASSUME, target))
        assert ask(may, action=ASSUME, resource=target, repository=trust({"AWS": A})).allowed
        assert not ask(action=ASSUME, resource=target, repository=trust({"AWS": USER})).allowed

    def test_web_identity(self) -> None:
        provider = f"arn:aws:iam::{A}:oidc-provider/octopus.example.com"
        action = "sts:AssumeRoleWithWebIdentity"
        condition = {
            "StringEquals": {
                "octopus.example.com:aud": "api://default",
                "octopus.example.com:sub": "space:default:feed:ecr",
            }
        }
        document = trust({"Federated": provider}, action, Condition=condition)
        claims = {
            "octopus.example.com:aud": "api://default",
            "octopus.example.com:sub": "space:default:feed:ecr",
        }

        def assume(context: dict[str, str], principal: str = provider) -> Outcome:
            return ask(
                principal=principal,
                action=action,
                resource=ROLE_ARN,
                repository=document,
                context=context,
                scps=((),),
            ).outcome

        assert assume(claims) is Outcome.ALLOWED
        wrong_case = {**claims, "octopus.example.com:sub": "space:Default:feed:ecr"}
        assert assume(wrong_case) is Outcome.IMPLICIT_DENY
        assert assume({"octopus.example.com:aud": "api://default"}) is Outcome.IMPLICIT_DENY
        assert assume(claims, provider + "/") is Outcome.IMPLICIT_DENY

    def test_a_well_known_provider_by_host_name(self) -> None:
        document = trust({"Federated": "accounts.google.com"}, "sts:AssumeRoleWithWebIdentity")
        assert ask(
            principal="accounts.google.com",
            action="sts:AssumeRoleWithWebIdentity",
            resource=ROLE_ARN,
            repository=document,
        ).allowed


class TestKey:
    KEY = f"arn:aws:kms:eu-west-1:{A}:key/1234"

    @staticmethod
    def policy(principal: object) -> Document:
        return policy(
            {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"},
            kind="resource",
        )

    def test_the_key_policy_must_allow_in_the_same_account_too(self) -> None:
        may = policy(allow("kms:Decrypt"))
        assert ask(may, action="kms:Decrypt", resource=self.KEY).layer is Layer.RESOURCE
        delegates = self.policy({"AWS": ROOT})
        assert ask(may, action="kms:Decrypt", resource=self.KEY, repository=delegates).allowed
        assert (
            ask(action="kms:Decrypt", resource=self.KEY, repository=delegates).layer
            is Layer.IDENTITY
        )
        direct = self.policy({"AWS": USER})
        assert ask(action="kms:Decrypt", resource=self.KEY, repository=direct).allowed

    def test_key_actions_without_a_key_are_ordinary(self) -> None:
        assert ask(policy(allow("kms:ListKeys")), action="kms:ListKeys", resource="*").allowed
