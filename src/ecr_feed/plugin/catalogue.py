"""The catalogue of checks, read from checks/ itself: for the README's table and for reports."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import ecr_feed
from ecr_feed.check import CheckInfo, info_of

_PACKAGE: Final = Path(ecr_feed.__file__).resolve().parent
_INSTALLED: Final = _PACKAGE / "_suite"
SUITE: Final = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parents[1]
"""The folder of `checks/` and `fixtures/`: the checkout, or its copy in an installed wheel."""

CHECKS: Final = SUITE / "checks"
ACCOUNTS: Final = SUITE / "fixtures" / "accounts"


def catalogue(checks: Path = CHECKS) -> tuple[CheckInfo, ...]:
    """Every check, ordered by family and number. Raises ValueError where two share an ID."""
    found: dict[str, CheckInfo] = {}
    for path in sorted(checks.glob("test_*.py")):
        for function in vars(_module(path)).values():
            info = info_of(function)
            if info is None:
                continue
            if info.id in found and found[info.id].function != info.function:
                raise ValueError(
                    f"check ID {info.id} is taken twice: by {found[info.id].function} "
                    f"and by {info.function} in {path.name}"
                )
            found[info.id] = info
    return tuple(sorted(found.values(), key=lambda info: (_family_order(info), _number(info))))


_FAMILIES = (
    *("REGION", "IDENT", "REPO", "PERM", "TOKEN", "DOCKER", "KEY", "SCOPE"),
    *("LOGIN", "PULL", "REACH", "TAG", "LIFE", "TRUST", "OCTO"),
)


def _family_order(info: CheckInfo) -> tuple[int, str]:
    known = info.family in _FAMILIES
    return (_FAMILIES.index(info.family) if known else len(_FAMILIES), info.family)


def _number(info: CheckInfo) -> int:
    return int(info.id.partition("-")[2])


def _module(path: Path) -> ModuleType:
    """The file as a module under a separate name, so that pytest's own import is not affected."""
    name = f"catalogued_checks.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module
