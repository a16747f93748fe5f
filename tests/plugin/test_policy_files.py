"""The auditor's policy within what the guard lets through; where and over what it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.aws.transport.readonly import READS
from ecr_feed.check import CheckInfo
from ecr_feed.config import ConfigError
from ecr_feed.iam import parse, used_size
from ecr_feed.permissions.needs import PULL
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.own_files import MARK_SIZE
from ecr_feed.plugin.policy_files import (
    FEED_READS,
    PolicyFiles,
    Written,
    auditor_policy,
    auditor_reads,
)

GUARDED = {f"{service}:{operation}" for service, names in READS.items() for operation in names}
"""As IAM actions: of these services, each operation has an action of the same name."""


def document(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


ONE, TWO, THREE = (document(f"ecr:{name}") for name in ("ListImages", "Describe*", "Get*"))


def policy(*documents: dict[str, Any]) -> dict[str, Any]:
    return {"documents": [{"document": each} for each in documents]}


def read(path: Path) -> dict[str, Any]:
    """A written document without its mark."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert found["Statement"][0].pop("Sid").startswith("EcrFeedChecks")
    return found


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_auditors_policy_is_within_the_guards_list() -> None:
    actions = set(auditor_policy(catalogue())["Statement"][0]["Action"])
    assert actions <= GUARDED
    assert not actions & {*PULL, *FEED_READS}
    assert "iam:GetAccountSummary" in actions


def test_what_the_feed_reads_is_within_the_guards_list_but_for_its_pulls() -> None:
    # Manifests and layers come from the registry's HTTP API, with the token: not by a client.
    assert set(FEED_READS) - set(PULL) <= GUARDED


@pytest.mark.parametrize("info", catalogue(), ids=lambda info: info.id)
def test_every_read_is_the_feeds_or_the_auditors(info: CheckInfo) -> None:
    assert set(info.reads) - set(auditor_reads(info)) <= FEED_READS
    assert set(auditor_reads(info)) <= GUARDED


def test_the_auditors_policy_is_beside_the_feeds(tmp_path: Path) -> None:
    PolicyFiles(tmp_path / "feed.json", ("prod",)).write_auditor()
    assert read(tmp_path / "feed.auditor.json") == auditor_policy(catalogue())


@pytest.mark.parametrize(
    ("slugs", "policies", "expected"),
    [
        (("prod",), {"prod": policy(ONE)}, {"feed.json": ONE}),
        (("prod",), {"prod": policy(ONE, TWO)}, {"feed.json": ONE, "feed.2.json": TWO}),
        (("prod", "test"), {"prod": policy(ONE)}, {"feed.prod.json": ONE}),
        (
            ("a", "b"),
            {"a": policy(ONE, TWO), "b": policy(TWO)},
            {"feed.a.json": ONE, "feed.a.2.json": TWO, "feed.b.json": TWO},
        ),
        (
            ("auditor", "auditor-feed"),
            {"auditor": policy(ONE), "auditor-feed": policy(TWO)},
            {"feed.auditor-feed-feed.json": ONE, "feed.auditor-feed.json": TWO},
        ),
        (("auditor",), {"auditor": policy(ONE)}, {"feed.json": ONE}),
        (
            ("2", "prod"),
            {"2": policy(ONE, TWO), "prod": policy(TWO)},
            {"feed.2.json": ONE, "feed.2.2.json": TWO, "feed.prod.json": TWO},
        ),
        (("prod",), {}, {}),
    ],
)
def test_where_policies_are_written(
    tmp_path: Path, slugs: tuple[str, ...], policies: Any, expected: dict[str, object]
) -> None:
    files = PolicyFiles(tmp_path / "feed.json", slugs)
    files.write_auditor()
    written = files.write(policies)
    made = {path.name: read(path) for path in tmp_path.iterdir()}
    assert made.pop("feed.auditor.json") == auditor_policy(catalogue())
    assert made == expected
    assert {path.name for paths in written.files.values() for path in paths} == set(expected)
    for path in tmp_path.iterdir():
        parse(path.read_text(encoding="utf-8"))


def test_a_mark_takes_the_room_that_was_left_for_it(tmp_path: Path) -> None:
    PolicyFiles(tmp_path / "feed.json", ("a",)).write({"a": policy(ONE)})
    text = (tmp_path / "feed.json").read_text(encoding="utf-8")
    assert used_size(text) == used_size(ONE) + MARK_SIZE


@pytest.mark.parametrize("name", [".", "none/feed.json"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--write-policy"):
        PolicyFiles(tmp_path / name, ("a",)).check()
    PolicyFiles(tmp_path / "feed.json", ("a",)).check()


def again(tmp_path: Path, *documents: dict[str, Any]) -> Written:
    files = PolicyFiles(tmp_path / "feed.json", ("a",))
    files.check()
    files.write_auditor()
    return files.write({"a": policy(*documents)})


def test_what_this_option_wrote_is_replaced(tmp_path: Path) -> None:
    again(tmp_path, ONE)
    again(tmp_path, TWO)
    assert read(tmp_path / "feed.json") == TWO


CHANGES: dict[str, Callable[[str], str]] = {
    "an action": lambda text: text.replace("ListImages", "PutImage"),
    "the mark": lambda text: text.replace('"Sid": "EcrFeed', '"Sid": "Feed'),
    "the layout": lambda text: json.dumps(json.loads(text)),
    "no policy": lambda _: "mine",
    "another shape": lambda _: '{"Statement": "x"}',
    "no statement": lambda _: '{"Statement": []}',
    "no object": lambda _: '{"Statement": [1]}',
    "nested": lambda _: "[" * 100_000,
    "empty": lambda _: "",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["feed.json", "feed.2.json", "feed.auditor.json"])
def test_what_a_person_changed_is_refused_and_stays(tmp_path: Path, name: str, change: str) -> None:
    again(tmp_path, ONE, ONE)
    path = tmp_path / name
    changed = CHANGES[change](path.read_text(encoding="utf-8").replace("iam:Get", "ListImages"))
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{name} was not written by an earlier run"):
        again(tmp_path, TWO)
    assert path.read_text(encoding="utf-8") == changed


def test_a_file_of_another_name_is_a_persons(tmp_path: Path) -> None:
    again(tmp_path, ONE)
    (tmp_path / "feed.json").rename(tmp_path / "mine.json")
    with pytest.raises(ConfigError, match=r"mine\.json was not written"):
        PolicyFiles(tmp_path / "mine.json", ("a",)).check()


def test_a_file_that_appears_during_the_run_stays(tmp_path: Path) -> None:
    files = PolicyFiles(tmp_path / "feed.json", ("a",))
    files.check()
    (tmp_path / "feed.2.json").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"feed\.2\.json was not written"):
        files.write({"a": policy(ONE, TWO)})
    assert names(tmp_path) == {"feed.2.json"}


def test_what_is_no_regular_file_is_written_to() -> None:
    PolicyFiles(Path("/dev/null"), ("a",)).check()


def test_documents_of_an_earlier_run_go_when_there_are_fewer(tmp_path: Path) -> None:
    again(tmp_path, ONE, TWO, THREE)
    (tmp_path / "feed.3.json").write_text("mine", encoding="utf-8")
    (tmp_path / "feed.other.json").write_text(json.dumps(ONE), encoding="utf-8")
    (tmp_path / "feed.3.json").rename(tmp_path / "feed.4.json")
    assert again(tmp_path, ONE).removed == [tmp_path / "feed.2.json"]
    kept = {"feed.json", "feed.auditor.json", "feed.4.json", "feed.other.json"}
    assert names(tmp_path) == kept


def test_policies_of_feeds_that_are_gone_go_and_those_of_failed_ones_stay(tmp_path: Path) -> None:
    before = PolicyFiles(tmp_path / "feed.json", ("a", "b", "c"))
    before.write({slug: policy(ONE, TWO) for slug in "abc"})
    now = PolicyFiles(tmp_path / "feed.json", ("a", "b"))
    assert now.write({"a": policy(ONE)}).removed == [
        tmp_path / f"feed.{part}.json" for part in ("a.2", "c.2", "c")
    ]
    assert names(tmp_path) == {"feed.a.json", "feed.b.json", "feed.b.2.json"}


def test_files_of_another_option_value_are_not_ours(tmp_path: Path) -> None:
    PolicyFiles(tmp_path / "feed.prod.json", ("a",)).write({"a": policy(ONE, TWO)})
    PolicyFiles(tmp_path / "feed.json", ("x", "y")).write({"x": policy(ONE)})
    assert names(tmp_path) == {"feed.prod.json", "feed.prod.2.json", "feed.x.json"}


SLUG = st.sampled_from(["auditor", "auditor-feed", "auditor-feed-feed", "2", "3", "a", "a-2"])


@given(st.lists(SLUG, min_size=1, max_size=7, unique=True))
def test_no_two_documents_share_a_name(slugs: list[str]) -> None:
    files = PolicyFiles(Path("feed.json"), tuple(slugs))
    paths = [files.auditor, *(files.of(slug, number) for slug in slugs for number in (1, 2, 3))]
    assert len(set(paths)) == len(paths)


def test_a_folder_that_takes_no_file_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "feed.auditor.json").symlink_to(tmp_path / "none" / "x")
    with pytest.raises(ConfigError, match=r"feed\.auditor\.json cannot be written"):
        PolicyFiles(tmp_path / "feed.json", ("a",)).write_auditor()
