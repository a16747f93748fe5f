"""How a policy is attached: to whom, inline or managed, within IAM's quotas, by which commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from typing import Any, Final

from ecr_feed.facts.iam import Principal
from ecr_feed.iam import DEFAULT_QUOTAS, Need, PolicyQuotas, smallest_policy, used_size
from ecr_feed.text.words import many

INLINE: Final = "inline"
MANAGED: Final = "managed"
ANY_SIZE: Final = 1 << 30  # characters: more than any document has
_ARN: Final = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):(?:iam|sts)::(?P<account>[0-9]{12}):"
    r"(?P<kind>user|role|assumed-role)/(?P<rest>.+)"
)
_SSO: Final = "AWSReservedSSO_"
_REPOSITORY: Final = ":repository/"


@dataclass(frozen=True, slots=True)
class Holder:
    """The user or role that a policy is attached to. `kind` is "user" or "role"."""

    kind: str
    name: str
    account: str
    partition: str

    def __str__(self) -> str:
        """`user octopus-feed`."""
        return f"{self.kind} {self.name}"


def holder_of(arn: str) -> Holder | str:
    """The user or role behind an identity's ARN, or the reason why no policy can be attached."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return f"{arn} takes no policy of its own" if arn else "the feed's identity is not known"
    session = found["kind"] == "assumed-role"
    name = found["rest"].split("/")[0 if session else -1]
    if name.startswith(_SSO):
        permission_set = name.removeprefix(_SSO).rpartition("_")[0]
        return (
            f"role {name} belongs to IAM Identity Center, which is where its policies are changed:"
            f" in the permission set {permission_set}"
        )
    kind = "role" if session else found["kind"]
    return Holder(kind, name, found["account"], found["partition"])


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of IAM's quotas for one identity.

    `inline`: characters; 0 where its policies are not known. `attached`: how many more managed
    policies, of `managed` characters each. `names`: of the policies that it has, in lower case.
    """

    inline: int
    attached: int
    managed: int = DEFAULT_QUOTAS.managed
    names: frozenset[str] = frozenset()

    def beside(self, holder: Holder, others: Iterable[Mapping[str, Any]]) -> Room:
        """What is left when those of `Attachment.plain` that are for the holder are attached."""
        placed = [
            each
            for other in others
            if other["attach_to"] == asdict(holder)
            for each in other["documents"]
        ]
        inline = sum(each["characters"] for each in placed if each["way"] == INLINE)
        managed = sum(1 for each in placed if each["way"] == MANAGED)
        return replace(
            self,
            inline=max(0, self.inline - inline),
            attached=max(0, self.attached - managed),
            names=self.names | {each["name"].lower() for each in placed},
        )


def room_for(holder: Holder, principal: Principal | None, quotas: PolicyQuotas) -> Room:
    """The room that the policies of `principal` leave; None: they were not read."""
    most, attached = quotas.inline[holder.kind], quotas.attached[holder.kind]
    if principal is None:
        return Room(0, attached, quotas.managed)
    own = [each for each in principal.policies if each.via == str(holder)]
    managed = sum(1 for each in own if each.arn)
    used = sum(used_size(each.document) for each in own if not each.arn)
    names = frozenset(each.name.lower() for each in own)
    inline = 0 if principal.unread else max(0, most - used)
    return Room(inline, max(0, attached - managed), quotas.managed, names)


@dataclass(frozen=True, slots=True)
class Placed:
    """A policy document, in a way (`INLINE` or `MANAGED`) and under a name, and its size there."""

    document: dict[str, object]
    way: str
    name: str
    characters: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """Documents that together allow all that is needed, and how to attach them.

    `attach_to` is None where nobody knows to whom; `said` is the way in one sentence. `notes` say
    what could not be known and what exceeds a quota, one sentence each.
    """

    permissions: int
    documents: tuple[Placed, ...]
    attach_to: Holder | None
    said: str
    notes: tuple[str, ...] = field(default=())

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON values under the same names; `files` and `commands` are for who writes them."""
        documents = [asdict(placed) for placed in self.documents]
        lists = {"documents": documents, "notes": [*self.notes], "files": [], "commands": []}
        return {**asdict(self), **lists}


def fitted(
    needs: Iterable[Need], room: Room, base: str, spare: int = 0
) -> tuple[list[Placed], bool]:
    """The documents that allow the needs, and whether all of them are within the room.

    One inline policy where that is enough; else managed policies, as few as possible; the rest is
    one inline policy where the identity takes no more managed ones. Policies are named after
    `base`, with a number where that name is in use. Each leaves `spare` characters.
    """
    wanted = list(needs)
    whole = _single(wanted)
    if used_size(whole) + spare <= room.inline:
        return _placed([(whole, INLINE)], room, base, spare), True
    managed = smallest_policy(wanted, limit=room.managed - spare)
    ways = [(document, MANAGED) for document in managed]
    if len(managed) <= room.attached:
        return _placed(ways, room, base, spare), True
    rest = _single(_granted(managed[room.attached :]))
    if used_size(rest) + spare <= room.inline:
        return _placed([*ways[: room.attached], (rest, INLINE)], room, base, spare), True
    return _placed(ways, room, base, spare), False


def _single(needs: Iterable[Need]) -> dict[str, object]:
    (document,) = smallest_policy(needs, limit=ANY_SIZE)
    return document


def _granted(documents: Iterable[Mapping[str, object]]) -> Iterator[Need]:
    """What documents of `smallest_policy` allow."""
    for document in documents:
        statements: Any = document["Statement"]
        for statement in statements:
            for action in _listed(statement["Action"]):
                yield from (Need(action, each) for each in _listed(statement["Resource"]))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _placed(
    ways: Sequence[tuple[dict[str, object], str]], room: Room, base: str, spare: int
) -> list[Placed]:
    names = _free_names(base, room.names)
    return [
        Placed(document, way, next(names), used_size(document) + spare) for document, way in ways
    ]


def _free_names(base: str, taken: frozenset[str]) -> Iterator[str]:
    """`base`, `base-2` and so on, without those that a policy of the identity has."""
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        if name.lower() not in taken:
            yield name
        number += 1


def way_of(placed: Sequence[Placed], holder: Holder) -> str:
    """`as 2 managed policies of user octopus-feed`."""
    parts = []
    for way in (MANAGED, INLINE):
        if number := sum(1 for each in placed if each.way == way):
            article = "an" if way == INLINE else "a"
            named = f"{article} {way} policy" if number == 1 else many(number, f"{way} policy")
            parts.append(named)
    return f"as {' and '.join(parts)} of {holder}"


def commands(fix: Mapping[str, Any], files: Sequence[str]) -> list[str]:
    """The AWS CLI's commands that attach the documents of `Attachment.plain`; [] without a holder.

    `files` are the documents' files, as the commands are to name them.
    """
    holder = fix["attach_to"]
    if holder is None:
        return []
    kind, name = holder["kind"], shlex.quote(holder["name"])
    who = f"--{kind}-name {name}"
    told = []
    for placed, file in zip(fix["documents"], files, strict=True):
        policy, document = shlex.quote(placed["name"]), shlex.quote(f"file://{file}")
        named = f"--policy-name {policy} --policy-document {document}"
        if placed["way"] == INLINE:
            told.append(f"aws iam put-{kind}-policy {who} {named}")
            continue
        arn = f"arn:{holder['partition']}:iam::{holder['account']}:policy/{placed['name']}"
        told.append(f"aws iam create-policy {named}")
        told.append(f"aws iam attach-{kind}-policy {who} --policy-arn {shlex.quote(arn)}")
    return told


def common_path(needs: Iterable[Need], repositories: Iterable[str]) -> dict[str, object] | None:
    """One statement on the path that all repositories of the needs share; None without one.

    `repositories` are all of the registry: a path with another one under it is not taken, nor one
    whose repositories need different actions.
    """
    actions: dict[str, set[str]] = {}
    prefix = ""
    for need in needs:
        before, found, name = need.resource.partition(_REPOSITORY)
        if found and "*" not in name:
            actions.setdefault(name, set()).add(need.action)
            prefix = before + found
    wanted = set().union(*actions.values())
    folders = [name.split("/")[:-1] for name in actions]
    shared = [parts[0] for parts in takewhile(_same, zip(*folders, strict=False))]
    path = "".join(f"{part}/" for part in shared)
    under = {name for name in repositories if name.startswith(path)} | set(actions)
    if not path or any(actions.get(name) != wanted for name in under):
        return None
    return {"Effect": "Allow", "Action": sorted(wanted), "Resource": f"{prefix}{path}*"}


def _same(parts: tuple[str, ...]) -> bool:
    return len(set(parts)) == 1
