"""`--write-policy FILE`: the smallest policy of each feed, and the auditor's own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ecr_feed.config import ConfigError, Suite
from ecr_feed.facts.aws import ReadError
from ecr_feed.iam import smallest_policy
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.fixes import needs
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.generated import auditor_policy


def check_place(path: Path) -> None:
    """Raises ConfigError where the file cannot be written, before the first read."""
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"--write-policy {path}: expected a file in a folder that exists.")


def write_auditor_policy(path: Path) -> None:
    """`STEM.auditor.json` beside FILE: what the rules with an auditor read."""
    _write(path.with_suffix(".auditor.json"), auditor_policy(catalogue()))


def write_feed_policies(path: Path, suite: Suite, opened: Iterable[Rights]) -> None:
    """FILE for a single feed, else `STEM.SLUG.json` for each.

    A feed whose account is unknown (its credentials were refused, and the feeds file names none)
    has no ARNs to write; its findings say why.
    """
    for rights in opened:
        feed = rights.account.feed
        place = path if len(suite.feeds) == 1 else path.with_suffix(f".{feed.slug}.json")
        try:
            documents = smallest_policy(needs(rights))
        except ReadError:
            continue
        for number, document in enumerate(documents):
            _write(place if number == 0 else place.with_suffix(f".{number + 1}.json"), document)


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
