"""Copies the suite into the wheel: nothing named `checks` or `fixtures` at its top.

An editable install gets no copy: it runs the checkout.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SUITE = ("checks", "fixtures", "conftest.py", "pyproject.toml")


class SuiteHook(BuildHookInterface):  # type: ignore[type-arg] # the type of its configuration
    """Adds each part of the suite to `ecr_feed/_suite`, where the catalogue looks for it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built; `version` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"].update({part: f"ecr_feed/_suite/{part}" for part in SUITE})
