"""An adapter of `requests` that reaches the embedded server under the real host names."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from ecr_feed.embedded.registry.proxy import Route
from ecr_feed.embedded.registry.server import ASK, ToldFaults

# A fault's kind -> what `requests` raises for the real thing.
_FAULTS: Final[Mapping[str, Callable[[str], requests.RequestException]]] = {
    "dns": lambda host: requests.ConnectionError(socket.gaierror(socket.EAI_NONAME, host)),
    "refused": lambda host: requests.ConnectionError(ConnectionRefusedError(host)),
    "connect-timeout": requests.ConnectTimeout,
    "read-timeout": requests.ReadTimeout,
    "reset": lambda host: requests.ConnectionError(ConnectionResetError(host)),
    "tls": requests.exceptions.SSLError,
    "proxy": requests.exceptions.ProxyError,
}


class LoopbackAdapter(HTTPAdapter):
    """Dials where `route` says, and checks the certificate against the name in the address.

    A name without a route is answered like one that DNS does not know: nothing leaves this machine.
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
        """The Host header keeps the real name, whatever is dialled."""
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
        raise _FAULTS[kind](parts.netloc)

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
            raise _FAULTS["dns"](host)
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
