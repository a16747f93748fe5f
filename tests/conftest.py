"""How this project's own tests are shared between workers, and how many examples they try."""

from __future__ import annotations

import pytest

from tests.support.properties import register_profiles

CHUNK = 8
"""Tests handed to a worker at a time. By default it is an eighth of all, and the end-to-end runs,
which take nearly all of the time, would then be one worker's."""

register_profiles()  # before the option --hypothesis-profile is read and a test is imported


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "maxschedchunk", 0) is None:
        config.option.maxschedchunk = CHUNK
