"""Reading 1,000 packages against the same calls made bare; run by hand from the project's root.

    PYTHONPATH=.:src python tests/benchmarks/bench_reading.py [packages]

A server in its own process answers like ECR, 50 ms after each request. "Bare" is the least that
can be done: one botocore client, a thread pool, the calls of the formula, nothing kept. Each side
starts in a process of its own, so that neither warms the other.
"""

# ruff: noqa: T201  # a benchmark prints

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from statistics import median

from ecr_feed.aws.account import Account
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import EnvCredentials, Feed, Package
from tests.aws.fake import FakeAws, over_http, served
from tests.support.planned_calls import planned_calls

DELAY = 0.05
IMAGES = 5
ENVIRON = {"T_AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE01", "T_AWS_SECRET_ACCESS_KEY": "secret"}


def names(count: int) -> list[str]:
    return [f"team/app{number:05}" for number in range(count)]


def serve(count: int) -> None:
    """Answer until the standard input ends."""
    plain = over_http(FakeAws(dict.fromkeys(names(count), IMAGES)))

    def late(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        time.sleep(DELAY)
        plain(handler, body)

    with served(late) as url:
        print(url, flush=True)
        sys.stdin.read()


def ours(url: str, count: int) -> float:
    """Everything that the permission and repository rules ask of an account."""
    sessions = Sessions(backend=Backend(endpoint_url=url), environ=ENVIRON)
    feed = Feed(
        name="Feed",
        region="eu-west-1",
        packages=tuple(Package(id=name) for name in names(count)),
        credentials=EnvCredentials(env_prefix="T_"),
    )
    started = time.perf_counter()
    account = Account(feed, sessions)
    for name in names(count):
        account.images(name)
        account.permission("ecr:ListImages", name)
    took = time.perf_counter() - started
    calls = len(sessions.log.drain())
    planned = sum(planned_calls(count, count, IMAGES).values())
    if calls != planned:
        raise SystemExit(f"{calls} calls, {planned} planned")
    return took


def bare(url: str, count: int) -> float:
    """The same calls, with nothing around them."""
    import botocore.session
    from botocore.config import Config

    started = time.perf_counter()
    client = botocore.session.Session().create_client(
        "ecr",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="AKIAEXAMPLEEXAMPLE01",
        aws_secret_access_key="secret",
        config=Config(max_pool_connections=50),
    )
    client.get_authorization_token()
    for start in range(0, count, 100):
        client.describe_repositories(repositoryNames=names(count)[start : start + 100])
    with ThreadPoolExecutor(48) as pool:
        images = [
            pool.submit(client.describe_images, repositoryName=n, maxResults=1000)
            for n in names(count)
        ]
        lists = [
            pool.submit(client.list_images, repositoryName=n, maxResults=1) for n in names(count)
        ]
        for future in (*images, *lists):
            future.result()
    return time.perf_counter() - started


def main(count: int) -> None:
    """Three runs of each side, the median of both, and their ratio."""
    again = [sys.executable, __file__, str(count)]
    with subprocess.Popen(
        [*again, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        took: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(3):
            for side, times in took.items():
                run = subprocess.run(
                    [*again, side, url], capture_output=True, text=True, check=True
                )
                times.append(float(run.stdout))
        server.communicate()
    middle = {side: median(times) for side, times in took.items()}
    for side, seconds in middle.items():
        print(f"{side}: {seconds:.2f} s for {count} packages ({os.cpu_count()} cores)")
    print(f"ratio: {middle['ours'] / middle['bare']:.2f}")


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    match sys.argv[2:]:
        case ["serve"]:
            serve(size)
        case ["bare", address]:
            print(bare(address, size))
        case ["ours", address]:
            print(ours(address, size))
        case _:
            main(size)
