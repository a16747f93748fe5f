"""How many examples a property test tries: few, or many with `--hypothesis-profile=deep`."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

FAST = "fast"


def register_profiles() -> None:
    """Make `fast` the profile of a run that names none."""
    settings.register_profile(FAST, max_examples=30, deadline=None)
    settings.register_profile("deep", max_examples=600, deadline=None, derandomize=False)
    settings.load_profile(FAST)


def costly(**others: Any) -> settings:
    """Settings of a property whose examples take long: a quarter of the profile's number."""
    return settings(max_examples=settings().max_examples // 4, **others)
