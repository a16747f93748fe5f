"""Auditors who may not read everything: what they miss is open, the rest is judged (F31, F43)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.helpers import (
    ALL,
    AUDIT,
    FOUR,
    PULL,
    Told,
    allow,
    auditor,
    demo,
    deny,
    feed,
    repository,
    role,
    table,
    user,
)

A, REGION = "101020203030", "ap-northeast-1"
CART, WEB = "shop/cart", "shop/web"
FAMILIES = ("repositories", "permissions", "key", "scope")
FEEDS = ("free", "poor", "bounded", "tagged", "machine")


def judge(tmp_path: Path, *parts: str, feeds: tuple[str, ...] = FEEDS) -> Told:
    """One account with feeds of several kinds, and the auditor that `parts` make."""
    ours = allow(PULL, when={"StringEquals": {"aws:ResourceTag/squad": "orders"}})
    return demo(
        tmp_path,
        f'account = "{A}"\nregion = "{REGION}"',
        repository(CART, tags={"squad": "orders"}),
        repository(WEB),
        user("free", allow(ALL)),
        user("poor", allow(FOUR)),
        user("bounded", allow(ALL), boundary=allow(ALL)),
        user("tagged", allow(FOUR), ours),
        role("machine", allow(ALL), label="machine"),
        *(feed(name, REGION, CART, WEB, pulls=True) for name in feeds),
        *parts,
        families=FAMILIES,
    )


def own_calls_are_judged(told: Told, *feeds: str) -> None:
    for name in feeds or ("free", "poor", "bounded"):
        assert told.outcome(name, "PERM-1") == "met"
        for package in (CART, WEB):
            for check in ("REPO-1", "PERM-2", "PERM-3", "PERM-4"):
                assert told.outcome(name, check, package) == "met"


def test_one_denied_read_ends_nothing(tmp_path: Path) -> None:
    """F31: one repository's policy may not be read; the other repository is judged."""
    told = judge(tmp_path, auditor(allow(AUDIT), deny("ecr:Get*Policy", f"repository/{WEB}")))
    own_calls_are_judged(told)
    for name in ("free", "bounded", "machine"):
        assert told.outcome(name, "PERM-5", CART) == "met"
        said = told.of(name, "PERM-5", WEB)
        assert said.outcome == "not assessed"
        assert "ecr:GetRepositoryPolicy" in said.text
    assert told.outcome("poor", "PERM-6", CART) == "not met"
    assert told.outcome("poor", "PERM-6", WEB) == "not assessed"
    assert told.outcome("free", "SCOPE-1") == told.outcome("free", "KEY-1") == "met"


def test_tags_and_boundaries_that_may_not_be_read(tmp_path: Path) -> None:
    """F30, F43: then nobody says "met"."""
    told = judge(
        tmp_path,
        auditor(
            allow([each for each in AUDIT if each != "iam:SimulatePrincipalPolicy"]),
            deny(["ecr:ListTagsForResource", "iam:GetPolicy*"]),
        ),
    )
    own_calls_are_judged(told)
    said = told.of("tagged", "PERM-5", CART)
    assert (said.outcome, "ecr:ListTagsForResource" in said.text) == ("not assessed", True)
    bounded = told.of("bounded", "PERM-5", CART)
    assert (bounded.outcome, "iam:GetPolicy" in bounded.text) == ("not assessed", True)
    assert told.outcome("free", "PERM-5", CART) == "met"
    assert told.outcome("poor", "PERM-5", CART) == "not met"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((auditor(allow("s3:*")),), "iam:"),
        ((auditor().replace('"watcher", "age', '"watcher", "status" = "inactive", "age'),), "sts:"),
        ((auditor(), '[[fault]]\nservice = "iam"\ncode = "Throttling"\n'), "10 attempts"),
    ],
    ids=["may-nothing", "dead", "throttled"],
)
def test_an_auditor_who_learns_nothing(tmp_path: Path, parts: tuple[str, ...], says: str) -> None:
    told = judge(tmp_path, *parts, feeds=("free", "poor"))
    own_calls_are_judged(told, "free", "poor")
    for name in ("free", "poor"):
        for check in ("PERM-5", "PERM-6"):
            assert told.outcome(name, check, CART) == "not assessed"
        for check in ("SCOPE-1", "SCOPE-2", "KEY-1"):
            said = told.of(name, check)
            assert (said.outcome, says in said.text) == ("not assessed", True), said


def test_the_organisation_is_blamed_by_the_simulation_alone(tmp_path: Path) -> None:
    """F43: its policies may not be read; IAM's own denial stands, and names the place.

    What IAM allows may still be denied by a resource control policy, which it does not simulate.
    """
    reads = [each for each in AUDIT if not each.startswith("organizations:")]
    scp = {"document": deny(PULL[1])}
    told = judge(tmp_path, auditor(allow(reads)), table("scp", **scp), feeds=("free",))
    said = told.of("free", "PERM-6", CART)
    assert said.outcome == "not met"
    assert "service control policy" in said.fix
    open_ = told.of("free", "PERM-5", CART)
    assert (open_.outcome, "organizations:" in open_.message) == ("not assessed", True)


def test_an_auditor_with_all_rights(tmp_path: Path) -> None:
    told = judge(tmp_path, '[auditor]\nkey = "root"\n')
    own_calls_are_judged(told)
    assert told.outcome("free", "PERM-5", CART) == told.outcome("machine", "PERM-5", CART) == "met"
    assert told.outcome("tagged", "PERM-5", CART) == "met"
    assert (
        told.outcome("tagged", "PERM-5", WEB) == told.outcome("poor", "PERM-5", CART) == "not met"
    )
