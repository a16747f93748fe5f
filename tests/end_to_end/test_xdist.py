"""Each account is read once, in any order and by any number of workers; findings agree."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.plain import KEYS, answers, feed
from tests.support.proxy import Asked, Reply, serving
from tests.support.run import Ran, run_checks

FEEDS = (
    feed("Production EU")
    + feed("Production US", "us-east-1")
    + feed("Second key", "eu-west-1", "OTHER_")
)
OTHER = {
    "OTHER_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN8EXAMPLE",
    "OTHER_AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYyEXAMPLEKy",
}
SHUFFLE = ("-p", "tests.end_to_end.shuffle")
WAYS: dict[str, tuple[str, ...]] = {
    "alone": (),
    "two": ("-n", "2"),
    "shuffled": SHUFFLE,
    "two shuffled": ("-n", "2", *SHUFFLE),
}


class Counted:
    """The plain account, and who asked it for what."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str, str, bytes]] = Counter()

    def __call__(self, asked: Asked) -> Reply:
        key = asked.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        self.asked[asked.operation, asked.region, key, asked.body] += 1
        return answers(asked)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Ran, Counted]]:
    """A run of each way, with what the service saw of it."""
    made: dict[str, tuple[Ran, Counted]] = {}
    for number, (way, options) in enumerate(WAYS.items()):
        tmp_path: Path = tmp_path_factory.mktemp("way")
        (tmp_path / "feeds.toml").write_text(FEEDS, encoding="utf-8")
        counted = Counted()
        with serving(counted) as endpoint:
            ran = run_checks(
                tmp_path,
                *("--feeds", str(tmp_path / "feeds.toml"), *options),
                env={
                    **KEYS,
                    **OTHER,
                    "AWS_ENDPOINT_URL": endpoint,
                    "PYTHONPATH": ".",
                    "SHUFFLED": str(number),
                },
            )
        made[way] = ran, counted
    return made


def timeless(value: Any) -> Any:
    """Without what differs from one moment to the next."""
    text = json.dumps(value, sort_keys=True)
    text = re.sub(r'"found": "[^"]*", "offset_seconds": -?[\d.]+', '"found": "CLOCK"', text)
    text = re.sub(r'"found": "[^"]+ (ahead|behind|apart)"', '"found": "CLOCK"', text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME", text)
    text = re.sub(r"\d+ days \d+ h", "LONG", text)
    return json.loads(re.sub(r"127\.0\.0\.1:\d+", "HOST", text))


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_asked_twice(runs: dict[str, tuple[Ran, Counted]], way: str) -> None:
    ran, counted = runs[way]
    assert ran.status == 1, ran.text
    assert set(counted.asked.values()) == {1}
    assert len({(region, key) for _, region, key, _ in counted.asked}) == 3
    told = Counter(
        {(each["service"], each["operation"]): each["count"] for each in ran.results["calls"]}
    )
    assert told.total() == counted.asked.total() == len(ran.results["call_record"])


@pytest.mark.parametrize("way", [way for way in WAYS if way != "alone"])
def test_every_way_finds_the_same(runs: dict[str, tuple[Ran, Counted]], way: str) -> None:
    alone, other = runs["alone"][0].results, runs[way][0].results
    assert len(alone["findings"]) > 90
    for part in ("findings", "calls", "counts", "verdict", "feeds", "suite", "checks", "auditor"):
        assert timeless(other[part]) == timeless(alone[part]), part
    assert set(runs[way][1].asked) == set(runs["alone"][1].asked)


def test_the_feeds_are_spread_over_the_workers(runs: dict[str, tuple[Ran, Counted]]) -> None:
    ran, _ = runs["two"]
    assert "2 workers [" in ran.out
    assert "READY: " in ran.out.splitlines()[-2]
