"""A CONNECT proxy on loopback, through which other programs reach the embedded hosts.

Docker and skopeo resolve `ACCOUNT.dkr.ecr.REGION.amazonaws.com` themselves; with `HTTPS_PROXY`
they use this proxy, which connects known names to the embedded server and refuses all others.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import select
import socket
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Final

from ecr_feed.embedded.registry.embedded_registry import Route
from ecr_feed.embedded.registry.tls_server import IDLE, LoopbackServer

_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One CONNECT as asked: `status` is what the proxy said (200, 407 or 502)."""

    target: str
    status: int


class ConnectProxy(LoopbackServer):
    """Tunnels to where `route` says; with `user` and `password` it asks for a login first (407)."""

    def __init__(
        self,
        route: Route,
        *,
        user: str = "",
        password: str = "",
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.route = route
        self._expected = base64.b64encode(f"{user}:{password}".encode()) if user else b""
        self._tunnels: list[Tunnel] = []
        self._tunnels_lock = Lock()
        super().__init__(_Tunnelling, address, port)

    @property
    def tunnels(self) -> tuple[Tunnel, ...]:
        """Every CONNECT so far."""
        with self._tunnels_lock:
            return tuple(self._tunnels)

    def note(self, target: str, status: int) -> None:
        """Records a CONNECT."""
        with self._tunnels_lock:
            self._tunnels.append(Tunnel(target, status))

    def admits(self, authorization: str) -> bool:
        """The login is right, or none is asked for."""
        scheme, _, given = authorization.partition(" ")
        return not self._expected or (
            scheme.lower() == "basic"
            and hmac.compare_digest(given.strip().encode(), self._expected)
        )


class _Tunnelling(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ConnectProxy

    def do_CONNECT(self) -> None:
        """Opens the tunnel and carries bytes until one side ends it."""
        self.close_connection = True
        if not self.server.admits(self.headers.get("Proxy-Authorization", "")):
            self._say(407, {"Proxy-Authenticate": 'Basic realm="proxy"'})
            return
        host, _, port = self.path.rpartition(":")
        target = self.server.route(host.strip("[]"), int(port) if port.isdecimal() else 0)
        if target is None:
            self._say(502)
            return
        with contextlib.suppress(OSError), socket.create_connection(target, IDLE) as other:
            other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.server.hold(other)
            try:
                self._say(200)
                self._carry(other)
            finally:
                self.server.let_go(other)

    def _say(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.server.note(self.path, status)
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 200:
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()

    def _carry(self, other: socket.socket) -> None:
        sides = {self.connection: other, other: self.connection}
        while True:
            ready, _, _ = select.select(tuple(sides), (), (), IDLE)
            if not ready:
                return
            for side in ready:
                data = side.recv(_CHUNK)
                if not data:
                    return
                sides[side].sendall(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: the tunnels are recorded."""
