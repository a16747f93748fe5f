"""Programs of others against the embedded registry, under ECR's own host names."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.embedded.registry.served import HOST, STORAGE, Served
from tests.embedded.world import ACCOUNT, REGION, parts
from tests.oci.shelf import program
from tests.support.connect_proxy import ConnectProxy

APP = f"docker://{HOST}/team/app"


class Shell:
    """Runs programs that know nothing but the proxy and the authority."""

    def __init__(self, served: Served, proxy: ConnectProxy, home: Path) -> None:
        self.served = served
        self.home = home
        self.proxy = proxy
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "DOCKER_CONFIG": str(home),
            "HTTPS_PROXY": f"http://127.0.0.1:{self.proxy.port}",
            "SSL_CERT_FILE": str(served.embedded.ca_file),
            "SSL_CERT_DIR": str(home),
        }

    def run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def skopeo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(program("skopeo", "skopeo"), *arguments)


@pytest.fixture
def shell(served: Served, tmp_path: Path) -> Iterator[Shell]:
    proxy = ConnectProxy(served.embedded.route)
    yield Shell(served, proxy, tmp_path)
    proxy.close()


def login(shell: Shell, password: str) -> subprocess.CompletedProcess[str]:
    skopeo = program("skopeo", "skopeo")
    return shell.run(skopeo, "login", "--username", "AWS", "--password-stdin", HOST, given=password)


def test_skopeo_logs_in_lists_inspects_and_copies(shell: Shell, tmp_path: Path) -> None:
    done = login(shell, shell.served.password())
    assert (done.returncode, done.stdout.strip()) == (0, "Login Succeeded!")
    listed = json.loads(shell.skopeo("list-tags", APP).stdout)
    assert set(listed["Tags"]) == {"1.4.1", "1.4.2"}
    inspected = json.loads(
        shell.skopeo(
            "--override-os", "linux", "--override-arch", "amd64", "inspect", f"{APP}:1.4.2"
        ).stdout
    )
    repository = shell.served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    assert inspected["Digest"] == repository.tags["1.4.2"]
    copied = shell.skopeo("copy", f"{APP}:1.4.2", f"oci:{tmp_path / 'copy'}:1")
    assert copied.returncode == 0, copied.stderr
    assert {tunnel.target for tunnel in shell.proxy.tunnels} == {f"{HOST}:443", f"{STORAGE}:443"}


def test_skopeo_pages_tags_to_the_end(shell: Shell) -> None:
    repository = shell.served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    digest = repository.tags["1.4.2"]
    repository.tags |= {f"1.0.{number}": digest for number in range(350)}
    creds = f"AWS:{shell.served.password()}"
    listed = json.loads(shell.skopeo("list-tags", "--creds", creds, APP).stdout)
    assert len(listed["Tags"]) == 352


def test_skopeo_pushes(shell: Shell, tmp_path: Path) -> None:
    owner = f"AWS:{shell.served.password('')}"
    folder = f"dir:{tmp_path / 'image'}"
    pulled = shell.skopeo("copy", "--src-creds", owner, f"{APP}:1.4.2", folder)
    assert pulled.returncode == 0, pulled.stderr
    target = f"docker://{HOST}/team/worker:copied"
    for _ in range(2):  # the second time everything is there
        pushed = shell.skopeo("copy", "--dest-creds", owner, folder, target)
        assert pushed.returncode == 0, pushed.stderr
    worker = shell.served.world.core.registry(ACCOUNT, REGION).repositories["team/worker"]
    app = shell.served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    assert worker.tags["copied"] == app.tags["1.4.2"]
    shown = shell.served.world.client("ecr").describe_images(
        repositoryName="team/worker", imageIds=[{"imageTag": "copied"}]
    )
    assert shown["imageDetails"][0]["imageDigest"] == worker.tags["copied"]
    feed = f"AWS:{shell.served.password()}"
    refused = shell.skopeo("copy", "--dest-creds", feed, folder, target)
    assert refused.returncode != 0
    assert "403 (Forbidden)" in refused.stderr
    nowhere = f"docker://{HOST}/team/none:1"
    missing = shell.skopeo("copy", "--dest-creds", owner, folder, nowhere)
    assert missing.returncode != 0
    assert "does not exist" in missing.stderr


def test_skopeo_is_refused_with_a_wrong_and_with_an_old_password(shell: Shell) -> None:
    password = shell.served.password()
    assert login(shell, "not-the-password").returncode != 0
    shell.served.world.core.advance(timedelta(hours=13))
    done = login(shell, password)
    assert done.returncode != 0
    assert password not in done.stdout + done.stderr


def test_skopeo_is_denied_what_the_policy_does_not_allow(shell: Shell, tmp_path: Path) -> None:
    iam = shell.served.world.client("iam")
    iam.delete_user_policy(UserName="octopus-feed", PolicyName="octopus-ecr-feed")
    iam.put_user_policy(
        UserName="octopus-feed",
        PolicyName="token",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "ecr:Get*Token", "Resource": "*"},
            }
        ),
    )
    creds = f"AWS:{shell.served.password()}"
    for command, says in (
        (("list-tags", "--creds", creds, APP), "403 (Forbidden)"),
        (("inspect", "--creds", creds, f"{APP}:1.4.2"), "perform: ecr:BatchGetImage"),
    ):
        done = shell.skopeo(*command)
        assert done.returncode != 0
        assert says in done.stderr


def test_docker_logs_in_and_inspects(shell: Shell) -> None:
    docker = program("docker", "docker.io", required=False)
    arguments = ("login", "--username", "AWS", "--password-stdin", HOST)
    done = shell.run(docker, *arguments, given=shell.served.password())
    assert done.returncode == 0, done.stderr
    inspected = shell.run(docker, "manifest", "inspect", f"{HOST}/team/app:1.4.2")
    assert inspected.returncode == 0, inspected.stderr
    assert json.loads(inspected.stdout)["schemaVersion"] == 2
    assert shell.run(docker, *arguments, given="wrong").returncode != 0


def test_the_credential_helper_gets_a_token_that_opens_the_registry(shell: Shell) -> None:
    helper = program("docker-credential-ecr-login", "amazon-ecr-credential-helper")
    key = parts(shell.served.world.seeded.keys["feed"])
    shell.environment |= {
        "AWS_ACCESS_KEY_ID": key[0],
        "AWS_SECRET_ACCESS_KEY": key[1],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ECR_DISABLE_CACHE": "true",
    }
    done = shell.run(helper, "get", given=HOST)
    assert done.returncode == 0, done.stdout + done.stderr
    given = json.loads(done.stdout)
    assert given["Username"] == "AWS"
    assert login(shell, given["Secret"]).returncode == 0
