"""Parametrizes each check by feed and package, from the feeds file alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest

from ecr_feed.check import CheckInfo, info_of
from ecr_feed.config import DockerFeed, Feed, Suite
from ecr_feed.plugin.selection import selection

SEPARATOR: Final = "|"
"""Between the feed's slug and the package ID; no slug contains it."""


_LONGEST: Final = 300
"""Characters of a package ID in a test ID; no repository's name is longer than 256."""


def test_id(slug: str, package: str) -> str:
    """The ID as pytest is given it; `##octopus[` in it would be a command to an Octopus step."""
    if len(package) > _LONGEST:
        digest = hashlib.sha256(package.encode("utf-8", "surrogatepass")).hexdigest()
        package = f"{package[: _LONGEST - 100]}...{digest[:12]}"
    return f"{slug}{SEPARATOR}{package.replace('%', '%25').replace('#', '%23')}"


def feed_of(nodeid: str) -> str:
    """The slug of the feed that a test ID names: `...[slug]` or `...[slug|package]`."""
    return nodeid.partition("[")[2].rstrip("]").partition(SEPARATOR)[0]


def package_of(nodeid: str) -> str | None:
    """The package ID that a test ID names, as pytest wrote it; None where it names none."""
    shown = nodeid.partition("[")[2].removesuffix("]").partition(SEPARATOR)[2]
    return shown.replace("%23", "#").replace("%25", "%") or None


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> object:
    """A rule for a kind of feed that this run does not have is not collected."""
    info, chosen = info_of(obj), selection(collector.config)
    if info is None or chosen is None or _subjects(info, chosen.suite):
        return None
    return []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item per feed, or per feed and package ID."""
    info, chosen = info_of(metafunc.function), selection(metafunc.config)
    if info is None or chosen is None:
        return
    names = [info.subject, "package"] if info.per_package else [info.subject]
    metafunc.parametrize(names, list(_parameters(info, chosen.suite)))


def _subjects(info: CheckInfo, suite: Suite) -> tuple[Feed, ...] | tuple[DockerFeed, ...]:
    return suite.docker_feeds if info.subject == "docker_feed" else suite.feeds


def _parameters(info: CheckInfo, suite: Suite) -> Iterator[Any]:
    for feed in _subjects(info, suite):
        reason = _not_applicable(info, feed)
        if reason is not None:
            # One skipped item for the feed, however many packages it has.
            values = (feed, None) if info.per_package else (feed,)
            skip = pytest.mark.skip(reason=reason)
            yield pytest.param(*values, id=feed.slug, marks=skip)
        elif isinstance(feed, Feed) and info.per_package:
            for package in feed.packages:
                yield pytest.param(feed, package.id, id=test_id(feed.slug, package.id))
        else:
            yield pytest.param(feed, id=feed.slug)


def _not_applicable(info: CheckInfo, feed: Feed | DockerFeed) -> str | None:
    """Why the rule has no meaning for the feed, as far as the feeds file tells."""
    return info.applies(feed) if info.applies else None


def items_of(infos: Iterable[CheckInfo], suite: Suite) -> Counter[str]:
    """How many items a whole run has, by the feed's slug."""
    items: Counter[str] = Counter()
    for info in infos:
        for feed in _subjects(info, suite):
            each = info.per_package and _not_applicable(info, feed) is None
            items[feed.slug] += len(feed.packages) if each and isinstance(feed, Feed) else 1
    return items


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Record what the item judges in user_properties, which setup errors and workers keep too."""
    info = info_of(getattr(item, "function", None))
    callspec = getattr(item, "callspec", None)
    if info is None or callspec is None:
        return
    package = callspec.params.get("package")
    item.user_properties += [
        ("check", info.id),
        ("severity", info.severity.word),
        ("feed", callspec.params[info.subject].name),
        ("subject", package or ""),
    ]
