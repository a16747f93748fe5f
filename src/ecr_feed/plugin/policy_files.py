"""`--write-policy FILE`: the smallest policies of each feed, and the auditor's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import Any, Final

from ecr_feed.check import CheckInfo
from ecr_feed.config import ConfigError
from ecr_feed.permissions.needs import CALLED, PULL
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.own_files import OwnFiles

_AUDITOR: Final = "auditor"
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


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_feed_policies` did: files by the feed's slug, and files that it removed."""

    files: Mapping[str, list[Path]]
    removed: list[Path]


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The files of `--write-policy FILE` for these feeds, by slug.

    The only feed's policy is FILE, several feeds' are `STEM.SLUG.json`; further documents of a feed
    are `STEM.2.json` or `STEM.SLUG.2.json`, and the auditor's is `STEM.auditor.json`.
    """

    first: Path
    slugs: tuple[str, ...]

    @property
    def _own(self) -> OwnFiles:
        return OwnFiles(self.first)

    @property
    def auditor(self) -> Path:
        """Where the auditor's policy is written."""
        return self._own.beside(_AUDITOR)

    def of(self, slug: str, number: int = 1) -> Path:
        """Where a document of a feed is written; `number` is from 1."""
        parts = [] if len(self.slugs) == 1 else [self._part(slug)]
        return self._own.beside(".".join([*parts, *([str(number)] if number > 1 else [])]))

    def _part(self, slug: str) -> str:
        """The feed in file names: its slug, but for one that the auditor's file has."""
        part = slug
        while part == _AUDITOR or (part != slug and part in self.slugs):
            part += "-feed"
        return part

    def check(self) -> None:
        """Raise ConfigError where the files cannot be written, before the first read.

        That is: FILE is a folder or in none, or a person's file has the name of one of ours.
        """
        if self.first.is_dir() or not self.first.parent.is_dir():
            raise ConfigError(
                f"--write-policy {self.first}: expected a file in a folder that exists."
            )
        paths = [self.auditor]
        for slug in self.slugs:
            paths.append(self.of(slug))
            paths += takewhile(Path.is_file, (self.of(slug, number) for number in count(2)))
        self._own.check(paths)

    def write_auditor(self) -> None:
        """Write the policy with what the rules with an auditor read. Raises ConfigError."""
        try:
            self._own.write(self.auditor, auditor_policy(catalogue()))
        except OSError as error:
            raise ConfigError(
                f"--write-policy: {self.auditor} cannot be written: {error.strerror}."
            ) from None

    def write(self, policies: Mapping[str, Mapping[str, Any]]) -> Written:
        """Write the documents of each policy, by slug (see `permissions.fixes.needed_policy`).

        What an earlier run with this option wrote, and no run would write now, is removed, unless a
        person has changed it. Raises OSError, and ConfigError for a person's file that is new.
        """
        files = {
            slug: [self.of(slug, number) for number, _ in enumerate(policy["documents"], 1)]
            for slug, policy in policies.items()
        }
        self._own.check(path for paths in files.values() for path in paths)
        for slug, paths in files.items():
            for path, placed in zip(paths, policies[slug]["documents"], strict=True):
                self._own.write(path, placed["document"])
        return Written(files, [*self._remove_stale(files)])

    def _remove_stale(self, files: Mapping[str, list[Path]]) -> Iterator[Path]:
        kept = {self.auditor, *(path for paths in files.values() for path in paths)}
        # Of a feed that this run could not write a policy for, the earlier one stays.
        unwritten = {self.of(slug).stem for slug in self.slugs if slug not in files}
        for path in self._own.earlier():
            stem, _, number = path.stem.rpartition(".")
            if path not in kept and not {path.stem, stem if number.isdigit() else ""} & unwritten:
                path.unlink()
                yield path
