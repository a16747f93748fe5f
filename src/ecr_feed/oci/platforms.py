"""Platforms such as `linux/arm64/v8`: parsed, normalised and matched as containerd does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# github.com/containerd/platforms, database.go: other names of the same architecture.
_ARCHITECTURES: Final = {
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_SYSTEMS: Final = {"macos": "darwin"}
_DEFAULT_VARIANTS: Final = {"arm": "v7", "arm64": "v8", "amd64": "v1"}
_PART: Final = re.compile(r"[A-Za-z0-9_.-]+\Z")


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on; `variant` is "" where it has none."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Parse `os/architecture[/variant]`; raises ValueError for anything else."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(_PART.match(part) for part in parts):
            raise ValueError(f"{text!r} is not a platform: write os/architecture[/variant]")
        return cls(parts[0], parts[1], parts[2] if len(parts) == 3 else "")

    @property
    def is_known(self) -> bool:
        """Whether both parts are known; buildx marks attestations as `unknown/unknown`."""
        return all(part and part != "unknown" for part in (self.os, self.architecture))

    def normalised(self) -> Platform:
        """The same platform under its usual name, with the default variant where it has none."""
        system = self.os.lower()
        architecture, variant = self.architecture.lower(), self.variant.lower()
        if architecture in _ARCHITECTURES:
            architecture, implied = _ARCHITECTURES[architecture]
            variant = variant or implied
        if variant and variant[0].isdigit():
            variant = f"v{variant}"
        variant = variant or _DEFAULT_VARIANTS.get(architecture, "")
        return Platform(_SYSTEMS.get(system, system), architecture, variant, self.os_version)


def accepts(machine: Platform, image: Platform) -> bool:
    """Whether the machine runs the image: same platform, or an older variant of it."""
    one, other = machine.normalised(), image.normalised()
    if (one.os, one.architecture) != (other.os, other.architecture):
        return False
    return one.variant == other.variant or _older(one, other)


def rank(machine: Platform, image: Platform) -> int:
    """The rank of an image that the machine accepts: lower is a better match."""
    one, other = machine.normalised(), image.normalised()
    return 0 if one.variant == other.variant else _number(one.variant) - _number(other.variant)


def _older(machine: Platform, image: Platform) -> bool:
    """Whether the image is for a lower variant, which ARM and amd64 machines run."""
    if machine.architecture not in ("arm", "amd64"):
        return False
    return 0 < _number(image.variant) <= _number(machine.variant)


def _number(variant: str) -> int:
    """The number of a variant such as `v7`; 0 for any other."""
    number = variant.removeprefix("v")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 3 else 0
