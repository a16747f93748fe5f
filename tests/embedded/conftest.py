"""The entry points that contract tests use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.embedded.entry_points import EntryPoint, in_process, over_http
from tests.embedded.ministack import AGREES, DEVIATIONS, INSTALL, VARIABLE, ministack


@pytest.fixture(scope="session", params=["in process", "http", "ministack"])
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EntryPoint]:
    """One filled account per entry point for the whole run."""
    if request.param == "ministack" and VARIABLE not in os.environ:
        leave = pytest.fail if os.environ.get("CI") else pytest.skip  # CI has every real part
        leave(INSTALL)
    with _open(request.param, tmp_path_factory.mktemp("entry")) as way:
        yield way


def _open(name: str, folder: Path) -> AbstractContextManager[EntryPoint]:
    if name == "http":
        return over_http(folder)
    return ministack(folder) if name == "ministack" else in_process()


@pytest.fixture
def entry(request: pytest.FixtureRequest, opened: EntryPoint) -> EntryPoint:
    """A way in. Where ministack is known to differ from AWS it must differ: the list stays true."""
    function: str = request.function.__name__
    listed = function in DEVIATIONS and request.node.name not in AGREES
    if opened.name == "ministack" and listed:
        request.applymarker(pytest.mark.xfail(reason=DEVIATIONS[function], strict=True))
    return opened
