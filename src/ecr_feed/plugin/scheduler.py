"""Under `-n`, the tests of one feed stay on one worker: its account is still read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ecr_feed.plugin.parametrize import feed_of
from ecr_feed.plugin.selection import selection

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Groups by the feed that the test ID names (xdist's own groups do nothing on pytest 9.2)."""
    if selection(config) is None:
        return None
    return _by_feed()(config, log)


def _by_feed() -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFeed(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
        """xdist's scheduler by scope, with a feed as the scope, and correct after a crash.

        Its own would run the test that crashed a worker again, give work to a worker that has not
        collected yet, and leave a worker waiting with one last test.
        """

        def _split_scope(self, nodeid: str) -> str:
            return feed_of(nodeid)

        def remove_node(self, node: Any) -> str | None:
            """The test that crashed the worker, if any; what it left undone is done elsewhere."""
            left = self.assigned_work.pop(node)
            undone = [(unit, test) for unit in left.values() for test in unit if not unit[test]]
            if not undone:
                return None
            unit, crashed = undone[0]
            unit[crashed] = True
            self.workqueue.update(
                (feed, unit) for feed, unit in left.items() if not all(unit.values())
            )
            for other in self.nodes:
                self._reschedule(other)
            return str(crashed)

        def _reschedule(self, node: Any) -> None:
            """Keep the worker ahead: it holds back its last test until it knows of more."""
            if node.shutting_down or node not in self.registered_collections:
                return
            while self.workqueue and self._pending_of(self.assigned_work[node]) <= 2:
                self._assign_work_unit(node)
            if not self.workqueue:
                node.shutdown()

    return ByFeed
