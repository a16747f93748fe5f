"""Files of the report folder: whole or not there, the manifest last."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ecr_feed.report.artefacts import MANIFEST, ReportFolderError, check_writable, write_all

FILES = {"results.json": b"{}\n", "report.html": b"<p>new</p>"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def matches(folder: Path) -> bool:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    return all(
        hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"]
        for row in manifest["files"]
    )


def test_the_manifest_tells_every_file(tmp_path: Path) -> None:
    write_all(tmp_path / "deep" / "reports", FILES)
    folder = tmp_path / "deep" / "reports"
    assert names(folder) == [MANIFEST, "report.html", "results.json"]
    assert matches(folder)
    rows = json.loads((folder / MANIFEST).read_bytes())["files"]
    assert [(row["file"], row["bytes"]) for row in rows] == [
        ("report.html", 10),
        ("results.json", 3),
    ]


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    write_all(tmp_path, {**FILES, "report.html": b"old"})
    write_all(tmp_path, FILES)
    assert (tmp_path / "report.html").read_bytes() == FILES["report.html"]
    assert matches(tmp_path)


def test_what_other_people_keep_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()
    write_all(tmp_path, FILES)
    assert ".gitkeep" in names(tmp_path)


_FULL = """
import resource, signal, sys
from pathlib import Path
from ecr_feed.report.artefacts import ReportFolderError, check_writable, write_all
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, 64_000))
folder = Path(sys.argv[1])
try:
    if sys.argv[2] == "check":
        check_writable(folder)
    else:
        write_all(folder, {"a.json": b"new", "report.html": b"x" * 100_000})
except ReportFolderError as error:
    print(error)
    sys.exit(9)
"""


@pytest.mark.parametrize("what", ["check", "write"])
def test_no_room_is_a_clear_error_and_the_old_files_stay(tmp_path: Path, what: str) -> None:
    assert resource.RLIMIT_FSIZE is not None
    write_all(tmp_path, {"a.json": b"old", "report.html": b"old"})
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path), what],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    assert run.returncode == 9, run.stderr
    assert str(tmp_path) in run.stdout
    assert "--report" in run.stdout
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    with pytest.raises(ReportFolderError, match="cannot be made"):
        check_writable(tmp_path / "reports")
    with pytest.raises(ReportFolderError, match="could not be written"):
        write_all(tmp_path / "reports", FILES)


def test_a_folder_in_a_files_place(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportFolderError, match=r"folder named report\.html"):
        check_writable(tmp_path)


def test_a_folder_that_may_not_be_written() -> None:
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        if root:
            os.seteuid(65534)  # root may write to any folder: be nobody for this question
        try:
            with pytest.raises(ReportFolderError, match="cannot be written: Permission denied"):
                check_writable(folder)
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_folder_of_the_kernels_takes_nothing() -> None:
    with pytest.raises(ReportFolderError):
        check_writable(Path("/proc/reports"))


def test_checking_leaves_nothing_and_removes_what_dead_runs_left(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait(timeout=30)
    (tmp_path / f".ecr-feed-report.html-{dead.pid}-0123abcd.part").touch()
    (tmp_path / f".ecr-feed-report.html-{os.getpid()}-0123abcd.part").touch()
    (tmp_path / ".ecr-feed-odd.part").touch()
    check_writable(tmp_path)
    assert names(tmp_path) == [f".ecr-feed-report.html-{os.getpid()}-0123abcd.part"]


_KILLED = """
import os, sys
from pathlib import Path
from ecr_feed.report import artefacts
folder, moment = Path(sys.argv[1]), int(sys.argv[2])
calls = []
real = os.replace
def replace(*arguments):
    calls.append(1)
    if len(calls) > moment:
        os._exit(9)
    real(*arguments)
os.replace = replace
artefacts.write_all(folder, {f"{letter}.json": letter.encode() * 10 for letter in "abc"})
"""


@pytest.mark.parametrize("moment", range(5))
def test_a_run_that_is_killed_leaves_whole_files(tmp_path: Path, moment: int) -> None:
    write_all(tmp_path, {f"{letter}.json": b"old" for letter in "abc"})
    run = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(moment)],
        check=False,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    assert run.returncode == (0 if moment == 4 else 9)
    contents = {(tmp_path / f"{letter}.json").read_bytes() for letter in "abc"}
    assert contents <= {b"old", b"a" * 10, b"b" * 10, b"c" * 10}
    # Before the first rename all is old, after the last all is new; between, no manifest fits.
    assert matches(tmp_path) is (moment in (0, 4))


def test_a_rename_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    write_all(tmp_path, {"a": b"old", "b": b"old"})
    (tmp_path / "d").mkdir()
    before = {name: (tmp_path / name).read_bytes() for name in ("a", "b", MANIFEST)}
    with pytest.raises(ReportFolderError, match="could not be written"):
        write_all(tmp_path, {"a": b"new", "b": b"new", "c": b"new", "d": b"new"})
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert names(tmp_path) == ["a", "b", "d", MANIFEST]


@pytest.mark.parametrize("fails", range(4))
def test_renames_are_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    write_all(tmp_path, {"a": b"old", "b": b"old"})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    replace = os.replace
    left = [*[1] * 9, 0, *[1] * fails]

    def once(source: Path, target: Path) -> None:
        if left.pop() == 0:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", once)
    with pytest.raises(ReportFolderError, match="Input/output error"):
        write_all(tmp_path, {"a": b"new", "b": b"new", "c": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_the_earlier_run_wrote_and_this_one_does_not_is_removed(tmp_path: Path) -> None:
    write_all(tmp_path, {"a.json": b"a", "stale.json": b"old", "changed.json": b"old"})
    (tmp_path / "changed.json").write_bytes(b"a person's")
    (tmp_path / "theirs.json").write_bytes(b"old")
    write_all(tmp_path, {"a.json": b"new"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("a.json", "changed.json", "manifest.json", "theirs.json"),
    ]


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b'{"files": 1}',
        b'{"files": [{"file": "a.json"}]}',
        b"[" * 100_000,
    ],
)
def test_another_programs_manifest_lists_nothing_of_ours(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "a.json").write_bytes(b"theirs")
    (tmp_path / MANIFEST).write_bytes(manifest)
    write_all(tmp_path, {"b.json": b"new"})
    assert (tmp_path / "a.json").read_bytes() == b"theirs"


def test_nothing_outside_of_the_folder_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    outside = tmp_path / "theirs"
    outside.write_bytes(b"x")
    (folder / "link").symlink_to(outside)
    (folder / "sub").mkdir()
    (folder / "sub" / "deep").write_bytes(b"x")
    hashed = hashlib.sha256(b"x").hexdigest()
    names = ("../theirs", str(outside), "link", "sub/deep", "sub", ".", "..", "")
    listed = [{"file": name, "sha256": hashed, "bytes": 1} for name in names]
    (folder / MANIFEST).write_text(json.dumps({"files": listed}), encoding="utf-8")
    write_all(folder, {"a": b"new"})
    assert outside.exists()
    assert (folder / "link").is_symlink()
    assert (folder / "sub" / "deep").exists()


def test_a_failure_brings_back_what_was_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(tmp_path, {"a": b"old", "stale": b"old"})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "full").touch()
    with pytest.raises(ReportFolderError):
        write_all(tmp_path, {"a": b"new", "b": b"new"})
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before
