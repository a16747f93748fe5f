"""To whom a policy is attached, in which way, within which quota, by which commands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.facts.iam import PolicyDocument, Principal
from ecr_feed.iam import DEFAULT_QUOTAS, Need, used_size
from ecr_feed.permissions.attachment import (
    INLINE,
    MANAGED,
    Attachment,
    Holder,
    Room,
    commands,
    common_path,
    fitted,
    holder_of,
    room_for,
    way_of,
)

ACCOUNT = "123456789012"
USER = Holder("user", "feed", ACCOUNT, "aws")
HERE = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/"
SMALL = {"Version": "2012-10-17", "Statement": []}


@pytest.mark.parametrize(
    ("arn", "holder"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/ci/feed", USER),
        (f"arn:aws:iam::{ACCOUNT}:role/ci/worker", Holder("role", "worker", ACCOUNT, "aws")),
        (
            f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/worker/i-01",
            Holder("role", "worker", ACCOUNT, "aws-cn"),
        ),
    ],
)
def test_an_identity_whose_policies_can_be_changed(arn: str, holder: Holder) -> None:
    assert holder_of(arn) == holder


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", "takes no policy of its own"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", "takes no policy of its own"),
        ("", "the feed's identity is not known"),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Read_Only_0123456789abcdef/me",
            "where its policies are changed: in the permission set Read_Only",
        ),
    ],
)
def test_an_identity_without_policies_of_its_own_is_said(arn: str, says: str) -> None:
    found = holder_of(arn)
    assert isinstance(found, str)
    assert says in found


def principal(*policies: PolicyDocument, unread: bool = False) -> Principal:
    failure = Failure(Trouble.DENIED, "iam", "GetPolicy", "eu-west-1")
    return Principal(
        *("user", f"arn:aws:iam::{ACCOUNT}:user/feed", ACCOUNT, "feed"),
        policies=policies,
        unread=(failure,) if unread else (),
    )


def inline(name: str = "own", via: str = "user feed") -> PolicyDocument:
    return PolicyDocument(name, "identity", SMALL, via=via)


def managed(name: str, via: str = "user feed") -> PolicyDocument:
    return PolicyDocument(name, "identity", SMALL, f"arn:aws:iam::{ACCOUNT}:policy/{name}", via)


def test_what_is_there_already_takes_room() -> None:
    found = room_for(USER, principal(inline(), managed("A"), managed("b")), DEFAULT_QUOTAS)
    assert found == Room(2048 - used_size(SMALL), 8, 6144, frozenset({"own", "a", "b"}))


def test_a_groups_policies_take_no_room_of_the_user() -> None:
    groups = (inline(via="group feed"), managed("a", "group feed"))
    assert room_for(USER, principal(*groups), DEFAULT_QUOTAS) == Room(2048, 10)


def test_what_was_not_read_leaves_no_room_for_an_inline_policy() -> None:
    assert room_for(USER, None, DEFAULT_QUOTAS) == Room(0, 10)
    found = room_for(USER, principal(managed("a"), unread=True), DEFAULT_QUOTAS)
    assert (found.inline, found.attached) == (0, 9)


def needs(count: int, *actions: str) -> list[Need]:
    return [
        Need(action, f"{HERE}team/service-{number:04}")
        for number in range(count)
        for action in actions or ("ecr:ListImages",)
    ]


@pytest.mark.parametrize(
    ("count", "room", "ways", "fits"),
    [
        (3, Room(2048, 10), [INLINE], True),
        (3, Room(100, 10), [MANAGED], True),
        (3, Room(0, 0), [MANAGED], False),
        (130, Room(2048, 10), [MANAGED, MANAGED], True),
        (130, Room(10240, 10), [INLINE], True),
        (130, Room(4096, 1), [MANAGED, INLINE], True),
        (130, Room(2048, 1), [MANAGED, MANAGED], False),
        (300, Room(10240, 2), [MANAGED, MANAGED, INLINE], True),
    ],
)
def test_the_way_that_has_room_is_chosen(
    count: int, room: Room, ways: list[str], fits: bool
) -> None:
    placed, within = fitted(needs(count), room, "ecr-x")
    assert ([each.way for each in placed], within) == (ways, fits)


@given(
    st.integers(1, 80),
    st.integers(0, 3000),
    st.integers(0, 3),
    st.integers(400, 1500),
    st.integers(0, 40),
)
def test_everything_is_in_one_document_and_within_its_quota(
    count: int, inline_room: int, slots: int, size: int, spare: int
) -> None:
    room = Room(inline_room, slots, size, frozenset({"ecr-x", "ecr-x-3"}))
    wanted = needs(count, "ecr:ListImages", "ecr:DescribeImages")
    placed, within = fitted(wanted, room, "ecr-x", spare)
    assert fitted(wanted[::-1], room, "ecr-x", spare) == (placed, within)
    granted = [
        Need(action, resource)
        for each in placed
        for statement in listed(each.document["Statement"])
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    assert sorted(granted) == sorted(wanted)
    for each in placed:
        assert each.characters == used_size(each.document) + spare
        assert each.characters <= (room.inline if each.way == INLINE else room.managed)
    names = [each.name for each in placed]
    assert len(set(names) | room.names) == len(names) + 2
    used = [each.way for each in placed]
    assert within is (used.count(MANAGED) <= slots and used.count(INLINE) <= 1)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def attachment(holder: Holder | None, *ways: str) -> dict[str, Any]:
    placed, _ = fitted(needs(130), Room(4096, 1), "ecr-x")
    assert [each.way for each in placed] == [*ways]
    return Attachment(130, tuple(placed), holder, "").plain


def test_the_commands_name_everything() -> None:
    told = commands(attachment(USER, MANAGED, INLINE), ["a.json", "it's/b.json"])
    assert told == [
        "aws iam create-policy --policy-name ecr-x --policy-document file://a.json",
        (
            "aws iam attach-user-policy --user-name feed "
            f"--policy-arn arn:aws:iam::{ACCOUNT}:policy/ecr-x"
        ),
        (
            "aws iam put-user-policy --user-name feed --policy-name ecr-x-2 "
            "--policy-document 'file://it'\"'\"'s/b.json'"
        ),
    ]
    assert commands(attachment(None, MANAGED, INLINE), ["a.json", "b.json"]) == []


def test_the_way_in_words() -> None:
    placed, _ = fitted(needs(300), Room(10240, 2), "x")
    assert way_of(placed, USER) == "as 2 managed policies and an inline policy of user feed"
    assert way_of(placed[:1], USER) == "as a managed policy of user feed"


TEAM = ["team/a", "team/deep/b"]
READ = ("ecr:DescribeImages", "ecr:ListImages")


def wanted(*names: str) -> list[Need]:
    scoped = [Need(action, HERE + name) for name in names for action in READ]
    return [
        Need("ecr:GetAuthorizationToken"),
        Need("ecr:DescribeRepositories", HERE + "*"),
        *scoped,
    ]


def test_one_statement_on_a_path_of_the_feeds_own() -> None:
    assert common_path(wanted(*TEAM), [*TEAM, "teams/x", "other"]) == {
        "Effect": "Allow",
        "Action": [*READ],
        "Resource": f"{HERE}team/*",
    }


@pytest.mark.parametrize(
    ("names", "registry"),
    [
        (TEAM, [*TEAM, "team/theirs"]),
        (["app", "team/a"], ["app", "team/a"]),
        (["app"], ["app"]),
        (["team", "team/a"], ["team", "team/a"]),
        ([], []),
    ],
)
def test_no_path_that_would_allow_more(names: list[str], registry: list[str]) -> None:
    assert common_path(wanted(*names), registry) is None


def test_no_path_over_repositories_that_need_different_actions() -> None:
    partly = [*wanted("team/a"), Need("ecr:ListImages", HERE + "team/b")]
    assert common_path(partly, ["team/a", "team/b"]) is None
