from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam import (
    SIZE_LIMITS,
    Need,
    Policies,
    Request,
    decide,
    parse,
    policy_size,
    smallest_policy,
    smallest_repository_policy,
)
from tests.iam.helpers import FOREIGN, JSON, REPOSITORY, TOKEN, USER, A, B, allow, ask, policy

FOUR = [TOKEN, "ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"]
HERE = f"arn:aws:ecr:eu-west-1:{A}:repository/"


def four(*names: str) -> list[Need]:
    return [Need(action, HERE + name) for name in names for action in FOUR]


def test_the_documented_minimum() -> None:
    assert smallest_policy(four("team/app")) == [
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": TOKEN, "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": ["ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListImages"],
                    "Resource": REPOSITORY,
                },
            ],
        }
    ]


def test_nothing_needed_is_no_policy() -> None:
    assert smallest_policy([]) == []


def test_order_case_and_repetition_do_not_matter() -> None:
    needs = four("b", "a")
    shouted = [Need(need.action.upper(), need.resource) for need in reversed(needs)]
    assert smallest_policy(shouted + needs) == smallest_policy(needs)
    statement = smallest_policy(needs)[0]["Statement"]
    assert isinstance(statement, list)
    assert statement[1]["Resource"] == [HERE + "a", HERE + "b"]


def test_a_resource_that_another_covers_is_left_out() -> None:
    every = Need("ecr:DescribeRepositories", HERE + "*")
    (document,) = smallest_policy([every, Need("ecr:DescribeRepositories", REPOSITORY)])
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": "ecr:DescribeRepositories", "Resource": HERE + "*"}
    ]


def test_the_partition_stays() -> None:
    arn = f"arn:aws-cn:ecr:cn-north-1:{A}:repository/x"
    assert arn in json.dumps(smallest_policy([Need("ecr:ListImages", arn)]))


def test_the_shorter_grouping_is_taken() -> None:
    # One repository is pulled from, many are only listed: by action, the list stands twice.
    names = [f"team/{index:03}" for index in range(20)]
    needs = [Need("ecr:ListImages", HERE + name) for name in names]
    needs += [Need("ecr:BatchGetImage", HERE + name) for name in names[:19]]
    (document,) = smallest_policy(needs)
    assert policy_size(document) < 1700
    assert json.dumps(document).count("team/000") == 1


@pytest.mark.parametrize("count", [1, 100, 400])
def test_large_sets_are_split_within_the_limit(count: int) -> None:
    names = [f"team/service-{index:04}" for index in range(count)]
    documents = smallest_policy(four(*names))
    assert len(documents) == {1: 1, 100: 2, 400: 5}[count]
    parsed = [parse(each, limit=SIZE_LIMITS["managed policy"]) for each in documents]
    for need in four(*names):
        assert ask(*parsed, action=need.action, resource=need.resource).allowed
    assert not ask(*parsed, action="ecr:ListImages", resource=HERE + "team/service").allowed


def test_many_actions_on_one_resource_are_split_too() -> None:
    needs = [Need(f"svc:Action{index:04}", "arn:aws:svc:::x") for index in range(500)]
    documents = smallest_policy(needs)
    assert len(documents) == 2
    assert all(policy_size(each) <= 6144 for each in documents)


def test_what_fits_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match="over 100 characters"):
        smallest_policy([Need("ecr:ListImages", HERE + "x" * 100)], limit=100)


def test_a_repository_policy() -> None:
    document = smallest_repository_policy([TOKEN, "ecr:listimages", "ecr:BatchGetImage"], [USER])
    assert document["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": USER},
            "Action": ["ecr:BatchGetImage", "ecr:ListImages"],
        }
    ]
    theirs = parse(document, kind="resource")
    assert ask(policy(allow("ecr:*")), resource=FOREIGN, repository=theirs).allowed


UNIVERSE = [
    (action, resource)
    for action in (*FOUR, "ecr:PutImage")
    for resource in (HERE + "a", HERE + "a/b", HERE + "ab", HERE.replace(A, B) + "a", "*")
]
STATEMENTS = st.builds(
    allow,
    st.sampled_from(["ecr:*", "ecr:List*", TOKEN, "s3:*", "ecr:PutImage"]),
    st.sampled_from(["*", HERE + "a", HERE + "a*", HERE + "*"]),
)


@given(
    st.lists(STATEMENTS, max_size=3),
    st.lists(st.sampled_from([each for each in UNIVERSE if each[1] != "*" or each[0] == TOKEN])),
    st.sampled_from([6144, 300]),
)
def test_adding_it_flips_just_what_was_asked(
    statements: list[JSON], asked: list[tuple[str, str]], limit: int
) -> None:
    before = tuple(policy(each) for each in statements)
    needs = [Need(action, resource) for action, resource in asked]
    added = tuple(parse(each, limit=limit) for each in smallest_policy(needs, limit=limit))
    token = any(need.action == TOKEN for need in needs)
    for action, resource in UNIVERSE:
        request = Request(USER, action, resource, resource_account=A)
        was = decide(request, Policies(before)).allowed
        now = decide(request, Policies((*before, *added))).allowed
        needed = token if action == TOKEN else Need(action, resource) in needs
        assert now is (was or needed)
