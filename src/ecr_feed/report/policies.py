"""The policies that feeds lack or need, as files: their names, their bytes, what is said of them.

A policy here is what `permissions.attachment.Attachment.plain` returns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from ecr_feed.permissions.attachment import commands
from ecr_feed.report.record import FeedFacts, Run
from ecr_feed.text.words import many

Policy: TypeAlias = Mapping[str, Any]
NAME: Final = "policy-fix.{slug}.json"


def numbered(first: str, count: int) -> list[str]:
    """The names of a policy's documents: `first`, then `STEM.2.json` and so on."""
    stem = first.removesuffix(".json")
    return [first, *(f"{stem}.{number}.json" for number in range(2, count + 1))][:count]


def with_files(feed: FeedFacts) -> FeedFacts:
    """The feed whose `policy_fix` names the files that `policy_fixes` makes, and the commands."""
    fix = feed.policy_fix
    if fix is None:
        return feed
    files = numbered(NAME.format(slug=feed.slug), len(fix["documents"]))
    return replace(feed, policy_fix={**fix, "files": files, "commands": commands(fix, files)})


def policy_fixes(run: Run) -> dict[str, bytes]:
    """File name -> an IAM policy document that `aws iam` takes, for all that `with_files` named.

    Feeds that lack no permission have no file.
    """
    return {
        name: to_bytes(placed["document"])
        for feed in run.feeds
        if feed.policy_fix
        for name, placed in zip(feed.policy_fix["files"], feed.policy_fix["documents"], strict=True)
    }


def to_bytes(document: object) -> bytes:
    """A policy document as its file has it."""
    return json.dumps(document, indent=2).encode() + b"\n"


def lines(feed: str, policy: Policy, files: Sequence[str], *, needed: bool) -> Iterator[str]:
    """What a terminal says of a policy that was written to these files.

    `needed`: it allows all that the feed needs; else all that the feed lacks.
    """
    permissions = many(policy["permissions"], "permission")
    what = f"{permissions} that it {'needs' if needed else 'lacks'}"
    yield f"Policy of {feed}: {what}, in {many(len(files), 'file')}. {policy['said']}"
    for file, placed in zip(files, policy["documents"], strict=True):
        yield f"  wrote {file} ({placed['characters']:,} characters, {placed['way']} policy)"
    yield from (f"  {command}" for command in commands(policy, files))
    yield from (f"  {note}" for note in policy["notes"])
