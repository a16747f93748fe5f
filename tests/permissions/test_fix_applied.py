"""The policies of a fix, attached as printed: they turn denials, and open nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.facts.aws import Answer
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.attachment import commands
from ecr_feed.permissions.blockers import is_conditional
from ecr_feed.permissions.fixes import needed_policy, policy_fix
from ecr_feed.permissions.needs import READ
from tests.field.helpers import FOUR, allow, deny, table, user
from tests.iam.test_quotas import granted
from tests.state.account import ACCOUNT, REGION, Real
from tests.state.model import NAMES
from tests.support.feeds import REGION as HERE
from tests.support.feeds import Opened, opened
from tests.support.iam_commands import run_commands
from tests.support.properties import costly

CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"StringEquals": {"aws:ResourceTag/team": "x"}},
    {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
)
SCOPES = ("*", *(f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}" for name in (*NAMES, "*")))
STATEMENTS = st.builds(
    lambda effect, actions, scope, condition: {
        "Effect": effect,
        "Action": actions,
        "Resource": scope,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from([*FOUR, "ecr:*"]), min_size=1, max_size=2, unique=True),
    st.sampled_from(SCOPES),
    st.sampled_from(CONDITIONS),
)


def answers(rights: Rights) -> dict[tuple[str, str], Answer]:
    every = [*rights.all_answers(), *rights.listing_answers()]
    return {(each.action, each.resource): each.answer for each in every}


def attach(fix: dict[str, Any], iam: Any, folder: Path) -> list[str]:
    files = [f"{number}.json" for number, _ in enumerate(fix["documents"])]
    for name, placed in zip(files, fix["documents"], strict=True):
        (folder / name).write_text(json.dumps(placed["document"], indent=2), encoding="utf-8")
    return run_commands(commands(fix, files), iam, folder)


@costly(phases=(Phase.reuse, Phase.generate))
@given(st.lists(STATEMENTS, min_size=1, max_size=4))
def test_what_was_denied_for_want_of_an_allow_is_allowed_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, statements: list[dict[str, Any]]
) -> None:
    real = Real()
    for name in NAMES:
        real.ecr.create_repository(repositoryName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    real.iam.put_user_policy(UserName="octopus", PolicyName="own", PolicyDocument=document)
    rights = real.rights()
    before, fix = answers(rights), policy_fix(rights, ask=True)
    limited = {(each.action, each.resource) for each in rights.so_far() if is_conditional(each)}
    if fix is None:
        return
    attach(fix, real.iam, tmp_path_factory.mktemp("fix"))
    after = answers(real.rights())
    opened_now = {pair for pair, answer in after.items() if answer is not before[pair]}
    allowed = {pair for placed in fix["documents"] for pair in granted(placed["document"])}
    # Whether a Deny on the source address applies is not known of what was not called.
    assert {pair for pair in allowed if after[pair] is Answer.DENIED} == set()
    assert opened_now <= allowed | {pair for pair in before if (pair[0], SCOPES[-1]) in allowed}
    assert all(before[pair] is Answer.DENIED for pair in opened_now & allowed)
    assert not limited & opened_now, "no condition is lifted"
    assert allowed <= set(before), "nothing beside the feed's needs"


def owner(at: Opened) -> Any:
    return Owner(at.core).client("iam", HERE, "123456789012")


BOTH = ("managed", "inline")
PACKAGES = tuple(f"team/service-{number:03}" for number in range(130))


def shelves(count: int) -> Iterator[str]:
    yield from (table("repository", name=name) for name in PACKAGES[:count])


@pytest.mark.parametrize(
    ("count", "kind", "quotas", "ways"),
    [
        (130, "user", "", ["managed", "managed"]),
        (40, "role", "", ["inline"]),
        (30, "user", "AttachedPoliciesPerUserQuota = 1, PolicySizeQuota = 1600", [*BOTH]),
    ],
)
def test_a_feed_of_many_packages_has_all_that_it_needs_afterwards(
    tmp_path: Path, count: int, kind: str, quotas: str, ways: list[str]
) -> None:
    packages = PACKAGES[:count]
    own = {"own": [allow(FOUR[0])]}
    keys = [{"label": "feed"}]
    holder = table(kind, name="octopus", keys=keys, policies=own)
    raised = f"quotas = {{ {quotas} }}\n"
    with opened(raised, *shelves(count), holder, packages=packages) as at:
        fix = policy_fix(at.rights, ask=True)
        assert fix is not None
        assert fix["permissions"] == len(READ) * count + 1
        assert [each["way"] for each in fix["documents"]] == ways
        assert fix["notes"] == []
        attach(fix, owner(at), tmp_path)
        assert set(answers(at.again()).values()) == {Answer.ALLOWED}


def test_what_every_feed_needs_is_enough_by_itself(tmp_path: Path) -> None:
    with opened(*shelves(30), user("feed", deny("s3:*")), packages=PACKAGES[:30]) as at:
        policy = needed_policy(at.rights)
        assert policy is not None
        attach(policy, owner(at), tmp_path)
        assert set(answers(at.again()).values()) == {Answer.ALLOWED}


def test_beyond_the_quota_a_path_is_proposed_that_holds_nothing_else() -> None:
    many = tuple(f"team/{'x' * 100}-{number:04}" for number in range(101))
    own = user("feed", allow([FOUR[0], "ecr:DescribeRepositories"]))
    quota = "quotas = { AttachedPoliciesPerUserQuota = 0 }\n"
    repositories = [table("repository", name=name) for name in many]
    with opened(quota, *repositories, own, packages=many) as at:
        fix = policy_fix(at.rights, ask=True)
        assert fix is not None
        beyond, path = fix["notes"]
        assert beyond.startswith("Beyond IAM's quota: 3 managed policies would be needed, and 0 ")
        assert '"Resource": "arn:aws:ecr:eu-west-1:123456789012:repository/team/*"' in path
    stranger = table("repository", name="team/theirs")
    with opened(quota, *repositories, stranger, own, packages=many) as at:
        fix = policy_fix(at.rights, ask=True)
        assert fix is not None
        assert fix["notes"][1] == (
            "No common path is proposed: there is none that holds this feed's packages only."
        )
    few = many[:60]
    with opened(quota, *repositories, own, packages=few) as at:
        fix = policy_fix(at.rights, ask=True)
        assert fix is not None
        assert "the registry's list of repositories was not read" in fix["notes"][1]


def test_names_that_are_in_use_are_not_taken(tmp_path: Path) -> None:
    named = {"ecr-feed-fix": [allow(FOUR[:2])]}
    holder = table("user", name="feed", keys=[{"label": "feed"}], policies=named)
    with opened(table("repository", name="shop/cart"), holder) as at:
        fix = policy_fix(at.rights, ask=True)
        assert fix is not None
        assert attach(fix, owner(at), tmp_path) == ["put-user-policy"]
        names = owner(at).list_user_policies(UserName="feed")["PolicyNames"]
        assert sorted(names) == ["ecr-feed-fix", "ecr-feed-fix-2"]


def test_what_only_a_condition_or_a_deny_keeps_out_is_left_out_and_said() -> None:
    vpce = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    own = user(
        "feed",
        allow(FOUR[:2]),
        allow(FOUR[2], when=vpce, sid="FromOurVpc"),
        allow(FOUR[3]),
        deny(FOUR[3], sid="NoList"),
    )
    with opened(table("repository", name="shop/cart"), own) as at:
        assert policy_fix(at.rights, ask=True) is None
        answers(at.rights)
        policy = needed_policy(at.rights)
    assert policy is not None
    allowed = {action for each in policy["documents"] for action, _ in granted(each["document"])}
    assert allowed == {*FOUR} - {FOUR[2]}
    (note,) = policy["notes"]
    assert note.startswith(f"Left out: {FOUR[2]} on ")
    assert "FromOurVpc" in note
