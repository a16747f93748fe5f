"""`--write-policy FILE`: the smallest policy of each feed, and the auditor's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ecr_feed.check import CheckInfo
from ecr_feed.config import ConfigError
from ecr_feed.facts.aws import ReadError
from ecr_feed.iam import smallest_policy
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.needs import CALLED, PULL, needs
from ecr_feed.plugin.catalogue import catalogue

FEED_READS: Final = frozenset({*CALLED, *PULL, "sts:GetCallerIdentity"})
"""What is read with the feed's own credentials. GetCallerIdentity needs no permission."""


def auditor_reads(info: CheckInfo) -> tuple[str, ...]:
    """The actions of a check that the auditor needs."""
    return tuple(action for action in info.reads if action not in FEED_READS)


def auditor_policy(checks: Iterable[CheckInfo]) -> dict[str, Any]:
    """The auditor's IAM policy: every read of the rules that need it, nothing else."""
    actions = sorted({action for info in checks for action in auditor_reads(info)})
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }


def check_place(path: Path) -> None:
    """Raises ConfigError where the file cannot be written, before the first read."""
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"--write-policy {path}: expected a file in a folder that exists.")


def write_auditor_policy(path: Path) -> None:
    """`STEM.auditor.json` beside FILE: what the rules with an auditor read."""
    _write(path.with_suffix(".auditor.json"), auditor_policy(catalogue()))


def smallest_documents(rights: Rights) -> list[dict[str, Any]]:
    """The documents of a feed's smallest policy: one, or more where one would be too long.

    The list is empty for a feed whose account is unknown (its credentials were refused, and the
    feeds file names none), or with a package ID that is too long for any policy: its findings say
    so (IDENT-1, REPO-2).
    """
    try:
        return [
            dict(document)
            for document in smallest_policy(needs(rights.account.feed, rights.account_id()))
        ]
    except (ReadError, ValueError):
        return []


def write_feed_policies(
    path: Path, policies: Mapping[str, Sequence[object]], *, only_feed: bool
) -> None:
    """Documents by the feed's slug: FILE for the only feed of a run, else `STEM.SLUG.json`.

    Further documents of a feed are beside its first. Raises OSError.
    """
    for slug, documents in policies.items():
        place = path if only_feed else path.with_suffix(f".{slug}.json")
        for number, document in enumerate(documents):
            _write(place if number == 0 else place.with_suffix(f".{number + 1}.json"), document)


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
