"""What people write into the feed's policies, and what AWS makes of it: F22-F27, F30, F44-F45."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.helpers import (
    ALL,
    FOUR,
    PULL,
    READS,
    Statement,
    Told,
    allow,
    auditor,
    demo,
    deny,
    feed,
    once,
    repository,
    role,
    table,
    user,
)

A, REGION = "444455556666", "eu-central-1"
CART, WEB = "shop/cart", "shop/web"
TOKEN = FOUR[0]


def pulls_if(**condition: dict[str, object]) -> list[Statement]:
    """The four documented actions freely, the pull on a condition."""
    return [allow(FOUR), allow(PULL, when=condition)]


def only_cart() -> str:
    """A Deny on everything but one repository, which the short form cannot say."""
    return (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"},'
        '{"Sid":"OnlyCart","Effect":"Deny","Action":["ecr:ListImages","ecr:Batch*"],'
        f'"NotResource":"arn:aws:ecr:{REGION}:{A}:repository/{CART}"}}]}}'
    )


USERS: dict[str, list[Statement]] = {
    "documented": [allow(FOUR)],
    "tidy": [allow(FOUR, [f"repository/{CART}", f"repository/{WEB}"])],
    "right": [allow(TOKEN), allow(READS, [f"repository/{CART}", f"repository/{WEB}"])],
    "one-left-out": [allow([TOKEN, *READS[::2]]), allow(READS[1], f"repository/{CART}")],
    "explicit": [allow("ecr:*"), deny(TOKEN, sid="NoLogin")],
    "denied-one": [allow(ALL), deny("ecr:ListImages", f"repository/{WEB}", sid="NotWeb")],
    "tokenless": [allow(READS)],
    "other-account": [allow(TOKEN), allow(READS, f"arn:aws:ecr:{REGION}:{'1' * 12}:repository/*")],
    "other-region": [allow(TOKEN), allow(READS, f"arn:aws:ecr:us-east-1:{A}:repository/*")],
    "wildcards": [allow(TOKEN), allow(["ecr:Describe*", "ecr:L?stImages"], "repository/shop/*")],
    "tagged": pulls_if(StringEquals={"aws:ResourceTag/squad": "orders"}),
    "attributes": pulls_if(StringEquals={"ecr:ResourceTag/squad": "${aws:PrincipalTag/squad}"}),
    "private": pulls_if(IpAddress={"aws:SourceIp": ["172.16.0.0/12", "fd00::/8"]}),
    "private-but": [
        allow(ALL),
        deny(PULL, sid="Inside", when={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    ],
    "public": pulls_if(IpAddress={"aws:SourceIp": "198.51.100.0/24"}),
    "endpoint": pulls_if(StringEquals={"aws:SourceVpce": "vpce-0a1b2c3d"}),
    "second-factor": pulls_if(Bool={"aws:MultiFactorAuthPresent": "true"}),
    "region-only": pulls_if(StringEquals={"aws:RequestedRegion": ["us-east-1", "us-west-2"]}),
    "here-only": pulls_if(StringLike={"aws:RequestedRegion": "eu-*"}),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return once(tmp_path_factory, "identity", judge)


def judge(tmp_path: Path) -> Told:
    tags = {"attributes": {"squad": "orders"}}
    return demo(
        tmp_path,
        f'account = "{A}"\nregion = "{REGION}"',
        auditor(),
        repository(CART, tags={"squad": "orders"}),
        repository(WEB),
        *(user(name, *own, tags=tags.get(name, {})) for name, own in USERS.items()),
        table("user", name="all-but", keys=[{"label": "all-but"}], policies={"own": only_cart()}),
        table("group", name="pullers", policies={"all": [allow(ALL, "repository/shop/*")]}),
        user("through-group", allow(TOKEN), groups=["pullers"]),
        user("managed", allow(TOKEN), attached=["AmazonEC2ContainerRegistryReadOnly"]),
        user("pull-only", allow(TOKEN), attached=["AmazonEC2ContainerRegistryPullOnly"]),
        role("pathed", allow(ALL), label="worker", path="/ci/build/"),
        *(
            feed(name, REGION, CART, WEB, pulls=True)
            for name in (*USERS, "all-but", "through-group", "managed", "pull-only")
            if name != "right"
        ),
        feed("right", REGION, CART, WEB),
        feed("pathed", REGION, CART, WEB, pulls=True, credentials={"worker": True}),
        families=("identity", "repositories", "permissions", "scope"),
    )


@pytest.mark.parametrize(
    ("name", "check", "package", "outcome", "says"),
    [
        # F22: lists fine, cannot pull; the fix has both actions, and those ARNs only.
        *(("documented", f"PERM-{n}", CART, "met", "") for n in (2, 3, 4)),
        ("documented", "PERM-1", None, "met", ""),
        ("documented", "PERM-5", CART, "not met", '"ecr:BatchGetImage"'),
        ("documented", "PERM-6", WEB, "not met", f":repository/{WEB}"),
        # F23: a tidy scope that grants no login.
        ("tidy", "PERM-1", None, "not met", '"Resource": "*"'),
        ("tidy", "PERM-4", WEB, "met", ""),
        # F24: the right policy.
        *(("right", f"PERM-{n}", WEB, "met", "") for n in (2, 3, 4)),
        ("right", "PERM-1", None, "met", ""),
        *(("right", f"SCOPE-{n}", None, "met", "") for n in (1, 2, 3)),
        # F25: one action missing on one repository.
        ("one-left-out", "PERM-3", CART, "met", ""),
        ("one-left-out", "PERM-3", WEB, "not met", f":repository/{WEB}"),
        ("one-left-out", "PERM-4", WEB, "met", ""),
        ("one-left-out", "REPO-3", WEB, "not assessed", "ecr:DescribeImages"),
        # F26: an explicit Deny is named, and no Allow is proposed.
        ("explicit", "PERM-1", None, "not met", "'NoLogin'"),
        ("explicit", "PERM-5", CART, "met", ""),
        ("denied-one", "PERM-4", CART, "met", ""),
        ("denied-one", "PERM-4", WEB, "not met", "'NotWeb'"),
        ("all-but", "PERM-4", CART, "met", ""),
        ("all-but", "PERM-4", WEB, "not met", "'OnlyCart'"),
        ("all-but", "PERM-5", WEB, "not met", "'OnlyCart'"),
        ("all-but", "PERM-6", WEB, "met", ""),
        # F27: the token action is nowhere in the identity's policies.
        ("tokenless", "PERM-1", None, "not met", "identity policies of"),
        ("tokenless", "PERM-2", CART, "met", ""),
        # Scopes that miss.
        ("other-account", "PERM-2", CART, "not met", f":{A}:repository/{CART}"),
        ("other-region", "PERM-4", WEB, "not met", f":{REGION}:{A}:repository/{WEB}"),
        *(("wildcards", f"PERM-{n}", WEB, "met", "") for n in (2, 3, 4)),
        # Policies that come another way.
        *(("through-group", f"PERM-{n}", WEB, "met", "") for n in (2, 3, 4, 5, 6)),
        *(("managed", f"PERM-{n}", CART, "met", "") for n in (2, 3, 4, 5, 6)),
        ("pull-only", "PERM-3", CART, "not met", "ecr:DescribeImages"),
        ("pull-only", "PERM-1", None, "met", ""),
        # F30: tags.
        ("tagged", "PERM-5", CART, "met", ""),
        ("tagged", "PERM-5", WEB, "not met", "aws:ResourceTag/squad wants orders"),
        ("attributes", "PERM-6", CART, "met", ""),
        ("attributes", "PERM-6", WEB, "not met", "ecr:ResourceTag/squad"),
        # F44: the path stays in every ARN; the worker's role is judged like a user.
        *(("pathed", f"PERM-{n}", WEB, "met", "") for n in (2, 3, 4, 5, 6)),
        ("pathed", "IDENT-1", None, "met", ""),
        ("pathed", "IDENT-5", None, "not applicable", ""),
        # F45: AWS never sees a private source address.
        ("private", "PERM-5", CART, "not met", "AWS never sees a source address in 172.16.0.0/12"),
        ("private-but", "PERM-6", CART, "not met", "never sees a source address in 10.0.0.0/8"),
        # Conditions that nobody can judge from here, and those that can be.
        ("public", "PERM-5", CART, "not assessed", "depends on aws:SourceIp"),
        ("endpoint", "PERM-5", WEB, "not assessed", "depends on aws:SourceVpce"),
        ("second-factor", "PERM-6", CART, "not met", "aws:MultiFactorAuthPresent"),
        ("region-only", "PERM-5", CART, "not met", "aws:RequestedRegion expects us-east-1"),
        ("here-only", "PERM-5", CART, "met", ""),
    ],
)
def test_the_verdict_of_aws(
    told: Told, name: str, check: str, package: str | None, outcome: str, says: str
) -> None:
    said = told.of(name, check, package)
    assert said.outcome == outcome, said
    assert says in said.text


def test_a_denied_action_touches_no_other_rule(told: Told) -> None:
    assert told.not_met("one-left-out") <= {"PERM-3", "PERM-5", "PERM-6", "PULL-1"}
    assert told.outcome("one-left-out", "IDENT-1") == "met"
    assert told.not_met("here-only") == told.not_met("managed") == set()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tagged", f"tag-resource --resource-arn arn:aws:ecr:{REGION}:{A}:repository/{WEB} "),
        ("private", "aws:VpcSourceIp"),
        ("private-but", "Narrow the Deny"),
        ("second-factor", "Meet or correct the condition in"),
    ],
)
def test_the_fix_is_where_the_cause_is(told: Told, name: str, says: str) -> None:
    assert says in told.of(name, "PERM-5", WEB).fix


def test_the_list_without_names_has_a_fix_of_its_own(told: Told) -> None:
    assert f'"arn:aws:ecr:{REGION}:{A}:repository/*"' in told.of("right", "PERM-7").fix


def test_an_explicit_deny_is_never_mended_with_an_allow(told: Told) -> None:
    for name, check in (("explicit", "PERM-1"), ("denied-one", "PERM-4"), ("all-but", "PERM-4")):
        package = None if check == "PERM-1" else WEB
        assert '"Effect": "Allow"' not in told.of(name, check, package).fix
