"""The auditor's policy within what the guard lets through; where policies are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecr_feed.aws.transport.readonly import READS
from ecr_feed.check import CheckInfo
from ecr_feed.config import ConfigError
from ecr_feed.permissions.needs import PULL
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.policy_files import (
    FEED_READS,
    auditor_policy,
    auditor_reads,
    check_place,
    write_auditor_policy,
    write_feed_policies,
)

GUARDED = {f"{service}:{operation}" for service, names in READS.items() for operation in names}
"""As IAM actions: of these services, each operation has an action of the same name."""

ONE, TWO = {"Version": "2012-10-17"}, {"Version": "2012-10-17", "Statement": []}


def test_the_auditors_policy_is_within_the_guards_list() -> None:
    actions = set(auditor_policy(catalogue())["Statement"][0]["Action"])
    assert actions <= GUARDED
    assert not actions & {*PULL, *FEED_READS}


def test_what_the_feed_reads_is_within_the_guards_list_but_for_its_pulls() -> None:
    # Manifests and layers come from the registry's HTTP API, with the token: not by a client.
    assert set(FEED_READS) - set(PULL) <= GUARDED


@pytest.mark.parametrize("info", catalogue(), ids=lambda info: info.id)
def test_every_read_is_the_feeds_or_the_auditors(info: CheckInfo) -> None:
    assert set(info.reads) - set(auditor_reads(info)) <= FEED_READS
    assert set(auditor_reads(info)) <= GUARDED


def test_the_auditors_policy_is_beside_the_feeds(tmp_path: Path) -> None:
    write_auditor_policy(tmp_path / "feed.json")
    written = json.loads((tmp_path / "feed.auditor.json").read_text(encoding="utf-8"))
    assert written == auditor_policy(catalogue())


@pytest.mark.parametrize(
    ("policies", "only_feed", "names"),
    [
        ({"prod": [ONE]}, True, {"feed.json": ONE}),
        ({"prod": [ONE, TWO]}, True, {"feed.json": ONE, "feed.2.json": TWO}),
        ({"prod": [ONE]}, False, {"feed.prod.json": ONE}),
        (
            {"a": [ONE, TWO], "b": [TWO]},
            False,
            {
                "feed.a.json": ONE,
                "feed.a.2.json": TWO,
                "feed.b.json": TWO,
            },
        ),
        ({"prod": []}, True, {}),
        ({}, True, {}),
    ],
)
def test_where_policies_are_written(
    tmp_path: Path,
    policies: dict[str, list[object]],
    only_feed: bool,
    names: dict[str, object],
) -> None:
    write_feed_policies(tmp_path / "feed.json", policies, only_feed=only_feed)
    written = {path.name: json.loads(path.read_text("utf-8")) for path in tmp_path.iterdir()}
    assert written == names


@pytest.mark.parametrize("name", [".", "none/feed.json"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--write-policy"):
        check_place(tmp_path / name)
    check_place(tmp_path / "feed.json")
