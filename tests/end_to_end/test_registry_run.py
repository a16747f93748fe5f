"""Login and pull through a whole run: against Debian's registry, and against one that counts."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

import pytest

from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import Authority, TlsServer
from ecr_feed.oci import CONNECTIONS
from tests.end_to_end.plain import KEYS, Plain
from tests.oci.debian import Debian
from tests.oci.images import image
from tests.oci.shelf import NAME, PASSWORD
from tests.support.planned_calls import requests_of
from tests.support.proxy import serving
from tests.support.run import Ran, project_with, run_checks

PULLS: Final = {f"PULL-{number}" for number in range(1, 7)}
DEEP: Final = {"PULL-3", "PULL-4", "PULL-5"}


def table(
    name: str, region: str, packages: object, *, registry: str = "", deep: bool = False
) -> str:
    """One feed of a feeds file."""
    return (
        f'[[feed]]\nname = "{name}"\nregion = "{region}"\npackages = {packages}\n'
        f'credentials = {{ env_prefix = "OCTOPUS_" }}\npulls = true\ndeep = {str(deep).lower()}\n'
        + (f'registry_endpoint = "{registry}"\n' if registry else "")
    )


@contextmanager
def silent() -> Iterator[socket.socket]:
    """A proxy's port that nobody may come to."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        yield proxy
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def run(
    tmp_path: Path,
    feeds: str,
    account: Plain,
    *options: str,
    ca: Path | None = None,
    proxy: int = 0,
) -> Ran:
    (tmp_path / "feeds.toml").write_text(feeds, encoding="utf-8")
    way = f"http://127.0.0.1:{proxy}"
    proxies = {"HTTPS_PROXY": way, "HTTP_PROXY": way, "NO_PROXY": "127.0.0.1,localhost"}
    with serving(account) as endpoint:
        return run_checks(
            tmp_path,
            *("--feeds", str(tmp_path / "feeds.toml"), "--aws-endpoint-url", endpoint, *options),
            env={
                **KEYS,
                **(proxies if proxy else {}),
                **({"REQUESTS_CA_BUNDLE": str(ca)} if ca else {}),
            },
        )


def words(ran: Ran, feed: str) -> dict[str, str]:
    """The outcome of each rule about the feed or its one package."""
    found = [each for each in ran.results["findings"] if each["feed"] == feed]
    return {each["check"]: each["outcome"] for each in found}


def test_debians_registry_is_judged_like_ecr(tmp_path: Path, debian: Debian) -> None:
    index = f'[{{ id = "{NAME}", tag = "index", platform = "linux/amd64" }}]'
    absent = f'[{{ id = "{NAME}", tag = "9.9" }}]'
    other = f'[{{ id = "{NAME}", tag = "index", platform = "linux/s390x" }}]'
    feeds = (
        table("Good", "eu-west-1", index, registry=debian.endpoint, deep=True)
        + table("Absent tag", "eu-west-1", absent, registry=debian.endpoint)
        + table("Other platform", "eu-west-1", other, registry=debian.endpoint, deep=True)
        + table("Wrong password", "eu-west-2", index, registry=debian.endpoint, deep=True)
        + table("No registry", "eu-west-1", index)
    )
    account = Plain(
        (NAME, "other/empty"),
        tags=("1.0", "docker", "index", "large"),
        password=lambda region: PASSWORD if region == "eu-west-1" else PASSWORD[::-1],
        expires=4102444800,
    )
    with silent() as proxy:
        port = proxy.getsockname()[1]
        ran = run(tmp_path, feeds, account, "-n", "2", ca=debian.ca, proxy=port)
    asked = {"LOGIN-1", "LOGIN-2", *PULLS}
    good = words(ran, "Good")
    assert {check: good[check] for check in asked} == dict.fromkeys(asked, "met"), ran.text
    absent_words = words(ran, "Absent tag")
    assert absent_words["PULL-1"] == "not met"
    assert {absent_words[check] for check in DEEP} == {"not applicable"}
    platform = words(ran, "Other platform")
    assert platform["PULL-3"] == "not met"
    assert platform["PULL-1"] == platform["PULL-4"] == "met"
    wrong = words(ran, "Wrong password")
    assert wrong["LOGIN-1"] == "not met"
    assert wrong["LOGIN-2"] == "met"
    assert {wrong[check] for check in PULLS} == {"not assessed"}
    nothing = words(ran, "No registry")
    hosts = {check for check in nothing if check.startswith("REACH")}
    assert {nothing[check] for check in asked | hosts} == {"not applicable"}
    assert hosts
    for content in (ran.text, *(p.read_text(encoding="utf-8") for p in ran.report.iterdir())):
        assert PASSWORD not in content
        assert PASSWORD[::-1] not in content


@dataclass
class Shelves:
    """A registry of many repositories with the same image, or its storage.

    `most` is how many requests were under way at the same time. (Connections would be counted
    late: a server learns after its client that one is closed.)
    """

    storage: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    most: int = 0
    _now: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, request: WireRequest) -> WireResponse:
        path = re.sub(r"^https://[^/]*", "", request.url)
        with self._lock:
            self.asked.append((request.method, path))
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._answer(request, path)
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, request: WireRequest, path: str) -> WireResponse:
        made = image()
        if path.startswith("/layers/"):
            assert "authorization" not in request.headers
            return WireResponse(200, {}, made.blobs[path.removeprefix("/layers/")])
        if "authorization" not in request.headers or request.headers["authorization"] != LOGIN:
            return WireResponse(401, {"www-authenticate": 'Basic realm="r",service="ecr"'}, b"")
        if path == "/v2/":
            return WireResponse(200, {}, b"{}")
        name, kind, rest = re.fullmatch(r"/v2/(.+)/(tags|manifests|blobs)/(.*)", path).groups()  # type: ignore[union-attr] # anything else is not asked for
        if kind == "tags":
            return WireResponse(200, {}, json.dumps({"name": name, "tags": ["1.0"]}).encode())
        if kind == "blobs":
            return WireResponse(307, {"location": f"{self.storage}/layers/{rest}"})
        headers = {"content-type": made.media_type, "docker-content-digest": made.digest}
        return WireResponse(200, headers, made.manifest)


LOGIN: Final = "Basic QVdTOmEgcGFzc3dvcmQgb2YgdGhlIHJlZ2lzdHJ5"


@dataclass
class Shop:
    """The registry and its storage, each on its own port."""

    registry: Shelves
    storage: Shelves
    doors: tuple[TlsServer, TlsServer]
    ca: Path

    @property
    def endpoint(self) -> str:
        return f"https://localhost:{self.doors[0].port}"


@pytest.fixture
def shop() -> Iterator[Shop]:
    authority = Authority()
    registry, storage = Shelves(), Shelves()
    doors = TlsServer(registry, authority), TlsServer(storage, authority)
    registry.storage = f"https://localhost:{doors[1].port}"
    try:
        yield Shop(registry, storage, doors, authority.ca_file)
    finally:
        for door in doors:
            door.close()
        authority.close()


def test_200_packages_at_a_stated_cost(tmp_path: Path, shop: Shop) -> None:
    names = [f"team/app-{number:03}" for number in range(200)]
    feeds = table("Many", "eu-west-1", json.dumps(names), registry=shop.endpoint, deep=True)
    account = Plain((*names, "other/empty"), expires=4102444800)
    ran = run(tmp_path, feeds, account, "-m", "login or pull", ca=shop.ca)
    assert ran.status == 0, ran.text
    assert ran.checks("met") == {"LOGIN-1", "LOGIN-2", *PULLS} - {"PULL-3"}  # no platform named
    assert len(ran.findings("met")) == 2 + (len(PULLS) - 1) * len(names)
    asked = Counter([*shop.registry.asked, *shop.storage.asked])
    assert asked.pop(("GET", "/v2/")) == 3
    for name in names:
        mine = [each for each in asked if each[1].startswith(f"/v2/{name}/")]
        assert {asked[each] for each in mine} == {1}
    assert asked.total() == len(names) * requests_of(deep=True, layers=1)
    for shelves in (shop.registry, shop.storage):
        assert 1 < shelves.most <= CONNECTIONS


@pytest.mark.parametrize("deep", [False, True])
def test_nothing_else_is_touched(tmp_path: Path, shop: Shop, deep: bool) -> None:
    names = ["team/app", "team/missing", "Team/Illegal", "other/empty"]
    feeds = table("Pulls", "eu-west-1", json.dumps(names), registry=shop.endpoint) + table(
        "Other", "eu-west-2", '["team/app"]', registry=shop.endpoint
    ).replace("pulls = true", "pulls = false")
    account = Plain(("team/app", "other/unnamed", "other/empty"), expires=4102444800)
    ran = run(tmp_path, feeds, account, *(["--deep"] if deep else []), ca=shop.ca)
    made = image()
    config, layer = json.loads(made.manifest)["config"]["digest"], made.layer
    expected = Counter(
        {
            # Two feeds have team/app; that nobody pulls with one of them spares it nothing.
            ("GET", "/v2/"): 6,
            ("GET", "/v2/team/app/tags/list?n=1000"): 2,
            ("HEAD", "/v2/team/app/manifests/1.0"): 2,
            # The account says that it is empty: both lists are read twice.
            ("GET", "/v2/other/empty/tags/list?n=1000"): 2,
        }
    )
    if deep:
        expected.update(
            {
                ("GET", f"/v2/team/app/manifests/{made.digest}"): 2,
                ("GET", f"/v2/team/app/blobs/{config}"): 2,
                ("GET", f"/v2/team/app/blobs/{layer}"): 2,
                ("GET", f"/layers/{config}"): 2,
                ("GET", f"/layers/{layer}"): 2,
            }
        )
    assert Counter([*shop.registry.asked, *shop.storage.asked]) == expected, ran.text
    told = ran.finding("PULL-1", "team/app", "Pulls")["evidence"]["touched"]
    about = [each for each in expected if each[1].startswith("/v2/team/app/")]
    assert sorted(line.partition(" ")[0] for line in told) == sorted(each[0] for each in about)
    for package in ("team/missing", "Team/Illegal"):
        finding = ran.finding("PULL-1", package, "Pulls")
        assert finding["outcome"] == "not applicable"
        assert "touched" not in finding["evidence"]


CACHED: Final = """
[[user]]
name = "octopus-feed"
keys = [{ label = "feed" }]
policies.feed = { allow = "ecr:*" }

[[repository]]
name = "team/app"
images = [{ tags = ["1.0"] }]

[[repository]]
name = "hub/library/nginx"
images = [{ tags = ["1.0"] }]

[[cache_rule]]
prefix = "hub"
upstream = "registry-1.docker.io"

[[feed]]
name = "Production"
region = "eu-west-1"
packages = ["team/app", "hub/library/nginx", "hub/library/absent"]
credentials = { key = "feed" }
pulls = true
deep = true
"""


def test_what_a_cache_rule_serves_is_never_asked_for(tmp_path: Path) -> None:
    project = project_with(tmp_path, accounts={"cached": CACHED})
    ran = run_checks(tmp_path, "--demo", "cached", "-m", "login or pull", root=project)
    for package in ("hub/library/nginx", "hub/library/absent"):
        for check in PULLS:
            finding = ran.finding(check, package)
            assert finding["outcome"] == "not applicable"
            assert "touched" not in finding["evidence"]
    assert "pull-through cache rule" in ran.finding("PULL-1", "hub/library/nginx")["message"]
    assert ran.finding("PULL-5", "team/app")["outcome"] == "met"
    text = json.dumps([each["evidence"] for each in ran.results["findings"]])
    assert "/v2/team/app/" in text
    assert "/v2/hub" not in text
