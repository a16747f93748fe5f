"""`python -m ecr_feed.embedded --account NAME|FILE`: an account over HTTP, for any client."""

from __future__ import annotations

import argparse
import configparser
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from types import FrameType

from ecr_feed.embedded.protocol.http_server import serve
from ecr_feed.embedded.seeding.account_file import AccountError, load
from ecr_feed.embedded.seeding.seed import Seeded, core_for, fill

ACCOUNTS = Path("fixtures") / "accounts"


def main(arguments: Sequence[str] | None = None, stop: Event | None = None) -> int:
    """Serve until interrupted (or until `stop` is set); 2 for an account that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        account = load(_file(options.account))
    except AccountError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    core = core_for(account)
    seeded = fill(core, account)
    ended = stop or _until_interrupted()
    with serve(core, options.port) as server:
        sys.stdout.write(f"{server.url}\n")
        if options.credentials_file:
            _write(Path(options.credentials_file), seeded)
            sys.stdout.write(f"profiles: {options.credentials_file}\n")
        else:
            sys.stdout.write("keys: give --credentials-file FILE to have them written\n")
        sys.stdout.flush()
        ended.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ecr_feed.embedded", description=__doc__)
    parser.add_argument("--account", default="healthy", help="an account's name, or its TOML file")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1 (default: a free one)")
    parser.add_argument("--credentials-file", help="write the account's keys here, as profiles")
    return parser


def _file(name: str) -> Path:
    named = ACCOUNTS / f"{name}.toml"
    return named if "/" not in name and named.is_file() else Path(name)


def _until_interrupted() -> Event:
    ended = Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return ended


def _write(path: Path, seeded: Seeded) -> None:
    """One profile per key label (`root` too). The file is readable by its owner alone."""
    profiles = configparser.RawConfigParser()
    for label, key in seeded.keys.items():
        profiles[label] = {
            "aws_access_key_id": key.access_key_id,
            "aws_secret_access_key": key.secret.reveal(),
        }
        if key.session_token is not None:
            profiles[label]["aws_session_token"] = key.session_token.reveal()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        profiles.write(file)


if __name__ == "__main__":
    sys.exit(main())
