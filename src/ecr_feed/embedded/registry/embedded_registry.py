"""The registry as one object to start and to close: server, certificates, our clients' networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import pulls
from ecr_feed.embedded.registry.app import AccountView, Handler, RegistryApp, is_registry
from ecr_feed.embedded.registry.authority import Authority
from ecr_feed.embedded.registry.loopback import EmbeddedWay, LoopbackAdapter, operation_of
from ecr_feed.embedded.registry.tls_server import TlsServer
from ecr_feed.oci.network import Network, Timeouts
from ecr_feed.reach import SystemWay

PULLS: Final[Mapping[str, Handler]] = {
    "ping": pulls.ping,
    "catalog": pulls.catalog,
    "tags": pulls.tags,
    "manifest": pulls.manifest,
    "blob": pulls.blob,
}


class EmbeddedRegistry:
    """Serves the account's registries over TLS on 127.0.0.1 until `close`; a context manager.

    The API's hosts (ECR, STS, IAM) are served too. `network()` and `way()` let our own clients use
    the real host names. `handlers` answer the registry's operations; by default pulls alone.
    """

    def __init__(self, core: EmbeddedAws, handlers: Mapping[str, Handler] = PULLS) -> None:
        self._authority = Authority()
        self._core = core
        self._registries = RegistryApp(AccountView(core), handlers, pulls.storage)
        self.server = TlsServer(self._answer, self._authority)

    @property
    def port(self) -> int:
        """The TLS server's port on 127.0.0.1."""
        return self.server.port

    @property
    def ca_file(self) -> Path:
        """The CA certificate that clients must trust."""
        return self._authority.ca_file

    def network(self, timeouts: Timeouts | None = None) -> Network:
        """The network for our registry client: loopback only, this registry's authority."""
        return Network(
            adapter=LoopbackAdapter(self.route, self.server.faults),
            proxy_for=_no_proxy,
            ca=str(self.ca_file),
            timeouts=timeouts or Timeouts(),
        )

    def way(self) -> EmbeddedWay:
        """The connections of the reachability prober: to this server, with the account's faults."""
        direct = SystemWay(ca=str(self.ca_file), proxy_for=_no_proxy)
        return EmbeddedWay(direct, self._core.faults, self.port)

    def close(self) -> None:
        """End every server and thread, and remove the certificates."""
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
        """Registries and layer storage are answered here, the API's hosts by the embedded AWS."""
        if is_registry(request.host.strip("[]")):
            return self._registries(request)
        return self._core.handle(request)

    def route(self, host: str, port: int) -> tuple[str, int] | None:
        """The address that serves a host and port; None for one that is not the account's."""
        served = port == 443 and operation_of(host) is not None
        return ("127.0.0.1", self.port) if served else None


def _no_proxy(url: str) -> None:
    """No proxy: embedded hosts are on this machine."""
