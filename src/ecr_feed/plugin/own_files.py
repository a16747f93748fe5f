"""Policy files in a person's folder: which of them an earlier run wrote and nobody changed since.

The first statement's Sid is a mark: a hash of the rest of the document, of the file's name and of
the name given to `--write-policy`. A file without its mark is a person's, and is left as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Final

from ecr_feed.config import ConfigError

MARK_SIZE: Final = len('"Sid":"EcrFeedChecks0123456789abcdef",')
"""Characters that the mark adds to a document."""
_LARGEST: Final = 1 << 20  # bytes: no policy file of ours is larger


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The files of `--write-policy FILE`: FILE and those beside it, `STEM.PART.json`."""

    first: Path

    def beside(self, part: str) -> Path:
        """`STEM.PART.json` beside FILE; FILE itself for no part."""
        return self.first.with_suffix(f".{part}.json") if part else self.first

    def check(self, paths: Iterable[Path]) -> None:
        """Raise ConfigError where writing to one of the paths would replace a person's file."""
        theirs = [path.name for path in paths if not self.may_write(path)]
        if theirs:
            raise ConfigError(
                f"--write-policy {self.first.name}: {', '.join(theirs)} was not written by an "
                "earlier run with this option, or was changed since: nothing is overwritten. "
                "Delete or rename it, or name another file."
            )

    def may_write(self, path: Path) -> bool:
        """There is no regular file at the path, or an earlier run wrote it as it is."""
        return not path.is_file() or self._is_ours(path)

    def write(self, path: Path, document: Mapping[str, object]) -> None:
        """Write the document with its mark. Raises OSError."""
        plain = json.loads(json.dumps(document))
        path.write_text(_text(plain, self._mark(path, plain)), encoding="utf-8")

    def earlier(self) -> list[Path]:
        """FILE and the files beside it that an earlier run wrote and nobody changed."""
        beside = self.first.parent.glob(f"{escape(self.first.stem)}.*.json")
        return [
            path
            for path in sorted({self.first, *beside})
            if path.is_file() and not path.is_symlink() and self._is_ours(path)
        ]

    def _is_ours(self, path: Path) -> bool:
        with suppress(OSError, ValueError, RecursionError):
            if path.stat().st_size <= _LARGEST:
                return self._is_marked(path, path.read_text(encoding="utf-8"))
        return False

    def _is_marked(self, path: Path, text: str) -> bool:
        found = json.loads(text)
        try:
            sid = found["Statement"][0].pop("Sid")
        except (AttributeError, TypeError, LookupError):
            return False
        return sid == self._mark(path, found) and text == _text(found, sid)

    def _mark(self, path: Path, document: object) -> str:
        hashed = json.dumps([self.first.name, path.name, document], sort_keys=True)
        return f"EcrFeedChecks{hashlib.sha256(hashed.encode()).hexdigest()[:16]}"


def _text(document: Any, sid: str) -> str:
    first, *others = document["Statement"]
    marked = {**document, "Statement": [{"Sid": sid, **first}, *others]}
    return json.dumps(marked, indent=2) + "\n"
