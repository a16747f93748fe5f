"""Independent programs against the account's HTTP server."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import requests

from ecr_feed.embedded.protocol.http_server import AccountServer, serve
from tests.embedded.entry_points import endpoint_client
from tests.embedded.world import ACCOUNT, REGION, World, account, parts, world
from tests.support.requests_adapter import WireAdapter

FILE = """
[[repository]]
name = "many/r{n}"
count = 2500
[[user]]
name = "feed"
attached = ["AmazonEC2ContainerRegistryReadOnly"]
keys = [{ label = "feed" }]
"""


@pytest.fixture(scope="module")
def made() -> World:
    return world(FILE)


@pytest.fixture(scope="module")
def server(made: World) -> Iterator[AccountServer]:
    with serve(made.core) as started:
        yield started


def aws(server: AccountServer, made: World, home: Path, *arguments: str) -> str:
    """The AWS CLI in its own process, with nothing of this machine's settings."""
    program = shutil.which("aws")
    if program is None:
        pytest.skip("no AWS CLI: pip install awscli (in an environment of its own)")
    key_id, secret, _ = parts(made.seeded.keys["feed"])
    environment = {
        "PATH": f"{Path(program).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        [program, *arguments],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "command not found" in done.stderr:  # a shim without its program
        pytest.skip("no AWS CLI: pip install awscli (in an environment of its own)")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_aws_cli_gets_its_login_password(
    server: AccountServer, made: World, tmp_path: Path
) -> None:
    password = aws(server, made, tmp_path, "ecr", "get-login-password").strip()
    holder = made.core.token_caller(password)
    assert holder is not None
    assert (holder.account, holder.region, holder.caller.name) == (ACCOUNT, REGION, "feed")
    assert json.loads(base64.b64decode(password))["type"] == "DATA_KEY"


def test_the_aws_cli_pages_2500_repositories(
    server: AccountServer, made: World, tmp_path: Path
) -> None:
    said = aws(server, made, tmp_path, "ecr", "describe-repositories", "--output", "json")
    assert len(json.loads(said)["repositories"]) == 2500


def signed(made: World, url: str, body: str) -> botocore.awsrequest.AWSRequest:
    """An STS request signed by botocore's signer, not yet sent."""
    key_id, secret, token = parts(made.seeded.keys["feed"])
    request = botocore.awsrequest.AWSRequest(
        "POST", url, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    credentials = botocore.credentials.Credentials(key_id, secret, token)
    botocore.auth.SigV4Auth(credentials, "sts", REGION).add_auth(request)
    return request


IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"


@pytest.mark.parametrize("through", ["http", "adapter"])
def test_a_signed_request_of_ones_own(server: AccountServer, made: World, through: str) -> None:
    url = f"{server.url}/" if through == "http" else "https://sts.eu-west-1.amazonaws.com/"
    request = signed(made, url, IDENTITY)
    session = requests.Session()
    if through == "adapter":
        session.mount("https://", WireAdapter(made.core.handle))
    said = session.post(url, data=IDENTITY, headers=dict(request.headers.items()))
    assert said.status_code == 200
    assert f"<Arn>arn:aws:iam::{ACCOUNT}:user/feed</Arn>" in said.text
    tampered = session.post(url, data=f"{IDENTITY}&x=1", headers=dict(request.headers.items()))
    assert (tampered.status_code, "SignatureDoesNotMatch" in tampered.text) == (403, True)


def test_it_listens_on_loopback_and_leaves_nothing(made: World) -> None:
    before = set(threading.enumerate())
    with serve(made.core) as started:
        assert started.socket.getsockname()[0] == "127.0.0.1"
        profile = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": made.core.root_secret}
        assert endpoint_client(started.url, profile, "sts", REGION).get_caller_identity()
        port = started.port
    assert set(threading.enumerate()) == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_connections_are_kept_alive(server: AccountServer) -> None:
    with requests.Session() as session:
        for _ in range(2):
            said = session.post(server.url, data="Action=GetCallerIdentity&Version=2011-06-15")
            assert "close" not in said.headers.get("connection", "")


def test_writes_beside_reads_on_many_threads() -> None:
    made = world(account(FILE.replace("2500", "1")))
    ecr, iam = made.client("ecr"), made.client("iam")

    def work(n: int) -> Any:
        iam.create_user(UserName=f"u{n}")
        iam.list_users()
        ecr.create_repository(repositoryName=f"new/r{n}")
        return ecr.describe_repositories(maxResults=5)

    with ThreadPoolExecutor(16) as pool:
        assert len(list(pool.map(work, range(64)))) == 64
    assert len(made.core.registry(ACCOUNT, REGION).repositories) == 65
    assert len(iam.list_users()["Users"]) == 65
