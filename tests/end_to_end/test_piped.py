"""Files that are piped into a run: read under pytest's capture, and known to every worker."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.run import run_checks

ONE_FEED = ("--aws-region", "eu-west-1", "--package", "team/app")
ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}],
    },
    indent=2,
)
DENY = ALLOW.replace("Allow", "Deny").replace("ecr:*", "ecr:ListImages")
FEEDS = """
[[docker_feed]]
name = "Legacy"
region = "eu-west-1"
login = { file = "login.txt" }
"""

Pipe = Callable[[bytes], int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Makes a pipe that holds some bytes and has ended; gives its reading end."""
    with ExitStack() as closing:

        def made(data: bytes) -> int:
            reading, writing = os.pipe()
            closing.callback(os.close, reading)
            with os.fdopen(writing, "wb") as file:
                file.write(data)
            return reading

        yield made


def inputs(ran: Any) -> dict[str, str]:
    return {each["file"]: each["sha256"] for each in ran.results["run"]["inputs"]}


@pytest.mark.parametrize("more", [(), ("-s",), ("--capture=sys",), ("-n", "2")])
def test_a_policy_on_standard_input_and_one_on_a_descriptor(
    tmp_path: Path, pipe: Pipe, more: tuple[str, ...]
) -> None:
    policy, scp = ALLOW.encode("utf-16"), DENY.replace("\n", "\r\n").encode("utf-8-sig")
    other = pipe(scp)

    ran = run_checks(
        tmp_path,
        *("--policy", "-", "--scp", f"/dev/fd/{other}", *ONE_FEED, *more),
        stdin=pipe(policy),
        descriptors=(other,),
    )

    assert ran.results["mode"] == "plan", ran.text
    assert ran.finding("PERM-3", "team/app")["outcome"] == "met"
    assert ran.finding("PERM-4", "team/app")["outcome"] == "not met"
    assert inputs(ran) == {
        "-": hashlib.sha256(policy).hexdigest(),
        f"/dev/fd/{other}": hashlib.sha256(scp).hexdigest(),
    }


def test_a_feeds_file_on_standard_input_starts_at_the_current_folder(
    tmp_path: Path, pipe: Pipe
) -> None:
    ran = run_checks(tmp_path, "--feeds", "-", stdin=pipe(FEEDS.encode()))

    assert ran.status == 4, ran.text
    assert "login.txt: there is no such file" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "-", "--scp", "/dev/stdin"), "standard input is named twice"),
        (("--policy", "/dev/zero"), "/dev/zero is a device"),
        (("--policy", "/dev/null"), "/dev/null is empty"),
        (("--policy", "."), ". is a directory: expected a policy document (JSON)"),
        (("--policy", "{at}/fifo"), "fifo is a named pipe"),
        (("--boundary", "-"), "standard input: AWS would refuse this policy"),
        (("--waivers", "/dev/zero"), "/dev/zero is a device: expected a waivers file (TOML)"),
        (("--baseline", "/dev/zero"), "/dev/zero is a device: expected an earlier results.json"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(
    tmp_path: Path, pipe: Pipe, arguments: tuple[str, ...], said: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    named = [argument.format(at=tmp_path) for argument in arguments]
    subject = ONE_FEED if {"--policy", "--boundary"} & set(arguments) else ()

    ran = run_checks(tmp_path, *named, *subject, stdin=pipe(b"[]"))

    assert ran.status == 4, ran.text
    assert said in ran.err
    assert "Traceback" not in ran.text
