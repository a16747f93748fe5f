"""How this project's own tests are shared between workers."""

from __future__ import annotations

import pytest

CHUNK = 8
"""Tests handed to a worker at a time. By default it is an eighth of all, and the end-to-end runs,
which take nearly all of the time, would then be one worker's."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "maxschedchunk", 0) is None:
        config.option.maxschedchunk = CHUNK
