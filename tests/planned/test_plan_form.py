"""A document that is broken somewhere is refused with the place, or judged: it never crashes."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.planned.terraform import account_from_plan
from tests.planned.plans import (
    Json,
    access,
    allow,
    changed,
    plan,
    reference,
    repository,
    resource,
    role,
    user,
)

Path = tuple[Any, ...]
BROKEN: tuple[Any, ...] = (None, "", [], {}, 1, True, "x", [1], {"a": 1})


def whole() -> Json:
    """A plan with most of what is read."""
    policy = resource(
        "aws_iam_role_policy.pull",
        {"name": "pull", "policy": access(allow("ecr:*"))},
        unknown={"role": True},
        written={"role": reference("aws_iam_role.feed.id")},
    )
    caller = resource("data.aws_caller_identity.me", {"account_id": "123456789012"})
    made = plan(
        repository("team/app"),
        modules={"x": ([role(), policy], {}, {})},
        prior_state={"values": {"root_module": {"resources": [caller]}}},
    )
    old = changed(user(), "forget", before={"name": "octopus", "path": "/"})
    return {**made, "resource_changes": [*made["resource_changes"], old]}


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The place of every part."""
    if path:
        yield path
    inner: dict[Any, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        inner = dict(enumerate(value))
    for step, each in inner.items():
        yield from paths(each, (*path, step))


def test_a_broken_part_never_crashes() -> None:
    document = whole()
    account_from_plan(document, identity="feed")
    for path, value in zip(paths(document), cycle(BROKEN), strict=False):
        broken = copy.deepcopy(document)
        part: Any = broken
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
        with contextlib.suppress(AccountError):
            account_from_plan(broken, identity="feed")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"planned_values": 1}, "planned_values is not an object"),
        ({"planned_values": {"root_module": {"resources": [None]}}}, "resources[0] is null"),
        ({"resource_changes": [{"change": {"actions": "forget"}}]}, "actions is not a list"),
        ({"configuration": {"root_module": {"module_calls": {"x": 1}}}}, "module_calls.x is not"),
    ],
)
def test_the_place_is_named(part: Json, said: str) -> None:
    with pytest.raises(AccountError) as caught:
        account_from_plan({**whole(), **part}, source="plan.json")
    assert str(caught.value).startswith("plan.json: not a whole plan: ")
    assert said in str(caught.value)
