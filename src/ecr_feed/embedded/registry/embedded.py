"""The registry as one thing to start and to close: server, certificates, adapter, proxy."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final

from ecr_feed.embedded.core.core import Core
from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import pulls, pushes
from ecr_feed.embedded.registry.account_view import CoreState
from ecr_feed.embedded.registry.app import Handler, RegistryApp, is_registry
from ecr_feed.embedded.registry.authority import Authority
from ecr_feed.embedded.registry.loopback_adapter import LoopbackAdapter
from ecr_feed.embedded.registry.proxy import ConnectProxy
from ecr_feed.embedded.registry.reachability import EmbeddedWay, asked_of
from ecr_feed.embedded.registry.server import TlsServer
from ecr_feed.oci.network import Network, Timeouts
from ecr_feed.reach import SystemConnector

HANDLERS: Final[dict[str, Handler]] = {
    "ping": pulls.ping,
    "catalog": pulls.catalog,
    "tags": pulls.tags,
    "manifest": pushes.manifest,
    "blob": pulls.blob,
    "upload": pushes.upload,
}


class EmbeddedRegistry:
    """Serves the core's registries over TLS on 127.0.0.1 until `close`; a context manager.

    The API's hosts (ECR, STS, IAM) lead to the core, so that a program that knows nothing but a
    proxy has the whole account.

    In process, `network()` gives our own client the real host names. Programs of others reach them
    through `proxy()`: HTTPS_PROXY is its address, SSL_CERT_FILE the `ca_file`.
    """

    def __init__(self, core: Core) -> None:
        self._authority = Authority()
        self._core = core
        self._registries = RegistryApp(CoreState(core), HANDLERS, pulls.storage)
        self.server = TlsServer(self._answer, self._authority)
        self._proxies: list[ConnectProxy] = []

    @property
    def port(self) -> int:
        """The TLS server's port on 127.0.0.1."""
        return self.server.port

    @property
    def ca_file(self) -> Path:
        """What clients have to trust."""
        return self._authority.ca_file

    def network(self, timeouts: Timeouts | None = None) -> Network:
        """The way for our own client; no proxy, no certificate of the machine's, no network."""
        return Network(
            adapter=LoopbackAdapter(self._route, self.server.faults),
            proxy_for=_no_proxy,
            ca=str(self.ca_file),
            timeouts=timeouts or Timeouts(),
        )

    def way(self) -> EmbeddedWay:
        """The way for the reachability prober: real names, this server, the core's faults."""
        direct = SystemConnector(ca=str(self.ca_file), proxy_for=_no_proxy)
        return EmbeddedWay(direct, self._core.faults, self.port)

    def proxy(self, *, user: str = "", password: str = "") -> ConnectProxy:
        """A CONNECT proxy that leads to this registry, and is closed with it."""
        started = ConnectProxy(self._route, user=user, password=password)
        self._proxies.append(started)
        return started

    def close(self) -> None:
        """Ends every server and thread, and removes the certificates."""
        for proxy in self._proxies:
            proxy.close()
        self.server.close()
        self._authority.close()

    def __enter__(self) -> EmbeddedRegistry:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self, request: WireRequest) -> WireResponse:
        """Registries and layer storage here; the API's own hosts by the core."""
        if is_registry(request.host.strip("[]")):
            return self._registries(request)
        return self._core.handle(request)

    def _route(self, host: str, port: int) -> tuple[str, int] | None:
        served = port == 443 and asked_of(host) is not None
        return ("127.0.0.1", self.port) if served else None


def _no_proxy(url: str) -> None:
    """Embedded hosts are on this machine."""
