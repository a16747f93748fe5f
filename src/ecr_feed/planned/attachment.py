"""How the policies of `--policy` would be attached, and what IAM takes in that way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ecr_feed.config import ConfigError
from ecr_feed.iam import DEFAULT_QUOTAS, policy_size
from ecr_feed.permissions.attachment import MANAGED

WAYS: Final = ("user", "role", "group", MANAGED)
"""The values of `--attach`: inline policies of a user, a role or a group, or managed policies."""


def described(way: str) -> str:
    """`managed policies`, or `inline policies of a role`."""
    return "managed policies" if way == MANAGED else f"inline policies of a {way}"


def check_sizes(policies: Mapping[str, str], boundary: tuple[str, str] | None, way: str) -> None:
    """Raise ConfigError for documents (JSON text by name) that are too large for the way.

    `boundary` is a name and a text: a permissions boundary is always a managed policy. Only what
    exceeds the quota without any white space is refused.
    """
    if boundary is not None:
        name, text = boundary
        _check_managed(name, policy_size(text), "a permissions boundary is one", "Shorten it.")
    sizes = {name: policy_size(text) for name, text in policies.items()}
    fix = _other_way(sizes, way)
    if way == MANAGED:
        for name, size in sizes.items():
            _check_managed(name, size, "--attach managed, the default", fix)
        return
    size, most = sum(sizes.values()), DEFAULT_QUOTAS.inline[way]
    if size > most:
        named = ", ".join(f"{name} ({each:,})" for name, each in sizes.items())
        raise ConfigError(
            f"{named}: {size:,} characters without white space; IAM takes {most:,} in all inline "
            f"policies of a {way} together (--attach {way}). {fix}"
        )


def _check_managed(name: str, size: int, why: str, fix: str) -> None:
    most = DEFAULT_QUOTAS.managed
    if size > most:
        raise ConfigError(
            f"{name}: {size:,} characters without white space; IAM takes {most:,} in a managed "
            f"policy ({why}). {fix}"
        )


def _other_way(sizes: Mapping[str, int], way: str) -> str:
    """What to do with policies of these sizes that are too large for the way."""
    most, total = DEFAULT_QUOTAS.managed, sum(sizes.values())
    ways = [
        f"--attach {kind} ({room:,} in all)"
        for kind, room in DEFAULT_QUOTAS.inline.items()
        if kind != way and total <= room
    ]
    if way != MANAGED and all(size <= most for size in sizes.values()):
        ways.insert(0, f"--attach {MANAGED} ({most:,} each)")
    split = "Split it into smaller managed policies"
    return f"{split}, or use {' or '.join(ways)}." if ways else f"{split}."
