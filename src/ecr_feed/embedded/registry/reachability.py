"""The embedded account's hosts as the reachability prober finds them: real names, on loopback."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ecr_feed.embedded.core.faults import Asked, Faults
from ecr_feed.embedded.core.regions import partition_of
from ecr_feed.embedded.registry.app import is_registry
from ecr_feed.naming import RegistryHost
from ecr_feed.reach.connection import ProxyAddress, ProxyRefusedError, SystemConnector

_API: Final = re.compile(r"(?P<service>api\.ecr|sts)\.(?P<region>[a-z0-9-]+)\..+")
_BUCKET: Final = re.compile(r"prod-(?P<region>[a-z0-9-]+)-starport-layer-bucket\..+")
# Which call stands for a host where faults are looked for.
_STANDS_FOR: Final = {
    "api.ecr": ("ecr", "GetAuthorizationToken"),
    "sts": ("sts", "GetCallerIdentity"),
}


def asked_of(host: str) -> Asked | None:
    """The call whose faults in the network are the host's; None for a host that is not there."""
    if found := _API.fullmatch(host):
        known = partition_of(found["region"])
        return Asked(*_STANDS_FOR[found["service"]], found["region"]) if known else None
    if found := _BUCKET.fullmatch(host):
        return Asked("registry", "layer", found["region"]) if is_registry(host) else None
    if host.startswith("iam."):
        return Asked("iam", "GetUser")
    where = RegistryHost.parse(host)
    return Asked("registry", "ping", where.region) if where.ok else None


def _no_such_name() -> OSError:
    return socket.gaierror(socket.EAI_NONAME, "no such name")


# Where each kind of fault shows, and as what.
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
class EmbeddedWay:
    """Leads every host of the embedded account to its TLS server, and to the faults in force.

    `direct` is a machine's own way, with the embedded authority; `port` the server's.
    """

    direct: SystemConnector
    faults: Faults
    port: int

    def proxy(self, host: str, port: int) -> ProxyAddress | None:
        """None, or a proxy that refuses where a fault says so."""
        if self._fault(host) == "proxy":
            return ProxyAddress("proxy.example.com", 3128)
        return None

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """127.0.0.1 for every host that the account has."""
        if asked_of(host) is None and host != "proxy.example.com":
            raise _no_such_name()
        self._meet(host, _AT_RESOLVE)
        return ("127.0.0.1",)

    def connect(self, host: str, address: str, port: int) -> socket.socket:
        """A connection to the server, whatever the port asked for."""
        self._meet(host, _AT_CONNECT)
        return self.direct.connect(host, address, self.port)

    def tunnel(
        self, connection: socket.socket, proxy: ProxyAddress, host: str, port: int
    ) -> socket.socket:
        """Refused: there is a proxy only where a fault says that it does not let through."""
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
        """The kind of network fault in force for a host; looked at, not counted as used."""
        asked = asked_of(host)
        if asked is None:
            return ""
        found = (fault.connection for fault in self.faults if fault.matches(asked))
        return next((kind for kind in found if kind is not None), "")
