"""The registry as one object to start and close, and how our own clients connect to it.

Clients use the real host names: `LoopbackAdapter` serves the registry client, `EmbeddedConnector`
the reachability prober. Both connect to loopback alone.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.faults import CalledOperation, Faults
from ecr_feed.embedded.protocol.botocore_data import known_partition
from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import pulls
from ecr_feed.embedded.registry.app import Handler, RegistryApp, is_registry
from ecr_feed.embedded.registry.authority import Authority
from ecr_feed.embedded.registry.tls_server import ASK, TlsServer, ToldFaults
from ecr_feed.naming import RegistryHost
from ecr_feed.oci.network import Network, Timeouts
from ecr_feed.reach.connection import ProxyAddress, ProxyRefusedError, SystemConnector

PULLS: Final[Mapping[str, Handler]] = {
    "ping": pulls.ping,
    "catalog": pulls.catalog,
    "tags": pulls.tags,
    "manifest": pulls.manifest,
    "blob": pulls.blob,
}


class EmbeddedRegistry(AbstractContextManager["EmbeddedRegistry"]):
    """Serves the account's registries over TLS on 127.0.0.1 until `close`; a context manager.

    The API's hosts (ECR, STS, IAM) are served too. `network()` and `way()` let our own clients use
    the real host names. `handlers` answer the registry's operations; by default pulls alone.
    """

    def __init__(self, core: EmbeddedAws, handlers: Mapping[str, Handler] = PULLS) -> None:
        self._authority = Authority()
        self._core = core
        self._registries = RegistryApp(core, handlers, pulls.storage)
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

    def way(self) -> EmbeddedConnector:
        """The connections of the reachability prober: to this server, with the account's faults."""
        direct = SystemConnector(ca=str(self.ca_file), proxy_for=_no_proxy)
        return EmbeddedConnector(direct, self._core.faults, self.port)

    def close(self) -> None:
        """End every server and thread, and remove the certificates."""
        self.server.close()
        self._authority.close()

    def __exit__(self, *_: object) -> None:
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


Route = Callable[[str, int], tuple[str, int] | None]
"""From a host and port to the address that serves it; None for one that nothing serves."""

_API: Final = re.compile(r"(?P<service>api\.ecr|sts)\.(?P<region>[a-z0-9-]+)\..+")
_BUCKET: Final = re.compile(r"prod-(?P<region>[a-z0-9-]+)-starport-layer-bucket\..+")
# The operation whose faults apply to a host.
_STANDS_FOR: Final = {
    "api.ecr": ("ecr", "GetAuthorizationToken"),
    "sts": ("sts", "GetCallerIdentity"),
}


def operation_of(host: str) -> CalledOperation | None:
    """The operation whose network faults apply to a host; None for a host that does not exist."""
    if found := _API.fullmatch(host):
        known = known_partition(found["region"])
        return CalledOperation(*_STANDS_FOR[found["service"]], found["region"]) if known else None
    if found := _BUCKET.fullmatch(host):
        return CalledOperation("registry", "layer", found["region"]) if is_registry(host) else None
    if host.startswith("iam."):
        return CalledOperation("iam", "GetUser")
    where = RegistryHost.parse(host)
    return CalledOperation("registry", "ping", where.region) if where.ok else None


def _no_such_name() -> OSError:
    return socket.gaierror(socket.EAI_NONAME, "no such name")


# The step at which each kind of fault occurs, and the error there.
_AT_RESOLVE: Final[Mapping[str, Callable[[], OSError]]] = {"dns": _no_such_name}
_AT_CONNECT: Final[Mapping[str, Callable[[], OSError]]] = {
    "refused": ConnectionRefusedError,
    "connect-timeout": TimeoutError,
}
_AT_HANDSHAKE: Final[Mapping[str, Callable[[], OSError]]] = {
    "reset": ConnectionResetError,
    "read-timeout": TimeoutError,
    "tls": ssl.SSLError,
}


@dataclass(frozen=True)
class EmbeddedConnector:
    """Connects every host of the embedded account to its TLS server; configured faults apply.

    `direct` makes the connections and trusts the embedded authority; `port` is the server's.
    """

    direct: SystemConnector
    faults: Faults
    port: int

    def proxy(self, host: str, port: int) -> ProxyAddress | None:
        """None, or with a proxy fault a proxy that refuses."""
        if self._fault(host) == "proxy":
            return ProxyAddress("proxy.example.com", 3128)
        return None

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """127.0.0.1 for every host of the account."""
        if operation_of(host) is None and host != "proxy.example.com":
            raise _no_such_name()
        self._meet(host, _AT_RESOLVE)
        return ("127.0.0.1",)

    def connect(self, host: str, address: str, port: int) -> socket.socket:
        """A connection to the server, whatever the requested port."""
        self._meet(host, _AT_CONNECT)
        return self.direct.connect(host, address, self.port)

    def tunnel(
        self, connection: socket.socket, proxy: ProxyAddress, host: str, port: int
    ) -> socket.socket:
        """Always refused: a proxy exists only for a proxy fault."""
        raise ProxyRefusedError("the proxy requires a login", "407")

    def handshake(self, connection: socket.socket, host: str) -> str:
        """The embedded authority's certificate for the host."""
        self._meet(host, _AT_HANDSHAKE)
        return self.direct.handshake(connection, host)

    def _meet(self, host: str, kinds: Mapping[str, Callable[[], OSError]]) -> None:
        kind = self._fault(host)
        if kind in kinds:
            raise kinds[kind]()

    def _fault(self, host: str) -> str:
        """The kind of network fault that applies to a host; it is not counted as used."""
        operation = operation_of(host)
        if operation is None:
            return ""
        found = (fault.connection for fault in self.faults if fault.matches(operation))
        return next((kind for kind in found if kind is not None), "")


# A fault's kind -> what `requests` raises for the real thing.
_REQUESTS_ERRORS: Final[Mapping[str, Callable[[str], requests.RequestException]]] = {
    "dns": lambda host: requests.ConnectionError(socket.gaierror(socket.EAI_NONAME, host)),
    "refused": lambda host: requests.ConnectionError(ConnectionRefusedError(host)),
    "connect-timeout": requests.ConnectTimeout,
    "read-timeout": requests.ReadTimeout,
    "reset": lambda host: requests.ConnectionError(ConnectionResetError(host)),
    "tls": requests.exceptions.SSLError,
    "proxy": requests.exceptions.ProxyError,
}


class LoopbackAdapter(HTTPAdapter):
    """An adapter of `requests` that connects where `route` says, under the real host name.

    The certificate is checked against the real name. A name without a route fails as a name that
    DNS does not know: nothing leaves this machine.
    """

    def __init__(self, route: Route, told: ToldFaults, connections: int = 8) -> None:
        self._route = route
        self._told = told
        super().__init__(
            pool_connections=8, pool_maxsize=connections, pool_block=True, max_retries=0
        )

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send with the real name in the Host header; a fault raises what `requests` would."""
        parts = urlsplit(str(request.url))
        ask = uuid4().hex
        request.headers["Host"] = parts.netloc
        request.headers[ASK] = ask
        try:
            return super().send(request, *args, **kwargs)
        except requests.RequestException:
            kind = self._told.take(ask)
            if not kind:
                raise
        raise _REQUESTS_ERRORS[kind](parts.netloc)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> HTTPConnectionPool:
        """A pool for the routed address under the real name; proxies are not used."""
        parts = urlsplit(str(request.url))
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = self._route(host, port)
        if address is None:
            raise _REQUESTS_ERRORS["dns"](host)
        host_params, pool_kwargs = self.build_connection_pool_key_attributes(
            request, True if verify is None else verify, cert
        )
        named = {"server_hostname": host, "assert_hostname": host}
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(
            address[0],
            port=address[1],
            scheme=host_params["scheme"],
            pool_kwargs={**pool_kwargs, **(named if parts.scheme == "https" else {})},
        )
        return pool
