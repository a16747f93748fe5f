"""Connections of the prober: DNS, TCP, a proxy's tunnel and TLS."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from ecr_feed.oci.network import Timeouts, ca_bundle, environment_proxy

_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")
_HEAD_LIMIT: Final = 16 * 1024  # bytes of a proxy's response


class ProxyRefusedError(Exception):
    """The proxy responded and opened no tunnel. `code` is its HTTP status."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """A proxy; `login` is the value for Proxy-Authorization, which `repr` does not show."""

    host: str
    port: int
    tls: bool = False
    login: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """Host and port, without the login."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> ProxyAddress:
        """Parse a value of HTTPS_PROXY; raises ValueError, without the login, if it is invalid."""
        text = url if "://" in url else f"http://{url}"
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise ValueError("the proxy's address cannot be read") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"a proxy of kind {parts.scheme!r} is not supported")
        login = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            login = base64.b64encode(pair.encode()).decode()
        usual = 443 if parts.scheme == "https" else 80
        return cls(parts.hostname, port or usual, parts.scheme == "https", login)


class Connector(Protocol):
    """What the prober needs. Methods raise OSErrors, as the socket module does."""

    def proxy(self, host: str, port: int) -> ProxyAddress | None:
        """The proxy for a host, None without one; ValueError for an invalid proxy address."""

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a name, in the order to try."""

    def connect(self, host: str, address: str, port: int) -> socket.socket:
        """A connection to an address of a host."""

    def tunnel(
        self, connection: socket.socket, proxy: ProxyAddress, host: str, port: int
    ) -> socket.socket:
        """A tunnel to a host through a proxy; raises `ProxyRefusedError`."""

    def handshake(self, connection: socket.socket, host: str) -> str:
        """Verify the host's certificate; returns its issuer."""


Lookup = Callable[[str, int], tuple[str, ...]]


def system_lookup(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a name, from the machine's resolver, in its order."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


@dataclass(frozen=True)
class SystemConnector:
    """Uses the machine's network. DNS, connections and handshakes end within their timeouts."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    ca: str = field(default_factory=ca_bundle)
    proxy_for: Callable[[str], str | None] = environment_proxy
    lookup: Lookup = system_lookup

    def proxy(self, host: str, port: int) -> ProxyAddress | None:
        """The proxy that HTTPS_PROXY and NO_PROXY give for the host."""
        shown = f"[{host}]" if ":" in host else host
        url = self.proxy_for(f"https://{shown}:{port}/")
        return None if url is None else ProxyAddress.parse(url)

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a name, looked up in a thread, since the resolver has no timeout."""
        found: list[tuple[str, ...] | OSError] = []

        def ask() -> None:
            try:
                found.append(self.lookup(host, port))
            except OSError as error:
                found.append(error)
            except UnicodeError:  # a label that DNS cannot hold
                found.append(socket.gaierror(socket.EAI_NONAME, "no such name"))

        thread = Thread(target=ask, daemon=True, name="resolver")
        thread.start()
        thread.join(self.timeouts.connect)
        if not found:
            raise TimeoutError("no answer from the name servers")
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]

    def connect(self, host: str, address: str, port: int) -> socket.socket:
        """A TCP connection, also to IPv6 addresses."""
        connection = socket.create_connection((address, port), self.timeouts.connect)
        connection.settimeout(self.timeouts.read)
        return connection

    def tunnel(
        self, connection: socket.socket, proxy: ProxyAddress, host: str, port: int
    ) -> socket.socket:
        """Open a tunnel by CONNECT, over TLS if the proxy's address is https."""
        if proxy.tls:
            connection = self._context().wrap_socket(connection, server_hostname=proxy.host)
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        login = f"Proxy-Authorization: Basic {proxy.login}\r\n" if proxy.login else ""
        connection.sendall(
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode("ascii")
        )
        status = _status(connection)
        if status == "407":
            raise ProxyRefusedError("the proxy requires a login", status)
        if not status.startswith("2"):
            raise ProxyRefusedError(f"the proxy does not connect to {target}", status)
        return connection

    def handshake(self, connection: socket.socket, host: str) -> str:
        """Make a TLS handshake, also inside a proxy's TLS; returns the certificate's issuer."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context().wrap_bio(incoming, outgoing, server_hostname=host)
        done = False
        while not done:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            finally:  # an alert has to be sent before its error is raised
                if outgoing.pending:
                    connection.sendall(outgoing.read())
            if not done:
                data = connection.recv(64 * 1024)
                incoming.write(data) if data else incoming.write_eof()
        return _issuer(tls.getpeercert() or {})

    def _context(self) -> ssl.SSLContext:
        path = Path(self.ca)
        if not path.exists():
            raise OSError("the TLS CA certificate bundle does not exist")
        folder = path.is_dir()
        return ssl.create_default_context(
            cafile=None if folder else self.ca, capath=self.ca if folder else None
        )


def _status(connection: socket.socket) -> str:
    """The HTTP status of a proxy's response, which is read to the end of its headers."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("the proxy closed the connection")
        head += byte
        if len(head) > _HEAD_LIMIT:
            raise ValueError("the headers of the proxy's response are too long")
    found = _STATUS.match(head)
    if found is None:
        raise ValueError("the proxy's response is not HTTP")
    return found[1].decode()


def _issuer(certificate: Mapping[str, Any]) -> str:
    """The issuer of a certificate: organisation and common name."""
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    parts = (names.get("organizationName"), names.get("commonName"))
    return ", ".join(str(part) for part in parts if part)
