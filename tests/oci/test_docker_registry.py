"""Our client against a registry nobody here wrote: Debian's, behind TLS, in its own process."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

import pytest

from ecr_feed.embedded.registry import Authority
from ecr_feed.facts.aws import Secret, Trouble
from ecr_feed.oci import (
    Network,
    Platform,
    RegistryClient,
    RegistrySession,
    Step,
    StepState,
    WantedImage,
    manifests,
)
from ecr_feed.oci.registry_client import FIRST_BYTES, SMALL_LAYER
from tests.oci.images import Image, digest, image, index, raw
from tests.oci.shelf import NAME, PASSWORD, program

# bcrypt of PASSWORD, cost 4: the one form that the registry's htpasswd file may hold.
HTPASSWD: Final = "AWS:$2b$04$ecrfeedchecksecrfeedce9VSoS4LgxWOIUlWLU6nPZFusdbnwomm\n"
AMD64: Final = Platform("linux", "amd64")


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


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    command = program("docker-registry", "docker-registry")
    folder = tmp_path_factory.mktemp("docker-registry")
    authority = Authority()
    certificate, key = authority.write_pair("localhost")
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


def test_login(debian: Debian) -> None:
    assert [step.state for step in debian.registry().login().steps] == [StepState.OK] * 3


def test_a_wrong_password(debian: Debian) -> None:
    login = debian.registry("no").login()
    assert (login.login.state, login.login.trouble) == (StepState.FAILED, Trouble.LOGIN_REFUSED)
    assert login.wrong_password.ok


@pytest.mark.parametrize("tag", ["1.0", "docker", "index", "large"])
def test_a_deep_walk_agrees_with_skopeo(debian: Debian, tag: str, tmp_path: Path) -> None:
    walk = debian.registry().walk(WantedImage(NAME, tag, AMD64), deep=True)
    theirs = debian.skopeo(
        *("--override-os", "linux", "--override-arch", "amd64", "copy"),
        *("--src-creds", f"AWS:{PASSWORD}"),
        f"docker://{debian.endpoint.removeprefix('https://')}/{NAME}:{tag}",
        f"dir:{tmp_path / 'image'}",
    )
    assert (walk.ok, theirs.returncode) == (True, 0), (walk.broken, theirs.stderr)
    assert set(walk.tags or ()) == {"1.0", "docker", "index", "large"}
    assert walk.platform == AMD64


def test_a_large_layer_is_read_in_part(debian: Debian) -> None:
    registry = debian.registry()
    walk = registry.walk(WantedImage(NAME, "large"), deep=True)
    (layer,) = walk.of(Step.LAYER)
    assert (layer.status, layer.ok) == (206, True)
    assert FIRST_BYTES < SMALL_LAYER


def test_an_index_lists_its_platforms(debian: Debian) -> None:
    walk = debian.registry().walk(WantedImage(NAME, "index", Platform("linux", "s390x")), deep=True)
    assert [str(platform) for platform in walk.platforms] == ["linux/amd64", "linux/arm64"]
    assert walk.broken is not None
    assert (walk.broken.step, walk.broken.state) == (Step.PLATFORM, StepState.FAILED)


def test_a_missing_tag_and_a_missing_repository(debian: Debian) -> None:
    tag = debian.registry().walk(WantedImage(NAME, "none"), deep=True).broken
    repository = (
        debian.registry(name="team/none").walk(WantedImage("team/none", "1.0"), deep=True).broken
    )
    assert tag is not None
    assert repository is not None
    assert (tag.step, tag.failure and tag.failure.code) == (Step.HEAD, "MANIFEST_UNKNOWN")
    assert (repository.step, repository.failure and repository.failure.code) == (
        Step.TAGS,
        "NAME_UNKNOWN",
    )
