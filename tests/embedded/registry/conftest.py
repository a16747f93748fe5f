"""The embedded registry, served; pushes included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecr_feed.embedded.registry import EmbeddedRegistry
from tests.embedded.registry.served import Serve, Served
from tests.embedded.world import World, healthy
from tests.support.registry_pushes import PULLS_AND_PUSHES


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves worlds until the test ends."""
    open_: list[EmbeddedRegistry] = []

    def start(world: World) -> Served:
        open_.append(EmbeddedRegistry(world.core, PULLS_AND_PUSHES))
        return Served(world, open_[-1])

    yield start
    for each in open_:
        each.close()


@pytest.fixture
def served(serve: Serve) -> Served:
    """The healthy account, served."""
    return serve(healthy())
