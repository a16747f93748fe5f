"""Stock moto over HTTP in its own process: the endpoint that a person is likely to have."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

_SERVE = """
import sys
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def moto_server(home: Path) -> Iterator[str]:
    """The address of a moto server on a free port of 127.0.0.1; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def owner(endpoint: str, service: str, region: str) -> Any:
    """A plain boto3 client that owns the endpoint's account."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="testing-key",
        aws_secret_access_key="testing-secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


def push(client: Any, repository: str, tag: str) -> None:
    """One small image under a tag."""
    layer = f"sha256:{tag.encode().hex():0<64}"[:71]
    client.put_image(
        repositoryName=repository,
        imageTag=tag,
        imageManifest=(
            '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
            '"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":7,'
            f'"digest":"{layer}"}},"layers":[]}}'
        ),
    )
