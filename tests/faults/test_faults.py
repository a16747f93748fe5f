"""A sample of the fault matrix, and that it has every operation (all: `python -m tests.faults`)."""

from __future__ import annotations

import pytest

from ecr_feed.aws.transport.readonly import CREDENTIAL_CALLS, READS
from ecr_feed.plugin.catalogue import catalogue
from tests.faults.readers import NOT_READ, READERS
from tests.faults.run import ACCOUNTS, all_cells, bench_of, judge, sample
from tests.faults.verdicts import INDEPENDENT, REGISTRY

SEED = 20261128
CELLS = 120
ALLOWED = {
    f"{service}:{operation}"
    for listed in (READS, CREDENTIAL_CALLS)
    for service, operations in listed.items()
    for operation in operations
}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_no_finding_becomes_what_a_fault_does_not_say(account: str) -> None:
    bench = bench_of(account)
    found = judge(bench, sample(all_cells(bench), CELLS, SEED))
    assert "\n".join(map(str, found.violations)) == ""


def test_the_accounts_say_what_they_are_for() -> None:
    outcomes = {
        name: {said.outcome for said in bench_of(name).healthy.values()} for name in ACCOUNTS
    }
    assert outcomes["healthy"] == {"met", "not applicable"}
    assert outcomes["broken"] >= {"met", "not met", "not assessed"}


def test_every_read_of_the_allow_list_has_cells() -> None:
    sent = {sent for account in ACCOUNTS for sent in bench_of(account).answers}
    covered = {each.action for each in sent if each.service != "registry"}
    assert ALLOWED - covered - set(NOT_READ) == set()
    assert covered - ALLOWED == set()
    assert covered & set(NOT_READ) == set()
    assert {each.operation for each in sent if each.service == "registry"} == set(REGISTRY)


def test_every_reader_without_a_rule_has_an_operation_of_the_allow_list() -> None:
    assert set(READERS) <= ALLOWED
    assert set(NOT_READ) <= ALLOWED


def test_every_exception_is_about_a_check_that_names_the_read() -> None:
    rules = {info.id: info for info in catalogue()}
    for check, action in INDEPENDENT:
        named = (
            [rules[check]]
            if check in rules
            else [info for info in rules.values() if info.id.startswith(check.rstrip("*"))]
        )
        assert any(action in info.reads or action == "*" for info in named), (check, action)
