"""A pytest plugin that runs the checks in an order that has nothing to do with feeds."""

from __future__ import annotations

import os
from random import Random

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in every process of a run."""
    Random(int(os.environ["SHUFFLED"])).shuffle(items)
