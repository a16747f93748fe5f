"""A user, role, group or managed policy of a plan, with what is attached to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.plan_policies import any_true
from ecr_feed.planned.terraform.trust import Trust

FileTable = dict[str, Any]


def tags_of(instance: Instance) -> dict[str, str]:
    """A resource's known tags, the provider's default tags included."""
    found = instance.get("tags_all") or instance.get("tags") or {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def tags_are_known(instance: Instance) -> bool:
    """No tag is left open until apply. Before it, `tags_all` as a whole often is."""
    tags, every = instance.unknown.get("tags"), instance.unknown.get("tags_all")
    return not any_true(tags) and (every is True or not any_true(every))


def stand_in(address: str) -> str:
    """A name that IAM accepts, for an object whose name is known only after apply."""
    plain = re.sub(r"[^\w+=,.@-]+", "-", address, flags=re.ASCII)[-36:]
    return f"known-after-apply.{plain}.{crc32(address.encode()):08x}"


@dataclass(slots=True)
class ManagedPolicy:
    """A customer managed policy; `key` is its address, `place` its account (see `Places`)."""

    key: str
    name: str
    place: str
    arn: str
    table: FileTable


@dataclass(slots=True)
class PlannedPrincipal:
    """A user, role or group; `key` is its address, or its kind and name where that is all.

    `name` is a stand-in where `named` is False. `attached` are the addresses of its policies,
    `doubled` the names that more than one of its inline policies has.
    """

    kind: str
    key: str
    name: str
    named: bool
    place: str
    table: FileTable
    trust: Trust | None = None
    attached: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    boundary: str = ""
    tags_known: bool = False
    groups: list[PlannedPrincipal] = field(default_factory=list)

    @property
    def keys(self) -> set[str]:
        """What an open item may be about that concerns this principal's grants."""
        own = {self.key, f"every {self.kind}", *self.attached}
        return own.union(*(group.keys for group in self.groups))

    def arn(self, account: str, partition: str) -> str:
        """Its ARN in that account."""
        return f"arn:{partition}:iam::{account}:{self.kind}{self.table.get('path', '/')}{self.name}"

    def has_arn(self, arn: str, account: str, partition: str) -> bool:
        """The ARN is this user's or role's in that account, or that of a session of the role."""
        if self.kind == "group":
            return False
        session = f"arn:{partition}:sts::{account}:assumed-role/{self.name}/"
        own = arn == self.arn(account, partition)
        return own or (self.kind == "role" and arn.startswith(session))

    @property
    def shown(self) -> str:
        """Its address, name and trust, for messages."""
        name = f"{self.kind} {self.name}" if self.named else f"{self.kind}, name not known yet"
        return f"{self.key} ({name}; {self.trust})" if self.trust else f"{self.key} ({name})"
