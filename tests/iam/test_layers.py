from __future__ import annotations

import pytest

from ecr_feed.iam import Layer, Outcome
from tests.iam.helpers import (
    FEDERATED,
    FOREIGN,
    PULL,
    REPOSITORY,
    ROLE,
    ROOT,
    SESSION,
    USER,
    A,
    B,
    allow,
    ask,
    deny,
    grant,
    policy,
)

FULL = policy(allow(), name="full")
PULLS = policy(allow(PULL, [REPOSITORY, FOREIGN]), name="pulls")
OTHER = policy(allow("s3:*"), name="other")
DENIES = policy(allow(), deny(PULL), name="denies")
RCP_FULL = policy({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, kind="rcp")
RCP_DENIES = policy(
    {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Resource": "*"}, kind="rcp"
)
EVERYONE = grant("*", PULL)
LINKED = f"arn:aws:iam::{A}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
LINKED_SESSION = f"arn:aws:sts::{A}:assumed-role/AWSServiceRoleForECS/x"
SERVICE = "lambda.amazonaws.com"

ALLOWED = (Outcome.ALLOWED, Layer.IDENTITY)


def test_nothing_given_is_an_implicit_deny() -> None:
    decision = ask()
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, Layer.NO_GRANT)
    assert decision.denial_layer == "identity-based policy"


def test_an_identity_policy_allows() -> None:
    decision = ask(OTHER, PULLS)
    assert (decision.outcome, decision.layer) == ALLOWED
    assert decision.statement is not None
    assert decision.statement.policy == "pulls"
    assert decision.blocking == ()


@pytest.mark.parametrize(
    ("layer", "denied"),
    [
        (Layer.IDENTITY, lambda: ask(FULL, DENIES)),
        (Layer.BOUNDARY, lambda: ask(FULL, boundary=DENIES)),
        (Layer.SESSION, lambda: ask(FULL, principal=SESSION, session=DENIES)),
        (Layer.RESOURCE, lambda: ask(FULL, repository=grant("*", PULL, "Deny"))),
        (Layer.SCP, lambda: ask(FULL, scps=((FULL,), (FULL, DENIES)))),
        (Layer.RCP, lambda: ask(FULL, rcps=((RCP_FULL,), (RCP_FULL, RCP_DENIES)))),
    ],
)
def test_an_explicit_deny_wins_in_every_layer(layer: Layer, denied: object) -> None:
    assert callable(denied)
    decision = denied()
    assert (decision.outcome, decision.layer) == (Outcome.EXPLICIT_DENY, layer)
    assert decision.statement is not None
    assert [block.layer for block in decision.blocking] == [layer]
    if layer in (Layer.SCP, Layer.RCP):
        assert decision.level == 1


def test_an_explicit_deny_wins_over_a_direct_grant() -> None:
    for denied in (
        ask(DENIES, repository=EVERYONE),
        ask(repository=grant({"AWS": USER}, PULL), boundary=DENIES),
        ask(repository=grant({"AWS": SESSION}, PULL), principal=SESSION, session=DENIES),
    ):
        assert denied.outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("layer", "text", "silent"),
    [
        (Layer.BOUNDARY, "permissions boundary", lambda: ask(FULL, boundary=OTHER)),
        (Layer.SESSION, "session policy", lambda: ask(FULL, principal=SESSION, session=OTHER)),
        (Layer.SCP, "service control policy", lambda: ask(FULL, scps=((FULL,), (OTHER,)))),
        (
            Layer.RCP,
            "resource control policy",
            lambda: ask(FULL, rcps=((RCP_FULL,), ())),
        ),
    ],
)
def test_each_layer_present_must_allow(layer: Layer, text: str, silent: object) -> None:
    assert callable(silent)
    decision = silent()
    assert decision.layer is layer
    assert decision.denial_layer == text
    assert not decision.allowed


def test_limits_grant_nothing() -> None:
    decision = ask(
        boundary=FULL, session=FULL, scps=((FULL,),), rcps=((RCP_FULL,),), principal=SESSION
    )
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, Layer.NO_GRANT)


def test_all_that_block_are_named() -> None:
    decision = ask(OTHER, boundary=OTHER, scps=((OTHER,),))
    layers = [block.layer for block in decision.blocking]
    assert layers == [Layer.SCP, Layer.NO_GRANT, Layer.BOUNDARY]
    assert decision.layer is Layer.SCP
    assert str(decision.blocking[0]) == "scp level 0"


def test_every_scp_level_must_allow_and_an_empty_one_allows_nothing() -> None:
    assert ask(FULL, scps=((FULL,), (OTHER, FULL))).allowed
    assert ask(FULL, scps=()).allowed
    empty = ask(FULL, scps=((FULL,), ()))
    assert (empty.layer, empty.level) == (Layer.SCP, 1)
    assert not ask(FULL, rcps=((),)).allowed


@pytest.mark.parametrize("caller", [LINKED, LINKED_SESSION])
def test_service_linked_roles_are_free_of_scps_and_rcps(caller: str) -> None:
    assert ask(FULL, principal=caller, scps=((OTHER,),), rcps=((RCP_DENIES,),)).allowed
    assert not ask(FULL, principal=SESSION, scps=((OTHER,),)).allowed
    assert not ask(FULL, principal=SESSION, rcps=((RCP_DENIES,),)).allowed


def test_a_role_is_service_linked_by_its_path_where_that_is_known() -> None:
    posing = f"arn:aws:iam::{A}:role/AWSServiceRoleForPretending"
    assert not ask(FULL, principal=posing, scps=((OTHER,),)).allowed
    session = f"arn:aws:sts::{A}:assumed-role/AWSServiceRoleForPretending/x"
    told = {"aws:PrincipalArn": posing.replace("role/", "role/own/")}
    assert not ask(FULL, principal=session, scps=((OTHER,),), context=told).allowed


def test_rcps_bind_callers_from_outside_and_services() -> None:
    for caller in (None, SERVICE, USER.replace(A, B)):
        open_to_all = ask(
            FULL, principal=caller, repository=EVERYONE, rcps=((RCP_FULL, RCP_DENIES),)
        )
        assert open_to_all.layer is Layer.RCP


def test_rcps_leave_services_alone_that_they_do_not_protect() -> None:
    role = f"arn:aws:iam::{A}:role/x"
    assert ask(FULL, action="iam:GetRole", resource=role, rcps=((),)).allowed


def test_scps_do_not_bind_outsiders() -> None:
    for caller in (None, SERVICE):
        assert ask(principal=caller, repository=EVERYONE, scps=((OTHER,),)).allowed


class TestRootUser:
    def test_needs_no_policy(self) -> None:
        decision = ask(principal=ROOT)
        assert (decision.outcome, decision.layer) == (Outcome.ALLOWED, Layer.ROOT_USER)

    def test_is_bound_by_scps_rcps_and_a_resource_deny(self) -> None:
        assert ask(principal=ROOT, scps=((OTHER,),)).layer is Layer.SCP
        assert ask(principal=ROOT, rcps=((RCP_DENIES,),)).layer is Layer.RCP
        denied = ask(principal=ROOT, repository=grant({"AWS": ROOT}, effect="Deny"))
        assert denied.outcome is Outcome.EXPLICIT_DENY

    def test_elsewhere_needs_to_be_named(self) -> None:
        assert not ask(principal=ROOT, resource=FOREIGN).allowed
        assert ask(principal=ROOT, resource=FOREIGN, repository=grant({"AWS": A})).allowed

    def test_of_a_key_needs_the_key_policy(self) -> None:
        key = f"arn:aws:kms:eu-west-1:{A}:key/1"
        assert not ask(principal=ROOT, action="kms:Decrypt", resource=key).allowed
        named = policy(
            {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"},
            kind="key",
        )
        assert ask(principal=ROOT, action="kms:Decrypt", resource=key, repository=named).allowed


class TestSameAccount:
    @pytest.mark.parametrize("caller", [USER, ROLE, SESSION])
    def test_either_side_suffices(self, caller: str) -> None:
        assert ask(PULLS, principal=caller).allowed
        named = caller if caller == USER else ROLE
        decision = ask(principal=caller, repository=grant({"AWS": named}, PULL))
        assert (decision.outcome, decision.layer) == (Outcome.ALLOWED, Layer.RESOURCE)

    @pytest.mark.parametrize("account", [ROOT, A])
    def test_naming_the_account_only_delegates(self, account: str) -> None:
        delegates = grant({"AWS": account}, PULL)
        assert ask(repository=delegates).layer is Layer.NO_GRANT
        assert ask(PULLS, repository=delegates).allowed

    @pytest.mark.parametrize(
        ("caller", "named", "limited"),
        [
            (USER, {"AWS": USER}, False),
            (USER, "*", False),
            (SESSION, {"AWS": SESSION}, False),
            (SESSION, "*", False),
            (SESSION, {"AWS": ROLE}, True),
            (ROLE, {"AWS": ROLE}, True),
            (ROLE, "*", False),
            (FEDERATED, {"AWS": FEDERATED}, False),
        ],
    )
    def test_who_is_named_decides_whether_silence_limits(
        self, caller: str, named: object, limited: bool
    ) -> None:
        repository = grant(named, PULL)
        for boundary, session in ((OTHER, None), (None, OTHER), (OTHER, OTHER)):
            decision = ask(
                principal=caller, repository=repository, boundary=boundary, session=session
            )
            assert decision.allowed is not limited
            if limited:
                assert decision.layer in (Layer.BOUNDARY, Layer.SESSION)

    def test_a_role_named_within_boundary_and_session_policy_is_allowed(self) -> None:
        repository = grant({"AWS": ROLE}, PULL)
        assert ask(principal=SESSION, repository=repository, boundary=FULL, session=PULLS).allowed

    def test_a_wildcard_with_principal_arn_is_a_direct_grant(self) -> None:
        arn = f"arn:aws:iam::{A}:role/octopus-feed"
        repository = grant("*", PULL, Condition={"ArnEquals": {"aws:PrincipalArn": arn}})
        assert ask(principal=SESSION, repository=repository, boundary=OTHER, session=OTHER).allowed


class TestCrossAccount:
    @pytest.mark.parametrize(
        ("caller", "named"),
        [
            (USER, "*"),
            (USER, {"AWS": USER}),
            (USER, {"AWS": A}),
            (USER, {"AWS": ROOT}),
            (SESSION, {"AWS": ROLE}),
            (SESSION, {"AWS": SESSION}),
            (ROLE, {"AWS": ROLE}),
        ],
    )
    def test_both_sides_are_needed(self, caller: str, named: object) -> None:
        repository = grant(named, PULL)
        assert ask(PULLS, principal=caller, resource=FOREIGN, repository=repository).allowed
        own_missing = ask(principal=caller, resource=FOREIGN, repository=repository)
        assert own_missing.layer is Layer.IDENTITY
        theirs_missing = ask(PULLS, principal=caller, resource=FOREIGN)
        assert theirs_missing.layer is Layer.RESOURCE
        neither = ask(principal=caller, resource=FOREIGN)
        assert [block.layer for block in neither.blocking] == [Layer.RESOURCE, Layer.IDENTITY]

    @pytest.mark.parametrize("named", ["*", {"AWS": USER}, {"AWS": A}])
    def test_boundary_and_session_policy_limit_everybody(self, named: object) -> None:
        repository = grant(named, PULL)
        bounded = ask(PULLS, resource=FOREIGN, repository=repository, boundary=OTHER)
        assert bounded.layer is Layer.BOUNDARY
        limited = ask(PULLS, resource=FOREIGN, repository=repository, session=OTHER)
        assert limited.layer is Layer.SESSION

    def test_the_account_comes_from_the_arn_else_from_the_request_else_from_the_caller(
        self,
    ) -> None:
        bucket = policy(allow("s3:*"))
        object_arn = "arn:aws:s3:::bucket/key"
        assert ask(bucket, action="s3:GetObject", resource=object_arn).allowed
        foreign = ask(bucket, action="s3:GetObject", resource=object_arn, resource_account=B)
        assert foreign.layer is Layer.RESOURCE
        same = ask(PULLS, resource=FOREIGN, resource_account=A)
        assert same.allowed


class TestOutsiders:
    def test_a_service_needs_the_resources_grant_alone(self) -> None:
        assert ask(principal=SERVICE, repository=grant({"Service": SERVICE}, PULL)).allowed
        assert ask(FULL, principal=SERVICE).layer is Layer.RESOURCE
        assert not ask(principal=SERVICE, repository=grant({"AWS": ROOT})).allowed

    def test_an_unsigned_caller_needs_everyone(self) -> None:
        assert ask(principal=None, repository=EVERYONE).allowed
        assert not ask(principal=None, repository=grant({"AWS": [ROOT, USER]})).allowed
