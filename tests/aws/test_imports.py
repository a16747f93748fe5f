"""What a run against AWS imports: each optional package costs start-up time and may be absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.aws.fake import FakeAws, over_http, served

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys

import ecr_feed.plugin.accounts
import ecr_feed.plugin.options
import ecr_feed.plugin.selection
from ecr_feed.aws.account import Account
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import EnvCredentials, Feed, Package
from ecr_feed.feed import reachability, registry
from ecr_feed.oci import RegistryClient
from ecr_feed.reach import Prober

variables = {"T_AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE01", "T_AWS_SECRET_ACCESS_KEY": "secret"}
credentials = EnvCredentials(env_prefix="T_")
packages = (Package(id="team/app"),)
feed = Feed(name="Feed", region="eu-west-1", packages=packages, credentials=credentials)
account = Account(feed, Sessions(backend=Backend(endpoint_url=sys.argv[1]), environ=variables))
assert account.inventory().repository("team/app") is not None
assert account.images("team/app")
assert account.token().proxy_endpoint
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_run_against_aws_imports_neither_moto_nor_cryptography_nor_hypothesis() -> None:
    with served(over_http(FakeAws({"team/app": 1}))) as url:
        ended = subprocess.run(
            [sys.executable, "-c", RUN, url],
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    imported = set(ended.stdout.split())
    assert "botocore" in imported
    assert imported & {"moto", "cryptography", "hypothesis", "boto3"} == set()
