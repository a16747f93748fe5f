from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.aws.readers.registry_items import AskedRegistry
from ecr_feed.aws.readers.repositories import Inventory, read_inventory
from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import Answer, Trouble
from tests.aws.fake import FakeAws, denial, fault, ok, repository
from tests.aws.helpers import embedded, failure_of


def inventory(fake: FakeAws, names: Sequence[str]) -> Inventory:
    client = embedded(fake).client(KeyCredentials(key="feed"), "ecr", "eu-west-1")
    with ThreadPoolExecutor(4) as pool:
        return read_inventory(client, names, pool, AskedRegistry("", "eu-west-1"))


def names(count: int, prefix: str = "team/app") -> list[str]:
    return [f"{prefix}{number:04}" for number in range(count)]


def calls(fake: FakeAws) -> int:
    return fake.calls["DescribeRepositories"]


def test_up_to_a_hundred_names_cost_one_call() -> None:
    fake = FakeAws(dict.fromkeys(names(5000), 1))
    found = inventory(fake, names(100))
    assert calls(fake) == 1
    assert all(found.permission(name).answer == Answer.ALLOWED for name in names(100))
    assert found.listing is None


def test_a_missing_name_costs_the_list_and_one_call_more() -> None:
    fake = FakeAws(dict.fromkeys(names(1500), 1))
    found = inventory(fake, [*names(3), "team/app-001", "team/app0003"])
    assert calls(fake) == 1 + 2 + 1
    assert found.repository("team/app-001") is None
    assert found.complete
    assert "team/app0001" in found.near("team/app-0001")
    assert found.permission("team/app-001").answer == Answer.UNDETERMINED
    assert found.permission("team/app0003").answer == Answer.ALLOWED
    assert found.listing is not None


def test_many_names_list_first_while_it_is_not_dearer() -> None:
    fake = FakeAws(dict.fromkeys(names(1900), 1))
    found = inventory(fake, [*names(250), "team/gone"])
    assert calls(fake) == 2 + 3
    assert found.repository("team/gone") is None
    assert all(found.permission(name).answer == Answer.ALLOWED for name in names(250))


def test_a_registry_dearer_to_list_is_asked_by_name() -> None:
    fake = FakeAws(dict.fromkeys(names(5000), 1))
    found = inventory(fake, names(150))
    assert calls(fake) == 2 + 2
    assert not found.complete
    assert found.repository("team/app0149") is not None


def test_many_names_one_missing_in_a_large_registry() -> None:
    fake = FakeAws(dict.fromkeys(names(5000), 1))
    found = inventory(fake, [*names(150), "team/gone"])
    assert found.repository("team/gone") is None
    assert all(found.permission(name).answer == Answer.ALLOWED for name in names(150))


def test_an_illegal_name_is_absent_without_a_call() -> None:
    fake = FakeAws({"team/app": 1})
    found = inventory(fake, ["Team/App", "a", "team/app"])
    assert found.repository("Team/App") is None
    assert fake.seen[0].parameters == {"repositoryNames": ["team/app"]}
    assert calls(fake) == 1


def listing_denied(fake: FakeAws) -> FakeAws:
    own = fake._DescribeRepositories

    def script(asked):  # type: ignore[no-untyped-def] # a closure over the fake's own method
        if "repositoryNames" not in asked.parameters:
            return denial("DescribeRepositories", "arn:aws:ecr:eu-west-1:1:repository/*")
        return own(asked)

    fake.replies["DescribeRepositories"] = script
    return fake


def test_a_scoped_policy_is_judged_name_by_name() -> None:
    present = names(40)
    fake = listing_denied(FakeAws(dict.fromkeys(present, 1), denied_names=frozenset(present[7:9])))
    found = inventory(fake, [*present, "team/gone"])
    denied = [n for n in present if found.permission(n).answer == Answer.DENIED]
    assert denied == present[7:9]
    assert found.permission(present[7]).evidence["policy_type"] == "identity"
    assert found.repository("team/gone") is None
    assert failure_of(found.repository, present[7]).trouble == Trouble.DENIED
    assert found.listing is not None
    assert found.listing.answer == Answer.DENIED
    assert calls(fake) < 30


def test_all_denied_costs_no_more_than_one_call_a_name() -> None:
    present = names(40)
    fake = listing_denied(FakeAws(dict.fromkeys(present, 1), denied_names=frozenset(present)))
    found = inventory(fake, present)
    assert {found.permission(name).answer for name in present} == {Answer.DENIED}
    assert calls(fake) <= 1 + len(present)


def test_a_denial_that_names_nobody_is_found_by_halves() -> None:
    present = names(16)
    fake = FakeAws(dict.fromkeys(present, 1))
    own = fake._DescribeRepositories

    def script(asked):  # type: ignore[no-untyped-def] # a closure over the fake's own method
        if present[5] in asked.parameters.get("repositoryNames", ()):
            return fault("AccessDeniedException", "no")
        return own(asked)

    fake.replies["DescribeRepositories"] = script
    found = inventory(fake, present)
    assert [n for n in present if found.permission(n).answer == Answer.DENIED] == [present[5]]
    assert found.repository(present[5]) is not None
    assert calls(fake) == 1 + 1 + 2 * 4


def test_a_throttled_batch_is_nobodys_denial() -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["DescribeRepositories"] = lambda asked: fault("ThrottlingException", "Rate")
    found = inventory(fake, ["team/app", "team/gone"])
    failure = failure_of(found.repository, "team/gone")
    assert (failure.trouble, failure.attempts) == (Trouble.THROTTLED, 10)
    assert failure_of(found.permission, "team/app").trouble == Trouble.THROTTLED


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"repositories": None},
        {"repositories": "team/app"},
        {"repositories": []},
        {"repositories": [{}]},
        {"repositories": [{"repositoryName": "", "repositoryArn": "x"}]},
        {"repositories": [{"repositoryName": "team/app"}]},
        {"repositories": [{"repositoryName": ["team/app"], "repositoryArn": "x"}]},
        {"repositories": [None]},
        {"repositories": [repository("other")]},
    ],
    ids=str,
)
def test_an_answer_that_lacks_what_it_must_have(body: object) -> None:
    fake = FakeAws({"team/app": 1})
    fake.replies["DescribeRepositories"] = lambda asked: ok(body)
    found = inventory(fake, ["team/app"])
    assert failure_of(found.repository, "team/app").trouble == Trouble.MALFORMED


def test_a_list_that_goes_in_circles_ends() -> None:
    fake = FakeAws({"team/app": 1})
    own = fake._DescribeRepositories

    def script(asked):  # type: ignore[no-untyped-def] # a closure over the fake's own method
        if "repositoryNames" in asked.parameters:
            return own(asked)
        return ok({"repositories": [repository("team/app")], "nextToken": "again"})

    fake.replies["DescribeRepositories"] = script
    found = inventory(fake, ["team/app", "team/gone"])
    assert not found.complete
    assert found.repository("team/gone") is None  # AWS said so by name
    assert failure_of(lambda: found.listing).trouble == Trouble.MALFORMED


WORLD = st.sets(st.sampled_from(names(30)), max_size=30)


@given(present=WORLD, wanted=WORLD, denied=WORLD, list_denied=st.booleans())
def test_each_name_is_told_as_it_is(
    present: set[str], wanted: set[str], denied: set[str], list_denied: bool
) -> None:
    fake = FakeAws(dict.fromkeys(present, 1), denied_names=frozenset(denied))
    found = inventory(listing_denied(fake) if list_denied else fake, sorted(wanted))
    for name in wanted:
        answer = found.permission(name).answer
        if name in denied and (name in present or list_denied):
            assert answer == Answer.DENIED
        elif name in denied:
            assert answer in (Answer.DENIED, Answer.UNDETERMINED)
        elif name in present:
            assert answer == Answer.ALLOWED
            assert found.repository(name) is not None
        else:
            assert answer == Answer.UNDETERMINED
            assert found.repository(name) is None
    assert calls(fake) <= 2 * max(1, len(wanted)) + 2


def test_the_calls_of_many_names_stay_within_the_formula() -> None:
    for count, registry in ((100, 3000), (101, 900), (1000, 12_000)):
        fake = FakeAws(dict.fromkeys(names(registry), 1))
        inventory(fake, names(count))
        batches = ceil(count / 100)
        assert calls(fake) <= batches + min(batches, ceil(registry / 1000))
        assert Counter(fake.calls).total() == calls(fake)
