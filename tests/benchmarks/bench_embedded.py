"""By hand: `python tests/benchmarks/bench_embedded.py`. Aims: ready in 2 s, 10,000 made in 30 s."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecr_feed.embedded.seeding.account_file import from_tables, load
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed import core_for, fill

ROOT = Path(__file__).parents[2]
_READY = (
    "from pathlib import Path; from ecr_feed.embedded.seeding.account_file import load; "
    "from ecr_feed.embedded.seeding.seed import core_for, fill; "
    "file = load(Path('fixtures/accounts/healthy.toml')); fill(core_for(file), file)"
)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a block took."""
    start = time.perf_counter()
    yield
    print(f"{what:<58}{time.perf_counter() - start:8.2f} s")  # noqa: T201 - a program for people


def calls(what: str, call: Callable[[], object], times: int = 1000) -> None:
    """Print milliseconds a call."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    spent = (time.perf_counter() - start) / times * 1000
    print(f"{what:<58}{spent:8.2f} ms")  # noqa: T201 - a program for people


def main() -> None:
    """All figures."""
    with timed("a process that imports and fills the healthy account"):
        subprocess.run([sys.executable, "-c", _READY], cwd=ROOT, check=True)
    file = from_tables({"repository": [{"name": "many/r{n}", "count": 10_000}]}, "many")
    core = core_for(file)
    with timed("10,000 repositories seeded"):
        fill(core, file)
    pages = Owner(core).client("ecr", file.region, file.account)
    with timed("and listed, 1,000 a page"):
        paginator = pages.get_paginator("describe_repositories")
        list(paginator.paginate(PaginationConfig={"PageSize": 1000}))
    healthy = load(ROOT / "fixtures" / "accounts" / "healthy.toml")
    core = core_for(healthy)
    key = fill(core, healthy).keys["feed"]
    signer = (key.access_key_id, key.secret.reveal(), None)
    feed = Owner(core).as_key("ecr", healthy.region, signer)
    calls("ListImages of a user, enforced", lambda: feed.list_images(repositoryName="team/app"))
    calls("GetAuthorizationToken", feed.get_authorization_token)


if __name__ == "__main__":
    main()
