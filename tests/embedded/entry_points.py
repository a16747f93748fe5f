"""The contract account behind each entry point: in process, and over HTTP in its own process."""

from __future__ import annotations

import configparser
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config

from ecr_feed.embedded.protocol.botocore_data import new_session
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from ecr_feed.embedded.seeding.account_file import load
from tests.embedded.world import REGION, World, world

ROOT = Path(__file__).parents[2]
ANONYMOUS = "anonymous"  # the label of a client that signs nothing
_UNSIGNED = Config(signature_version=UNSIGNED)
CONTRACT = Path(__file__).with_name("contract.toml")


@dataclass
class EntryPoint:
    """A way in. `make` gives a client for a service, a key label ("root" too) and a region."""

    name: str
    make: Callable[[str, str, str], Any]
    made: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, label: str = "root", region: str = REGION) -> Any:
        """A client, made once."""
        known = (service, label, region)
        if known not in self.made:
            self.made[known] = self.make(*known)
        return self.made[known]


@contextmanager
def in_process() -> Iterator[EntryPoint]:
    """Through botocore's own event."""
    inner: World = world(load(CONTRACT))

    def make(service: str, label: str, region: str) -> Any:
        if label != ANONYMOUS:
            return inner.client(service, label, region)
        session = new_session()
        emitter = session.get_component("event_emitter")
        emitter.register_first("before-send", boto3_answer(inner.core))
        return session.create_client(service, region_name=region, config=_UNSIGNED)

    yield EntryPoint("in process", make)


@contextmanager
def over_http(folder: Path) -> Iterator[EntryPoint]:
    """`python -m ecr_feed.embedded` in its own process; its keys come from the file it writes."""
    keys = folder / "credentials"
    command = [sys.executable, "-m", "ecr_feed.embedded", "--account", str(CONTRACT)]
    process = subprocess.Popen(
        [*command, "--credentials-file", str(keys)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.stdout.readline()
        profiles = configparser.RawConfigParser()
        profiles.read(keys)
        yield EntryPoint(
            "http", at_endpoint(url, {name: dict(profiles[name]) for name in profiles})
        )
    finally:
        process.terminate()
        process.communicate(timeout=10)


def at_endpoint(
    url: str, profiles: Mapping[str, Mapping[str, str]]
) -> Callable[[str, str, str], Any]:
    """What makes clients of an endpoint: by profile, or anonymous."""

    def make(service: str, label: str, region: str) -> Any:
        if label != ANONYMOUS:
            return endpoint_client(url, profiles[label], service, region)
        session = new_session()
        return session.create_client(
            service, region_name=region, endpoint_url=url, config=_UNSIGNED
        )

    return make


def endpoint_client(url: str, profile: Mapping[str, str], service: str, region: str) -> Any:
    """A client of an endpoint."""
    session = new_session()
    session.set_credentials(
        profile["aws_access_key_id"],
        profile["aws_secret_access_key"],
        profile.get("aws_session_token"),
    )
    return session.create_client(service, region_name=region, endpoint_url=url)
