"""`ecr-feed-checks`: `pytest checks/` from any folder, on the suite's own pytest configuration.

`main` runs pytest with this module as a plugin, on the controller and on the workers of `-n`.
Paths are relative to the current folder, and nothing else of that folder counts: no configuration
file, no conftest.py, no module. The environment variables in `IGNORED` have no effect.

PYTEST_DONT_REWRITE: this module is imported before pytest could rewrite it, and has no assertion.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from ecr_feed import __version__
from ecr_feed.plugin.catalogue import CHECKS, SUITE

NAME: Final = "ecr-feed-checks"
IGNORED: Final = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
_SETTINGS: Final = SUITE / "pyproject.toml"
_CACHE: Final = ".ecr-feed-cache"
"""Where `--lf` and `--ff` remember, in the current folder; apart from that folder's own pytest."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; without `arguments`, those of the process. Returns pytest's exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given.count("--version") + given.count("-V") == 1:  # twice: pytest lists its plugins
        sys.stdout.write(f"{NAME} {__version__} (pytest {pytest.__version__})\n")
        return 0
    for name in IGNORED:
        os.environ.pop(name, None)
    try:
        status = int(pytest.main([*_own_arguments(Path.cwd(), given), *given]))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has ended; Python would say so once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _own_arguments(here: Path, given: Sequence[str]) -> list[str]:
    """What comes before the given arguments; the last two are defaults that these override.

    Without the cache's plugin (`-p no:cacheprovider`) pytest does not know `cache_dir`.
    """
    caches = not any(each.endswith("no:cacheprovider") for each in given)
    return [
        *("-c", str(_SETTINGS), "--rootdir", str(SUITE)),
        *("-p", "ecr_feed.plugin.options", "-p", __name__),
        *(("-o", f"cache_dir={here / _CACHE}") if caches else ()),
        *("--report", "reports"),
    ]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Usage and its errors name our command."""
    parser.prog = NAME


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """The suite's conftest.py is loaded, whatever is named. Raises UsageError for -c, --rootdir."""
    if early_config.inipath != _SETTINGS or early_config.rootpath != SUITE:
        raise pytest.UsageError(
            f"{NAME} runs on the suite's own configuration: -c and --rootdir cannot be given. "
            "To change one setting, use -o."
        )
    early_config.known_args_namespace.file_or_dir = [str(CHECKS)]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The paths to collect are the suite's; node IDs are shown as in a checkout.

    Raises UsageError for any other path.
    """
    if config.option.help:  # pytest has not parsed the paths
        return
    here = config.invocation_params.dir
    named = config.option.file_or_dir
    config.args[:] = [_target(here, name) for name in named] or [str(CHECKS)]
    if config.option.ignore:
        config.option.ignore = [_target(here, name) for name in config.option.ignore]
    config.cwd_relative_nodeid = lambda nodeid: nodeid  # type: ignore[method-assign] # this run's


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """File names are shown relative to the suite."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.startpath = SUITE


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Workers start without the current folder among Python's (`-P`)."""
    python = f"{shlex.quote(sys.executable)} -P"
    specs[:] = [
        type(spec)(f"{spec}//python={python}") if spec.popen and not spec.python else spec
        for spec in specs
    ]


def _target(here: Path, name: str) -> str:
    """The absolute path of `checks/test_token.py::test_x[prod]` in the suite. Raises UsageError."""
    path, separator, test = name.partition("::")
    for base in (SUITE, here):
        resolved = Path(os.path.normpath(base / path))
        if resolved.is_relative_to(CHECKS):
            return f"{resolved}{separator}{test}"
    raise pytest.UsageError(
        f"{name}: {NAME} runs the suite's own checks. Name checks/, a file such as "
        "checks/test_token.py or a test in it, or no path for all."
    )
