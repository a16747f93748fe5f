"""Files piped into `pytest checks/`: read once, and handed to the workers of `-n`."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest

from ecr_feed.text.files import Files

_FILES: Final = pytest.StashKey[Files]()
_HANDED: Final = "ecr_feed_piped"


def files_of(config: pytest.Config) -> Files:
    """The reader of this run's files; a worker's has what its controller read from descriptors."""
    handed = getattr(config, "workerinput", {}).get(_HANDED)
    files = Files(config.invocation_params.dir, stdin=lambda: _stdin(config), handed=handed)
    config.stash[_FILES] = files
    return files


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Workers have neither the controller's standard input nor its other descriptors."""
    node.workerinput[_HANDED] = node.config.stash[_FILES].piped


def _stdin(config: pytest.Config) -> int:
    """A copy of the standard input that pytest was started with.

    Capture has put /dev/null in its place, also where it is suspended for the output.
    """
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is None:
        return os.dup(0)
    capture.suspend_global_capture(in_=True)
    try:
        return os.dup(0)
    finally:
        capture.resume_global_capture()
        capture.suspend_global_capture()  # as it is in `pytest_configure`
