"""Debian's docker-registry behind TLS, in its own process, and skopeo to push to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

from ecr_feed.embedded.registry import Authority
from ecr_feed.facts.aws import Secret
from ecr_feed.oci import Network, RegistryClient, RegistrySession, manifests
from ecr_feed.oci.registry_client import SMALL_LAYER
from tests.oci.images import Image, digest, image, index, raw
from tests.oci.shelf import NAME, PASSWORD, program

# bcrypt of PASSWORD, cost 4: the one form that the registry's htpasswd file may hold.
HTPASSWD: Final = "AWS:$2b$04$ecrfeedchecksecrfeedce9VSoS4LgxWOIUlWLU6nPZFusdbnwomm\n"


@dataclass(frozen=True)
class Debian:
    """A running docker-registry."""

    endpoint: str
    ca: Path
    folder: Path

    def registry(self, password: str = PASSWORD, name: str = NAME) -> RegistrySession:
        network = Network(proxy_for=lambda url: None, ca=str(self.ca))
        secret = Secret(password)
        return RegistrySession(
            RegistryClient(self.endpoint, "AWS", secret, repositories={name}, network=network)
        )

    def skopeo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "SSL_CERT_FILE": str(self.ca),
            "SSL_CERT_DIR": str(self.folder),
        }
        command = [program("skopeo", "skopeo"), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def push(self, made: Image, tag: str) -> None:
        """Pushes with skopeo, from the folder form that it reads."""
        folder = self.folder / f"push-{tag}"
        folder.mkdir()
        (folder / "version").write_text("Directory Transport Version: 1.1\n")
        (folder / "manifest.json").write_bytes(made.manifest)
        for child in made.children:
            (folder / f"{child.digest.removeprefix('sha256:')}.manifest.json").write_bytes(
                child.manifest
            )
        for each in (made, *made.children):
            for name, content in each.blobs.items():
                (folder / name.removeprefix("sha256:")).write_bytes(content)
        target = f"docker://{self.endpoint.removeprefix('https://')}/{NAME}:{tag}"
        done = self.skopeo(
            "copy", "--all", "--dest-creds", f"AWS:{PASSWORD}", f"dir:{folder}", target
        )
        assert done.returncode == 0, done.stderr


CONFIG: Final = """\
version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http:
  addr: 127.0.0.1:0
  tls: {{certificate: {certificate}, key: {key}}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@contextmanager
def running_debian(folder: Path) -> Iterator[Debian]:
    """A docker-registry with four tags of one repository; its files are put into `folder`."""
    command = program("docker-registry", "docker-registry")
    authority = Authority()
    certificate, key = authority.files_for("localhost")
    (folder / "htpasswd").write_text(HTPASSWD)
    config = folder / "config.yml"
    config.write_text(CONFIG.format(folder=folder, certificate=certificate, key=key))
    process = subprocess.Popen(
        [command, "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
    )
    assert process.stderr is not None
    port = _port(process.stderr)
    rest = Thread(target=process.stderr.read)
    rest.start()
    try:
        made = Debian(f"https://localhost:{port}", authority.ca_file, folder)
        made.push(image("one"), "1.0")
        made.push(image("docker", form=manifests.DOCKER_SCHEMA_2), "docker")
        made.push(index("amd64", "arm64", attest=True), "index")
        made.push(large(), "large")
        yield made
    finally:
        process.terminate()
        rest.join()
        process.wait()
        process.stderr.close()
        authority.close()


def _port(lines: Iterator[str]) -> int:
    """The port that the registry says it listens on."""
    for line in lines:
        if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("docker-registry did not start")


def large() -> Image:
    """An image with a layer too large to be read whole."""
    made = image("large")
    document = json.loads(made.manifest)
    content = Random(1).randbytes(SMALL_LAYER * 4)  # skopeo would compress zeros to nothing
    document["layers"][0] |= {
        "digest": digest(content),
        "size": len(content),
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
    }
    return Image(made.media_type, raw(document), made.blobs | {digest(content): content})
