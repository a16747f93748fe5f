"""Files of the report folder: each whole or not at all, `manifest.json` last.

All files of a set are first written beside their targets and flushed to the disk; only when every
one of them is there do they take their names, one after the other, and the manifest after them. A
run that is killed leaves the earlier files or the new ones, and a mixture (killed between two
renames) does not match any manifest.

Files of an earlier run that this one does not write are removed where that run's manifest has them
as they are. Any other file in the folder is a person's, and stays.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from ecr_feed.report.results import digest

MANIFEST: Final = "manifest.json"
_PROBE: Final = 1 << 20  # bytes: a folder that has less room left than this holds no report
_MARK: Final = ".ecr-feed-"  # what the names of unfinished files begin with


class ReportFolderError(Exception):
    """The folder cannot take a report. The text is one paragraph that says what to do."""


def check_writable(folder: Path) -> None:
    """Makes the folder where it is missing and tries a file in it; raises `ReportFolderError`.

    Call it before the first read, so that a run does not fail only at its end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportFolderError(_refusal(folder, "cannot be made", error)) from None
    for leftover in folder.glob(f"{_MARK}*.part"):
        with suppress(OSError):  # another run's, or not ours to remove: harmless either way
            if not _alive(leftover):
                leftover.unlink()
    probe = _part(folder / "probe")
    try:
        _write(probe, bytes(_PROBE))
    except OSError as error:
        raise ReportFolderError(_refusal(folder, "cannot be written", error)) from None
    finally:
        with suppress(OSError):
            probe.unlink()
    for name in (MANIFEST, "report.html", "results.json", "junit.xml", "findings.csv"):
        if (folder / name).is_dir():
            raise ReportFolderError(
                f"The report folder {str(folder)!r} holds a folder named {name}, where a file is to"
                " be written. Remove it, or name another folder with --report."
            )


def write_all(folder: Path, artefacts: Mapping[str, bytes]) -> Path:
    """Writes the files (name -> content) and the manifest; returns the manifest's path.

    What the earlier manifest lists and this one does not is removed where it is unchanged. Raises
    `ReportFolderError`; what was in the folder before is then there again.
    """
    manifest = manifest_of(artefacts)
    whole = {**artefacts, MANIFEST: manifest}
    parts: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in whole.items():
            target = folder / name
            parts[target] = _part(target)
            _write(parts[target], content)
        stale = [path for path in _unchanged(folder) if path.name not in whole]
        with undisturbed():
            _rename(parts, stale)
        _flush_folder(folder)
    except OSError as error:
        raise ReportFolderError(_refusal(folder, "could not be written", error)) from None
    finally:
        _remove(parts.values())
    return folder / MANIFEST


def _unchanged(folder: Path) -> Iterator[Path]:
    """The files that the folder's manifest lists and that still have the content listed there."""
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        hashes = {str(each["file"]): str(each["sha256"]) for each in listed}
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return  # no manifest, or not ours
    for name, sha256 in hashes.items():
        path = folder / name
        if path.parent != folder or path.name != name or path.is_symlink() or not path.is_file():
            continue  # not a file of this folder
        with suppress(OSError):  # unreadable: then it is not known to be ours
            if digest(path.read_bytes()) == sha256:
                yield path


def _rename(parts: Mapping[Path, Path], stale: Iterable[Path]) -> None:
    """Each part takes its target's name; where one cannot, all files are what they were.

    Stale files go before the last part, the manifest, takes its name.
    """
    kept = {target: _part(target) for target in (*stale, *parts)}
    done: list[Path] = []
    try:
        for target, other in kept.items():
            _keep(target, other)
        for target in kept:
            if target not in parts:
                target.unlink()
                done.append(target)
        for target, part in parts.items():
            os.replace(part, target)  # Path.replace would do; os.replace is the one POSIX promises
            done.append(target)
    except OSError:
        for target in done:
            with suppress(OSError):
                os.replace(kept[target], target)
                continue
            _remove([target])  # there was none before
        raise
    finally:
        _remove(kept.values())


def _keep(target: Path, other: Path) -> None:
    """What has the target's name, if anything, under another name as well."""
    with suppress(FileNotFoundError):
        try:
            os.link(target, other)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links; a folder in the way raises here too
            shutil.copyfile(target, other)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def manifest_of(artefacts: Mapping[str, bytes]) -> bytes:
    """`{"files": [{"file", "sha256", "bytes"}]}`, sorted by name."""
    files = [
        {"file": name, "sha256": digest(content), "bytes": len(content)}
        for name, content in sorted(artefacts.items())
    ]
    return json.dumps({"files": files}, indent=2).encode() + b"\n"


def _part(target: Path) -> Path:
    return target.with_name(f"{_MARK}{target.name}-{os.getpid()}-{secrets.token_hex(4)}.part")


def _alive(part: Path) -> bool:
    """Whether the process that was writing this file still runs."""
    number = part.name.rsplit("-", 2)[-2]
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:
        return True
    return True


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """The renames too reach the disk, where the system lets a folder be opened for that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _refusal(folder: Path, what: str, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return (
        f"The report folder {str(folder)!r} {what}: {reason}. Name a folder that this user may"
        " write to, on a disk with room, with --report DIR."
    )


_HELD: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, SIGINT and SIGTERM wait; the first that came is delivered at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    earlier: dict[int, Any] = {}
    try:
        for held in _HELD:
            earlier[held] = signal.signal(held, lambda got, _: came.append(got))
        yield
    finally:
        for number, handler in earlier.items():
            # None: installed by something other than Python, which cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])
