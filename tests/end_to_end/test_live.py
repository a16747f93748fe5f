"""What a person at a terminal sees of a long read: feed, calls, rate."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.end_to_end.plain import KEYS, Plain
from tests.support.proxy import serving
from tests.support.run import ROOT, clean_environment

PACKAGES = [f"team/app-{number:03}" for number in range(200)]
FEED = f"""
[[feed]]
name = "Production ECR"
region = "eu-west-1"
packages = {json.dumps(PACKAGES)}
credentials = {{ env_prefix = "OCTOPUS_" }}
"""
WIDTH = 80


def seen(tmp_path: Path, *options: str) -> str:
    """What a run writes to a terminal of 80 columns."""
    (tmp_path / "feeds.toml").write_text(FEED, encoding="utf-8")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    with serving(Plain(PACKAGES)) as endpoint:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "checks/", "-p", "no:cacheprovider"),
                *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint),
                *("--report", str(tmp_path / "report"), "-m", "perm or ident", *options),
            ],
            cwd=ROOT,
            env={**clean_environment(tmp_path / "home", KEYS), "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:  # Linux's way to say that nobody holds the other end any more
            pass
        finally:
            os.close(ours)
            process.wait(60)
    assert process.returncode == 0, text
    return text.decode()


@pytest.mark.parametrize("options", [(), ("-v",)], ids=["dots", "names"])
def test_a_long_read_shows_how_far_it_is(tmp_path: Path, options: tuple[str, ...]) -> None:
    text = seen(tmp_path, *options)
    shown = re.findall(
        r"\r(reading Production ECR: (\d+) calls?(?:, \d+ a second)?, [\d.]+ s)", text
    )
    assert shown
    assert "400" in {calls for _, calls in shown}  # two of each package
    # Each stays within its line, or the next could not take its place.
    drawn = re.findall(r"\r(reading [^\r\n]*)", text)
    assert max(map(len, drawn)) < WIDTH
    # What pytest writes goes on below.
    after = text.rpartition("\rreading ")[2]
    assert "checks/test_permissions.py" in after


def test_quiet_shows_none_of_it(tmp_path: Path) -> None:
    text = seen(tmp_path, "-q")
    assert "reading " not in text
    assert "PART: " in text
