"""Parametrizes each check by feed and package, from the feeds file alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest

from ecr_feed.check import CheckInfo, info_of
from ecr_feed.config import DockerFeed, Feed, Suite
from ecr_feed.facts.plan import PlanFacts
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
    metafunc.parametrize(names, list(_parameters(info, chosen.suite, chosen.plan)))


def _subjects(info: CheckInfo, suite: Suite) -> tuple[Feed, ...] | tuple[DockerFeed, ...]:
    return suite.docker_feeds if info.subject == "docker_feed" else suite.feeds


def _parameters(info: CheckInfo, suite: Suite, plan: PlanFacts | None) -> Iterator[Any]:
    for feed in _subjects(info, suite):
        for package, reason in _items(info, feed, plan):
            values = (feed, package) if info.per_package else (feed,)
            name = feed.slug if package is None else test_id(feed.slug, package)
            marks = [] if reason is None else [pytest.mark.skip(reason=reason)]
            yield pytest.param(*values, id=name, marks=marks)


def _items(
    info: CheckInfo, feed: Feed | DockerFeed, plan: PlanFacts | None
) -> Iterator[tuple[str | None, str | None]]:
    """The packages of a check's items, and why an item is not applicable.

    A reason that holds for the feed is one item, however many packages the feed has.
    """
    if not (info.per_package and isinstance(feed, Feed)):
        yield None, _not_applicable(info, feed, plan, None)
        return
    packages = [package.id for package in feed.packages]
    reasons = [_not_applicable(info, feed, plan, package) for package in packages]
    if reasons[0] is not None and len(set(reasons)) == 1:
        yield None, reasons[0]
    else:
        yield from zip(packages, reasons, strict=True)


def _not_applicable(
    info: CheckInfo, feed: Feed | DockerFeed, plan: PlanFacts | None, package: str | None
) -> str | None:
    """Why the rule has no meaning for the feed, as far as feeds file or plan tell."""
    reason = None
    if plan is not None:
        of_plan = info.in_plan
        reason = of_plan(plan, feed.region, package) if callable(of_plan) else of_plan
    return info.applies(feed) if reason is None and info.applies else reason


def items_of(
    infos: Iterable[CheckInfo], suite: Suite, plan: PlanFacts | None = None
) -> Counter[str]:
    """How many items a whole run has, by the feed's slug."""
    items: Counter[str] = Counter()
    for info in infos:
        for feed in _subjects(info, suite):
            items[feed.slug] += sum(1 for _ in _items(info, feed, plan))
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
