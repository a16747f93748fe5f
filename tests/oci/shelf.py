"""A registry that does what a test tells it, behind TLS, under ECR's host names."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import Authority, TlsServer
from ecr_feed.facts.aws import Secret
from ecr_feed.oci import Network, RegistryClient, RegistrySession, Timeouts, pooled_adapter
from tests.oci.images import Image
from tests.support.connect_proxy import ConnectProxy

ACCOUNT: Final = "123456789012"
HOST: Final = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
STORAGE: Final = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
NAME: Final = "team/app"
PASSWORD: Final = "eyJwYXlsb2FkIjoi-not-a-real-token+/=" * 8  # noqa: S105,RUF100 - made up

Hook = Callable[[WireRequest], WireResponse | None]


def error(code: str, status: int, message: str = "") -> WireResponse:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return WireResponse(status, {"content-type": "application/json"}, body)


@dataclass
class Shelf:
    """Tags and blobs of one repository; `hooks` answer before anything else does."""

    tags: dict[str, Image] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Image] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    seen: list[WireRequest] = field(default_factory=list)

    def put(self, tag: str, image: Image) -> Image:
        """Stores an image under a tag, with all it leads to."""
        self.tags[tag] = image
        self._keep(image)
        return image

    def _keep(self, image: Image) -> None:
        self.manifests[image.digest] = image
        self.blobs |= image.blobs
        for child in image.children:
            self._keep(child)

    def __call__(self, request: WireRequest) -> WireResponse:
        self.seen.append(request)
        for hook in self.hooks:
            answer = hook(request)
            if answer is not None:
                return answer
        if request.host == STORAGE:
            return self._stored(request)
        expected = "Basic " + base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != expected:
            challenge = {"www-authenticate": f'Basic realm="https://{HOST}/",service="ecr"'}
            return WireResponse(401, challenge, b"Not Authorized\n")
        return self._api(request)

    def _api(self, request: WireRequest) -> WireResponse:
        path = urlsplit(request.url).path
        if path == "/v2/":
            return WireResponse(200, {"content-type": "application/json"}, b"{}")
        name, _, rest = path.removeprefix("/v2/").rpartition("/")
        kind = name.rpartition("/")[2]
        if not name.startswith(NAME + "/"):
            return error("NAME_UNKNOWN", 404, "The repository does not exist")
        if kind == "manifests":
            return self._manifest(rest)
        if kind == "blobs":
            where = f"https://{STORAGE}/{rest}?X-Amz-Signature=1"
            return WireResponse(307, {"location": where})
        document = {"name": NAME, "tags": list(self.tags)}
        return WireResponse(
            200, {"content-type": "application/json"}, json.dumps(document).encode()
        )

    def _manifest(self, reference: str) -> WireResponse:
        image = self.tags.get(reference) or self.manifests.get(reference)
        if image is None:
            return error("MANIFEST_UNKNOWN", 404, "Requested image not found")
        headers = {"content-type": image.media_type, "docker-content-digest": image.digest}
        if image.media_type.endswith("prettyjws"):
            del headers["docker-content-digest"]
        return WireResponse(200, headers, image.manifest)

    def _stored(self, request: WireRequest) -> WireResponse:
        if "authorization" in request.headers:
            return WireResponse(400, {}, b"<Error><Code>InvalidArgument</Code></Error>")
        data = self.blobs.get(urlsplit(request.url).path.lstrip("/"))
        if data is None:
            return WireResponse(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
        return WireResponse(200, {}, data)


@dataclass
class Shop:
    """A shelf that is served, and the ways to it."""

    shelf: Shelf
    server: TlsServer
    proxy: ConnectProxy
    ca: Path
    login: str = ""  # of the proxy, as user:password

    @property
    def proxy_url(self) -> str:
        at = f"{self.login}@" if self.login else ""
        return f"http://{at}127.0.0.1:{self.proxy.port}"

    def network(self, *, read: float = 5.0) -> Network:
        """Through the proxy, as skopeo goes."""
        return Network(
            adapter=pooled_adapter(),
            proxy_for=lambda url: self.proxy_url,
            ca=str(self.ca),
            timeouts=Timeouts(5.0, read, 10.0),
            pause=lambda seconds: None,
        )

    def registry(
        self,
        password: str = PASSWORD,
        *,
        read: float = 5.0,
        allowed: Iterable[str] = (NAME,),
        network: Network | None = None,
    ) -> RegistrySession:
        way = network or self.network(read=read)
        secret = Secret(password)
        return RegistrySession(
            RegistryClient(f"https://{HOST}", "AWS", secret, repositories=set(allowed), network=way)
        )


@contextmanager
def shop(
    shelf: Shelf | None = None,
    *,
    life: timedelta = timedelta(days=1),
    trusted: bool = True,
    proxy_login: tuple[str, str] = ("", ""),
) -> Iterator[Shop]:
    """Serves a shelf; `trusted` False hands out another authority's file."""
    served = shelf or Shelf()
    authority, other = Authority(life), Authority()
    server = TlsServer(served, authority)
    user, password = proxy_login
    proxy = ConnectProxy(
        lambda host, port: ("127.0.0.1", server.port) if port == 443 else None,
        user=user,
        password=password,
    )
    try:
        yield Shop(served, server, proxy, (authority if trusted else other).ca_file)
    finally:
        proxy.close()
        server.close()
        authority.close()
        other.close()


def program(name: str, package: str, *, required: bool = True) -> str:
    """The path of a program that the test needs; skipped without it, failed in CI if required."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not installed: apt-get install {package}"
        if required and os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found


def skopeo(
    at: Shop, *arguments: str, home: Path, timeout: str = "10s"
) -> subprocess.CompletedProcess[str]:
    """Runs skopeo with nothing of this machine's but the program, through the proxy."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "HTTPS_PROXY": at.proxy_url,
        "SSL_CERT_FILE": str(at.ca),
        "SSL_CERT_DIR": str(home),
    }
    command = [program("skopeo", "skopeo"), "--command-timeout", timeout, *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
