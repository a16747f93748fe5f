"""HTTP/1.1 over TLS on loopback: one server for every host name, in threads that `close` ends."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock, Thread
from typing import Any, Final

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.embedded.registry.authority import Authority

App = Callable[[WireRequest], WireResponse]
ASK: Final = "X-Embedded-Ask"  # an in-process client's mark on a request
IDLE: Final = 30.0  # seconds that a connection may stay silent
_POLL: Final = 0.01  # seconds until a closing server notices
BODY_LIMIT: Final = 512 * 1024 * 1024  # bytes of one request


class LoopbackServer(ThreadingMixIn, TCPServer):
    """Accepts on a loopback address; tracks connections, so that `close` ends every thread."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.closing = Event()
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((address, port), handler)
        self._thread = Thread(target=self.serve_forever, args=(_POLL,), name="loopback server")
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.socket.getsockname()[1])

    def hold(self, connection: socket.socket) -> None:
        """Track a connection; one that arrives during `close` is shut at once."""
        with self._lock:
            self._open.add(connection)
        if self.closing.is_set():
            _shut(connection)

    def let_go(self, connection: socket.socket) -> None:
        """Stop tracking a connection."""
        with self._lock:
            self._open.discard(connection)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, from its thread's start to its end."""
        self.hold(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.let_go(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; show any other error."""
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ConnectionFault)):
            super().handle_error(request, client_address)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop accepting, end every connection, wait for every thread."""
        self.closing.set()
        self.shutdown()
        with self._lock:
            connections = tuple(self._open)
        for connection in connections:
            _shut(connection)
        self.server_close()
        self._thread.join()


class ToldFaults:
    """Which requests of in-process clients met a network fault, and which kind.

    A client that marks its requests reads the fault's kind here instead of waiting for a timeout.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._lock = Lock()

    def tell(self, ask: str, kind: str) -> bool:
        """Record the kind for the request with this mark; False for a request without a mark."""
        with self._lock:
            if ask:
                self._kinds[ask] = kind
        return bool(ask)

    def take(self, ask: str) -> str:
        """The kind of fault that a request met, "" if none."""
        with self._lock:
            return self._kinds.pop(ask, "")


class TlsServer(LoopbackServer):
    """An `App` behind TLS; the authority issues certificates for the requested names."""

    def __init__(
        self, app: App, authority: Authority, *, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.app = app
        self.authority = authority
        self.faults = ToldFaults()
        self._context = authority.context()
        super().__init__(_TlsHandler, address, port)

    @property
    def ca_file(self) -> Path:
        """The CA certificate that clients must trust."""
        return self.authority.ca_file

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the TLS handshake in the connection's own thread."""
        request.settimeout(IDLE)
        with self._context.wrap_socket(
            request, server_side=True, do_handshake_on_connect=False
        ) as connection:
            self.hold(connection)
            try:
                connection.do_handshake()
                super().finish_request(connection, client_address)
            finally:
                self.let_go(connection)


class _TlsHandler(BaseHTTPRequestHandler):
    """Passes requests to the server's app, and its answers or faults to the client."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one piece, at once: 40 ms less on every answer.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: TlsServer

    def do_GET(self) -> None:
        """Handle a request of any method."""
        try:
            answer = self.server.app(self._request())
        except ConnectionFault as fault:
            self._break(fault)
            return
        self._send(answer)

    do_HEAD = do_GET  # noqa: N815 - the base class's names, here and below
    do_PUT = do_GET  # noqa: N815
    do_POST = do_GET  # noqa: N815
    do_PATCH = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def _request(self) -> WireRequest:
        # Go's clients repeat a header instead of writing a list.
        headers = {name: ", ".join(self.headers.get_all(name, ())) for name in self.headers}
        host = self.headers.get("Host", "localhost")
        return WireRequest.of(self.command, f"https://{host}{self.path}", headers, self._body())

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        return self._exactly(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(1024).partition(b";")[0], 16)
        chunk = self._exactly(size)
        self.rfile.readline(1024)
        return chunk

    def _exactly(self, size: int) -> bytes:
        if not 0 <= size <= BODY_LIMIT:
            raise ConnectionFault("reset")
        return self.rfile.read(size)

    def _send(self, answer: WireResponse) -> None:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        length = int(headers.setdefault("content-length", str(len(answer.body))))
        self.send_response_only(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body)
        self.wfile.flush()
        if self.command != "HEAD" and length != len(
            answer.body
        ):  # announced more than it has: a line that breaks
            self._break(ConnectionFault("reset"))

    def _break(self, fault: ConnectionFault) -> None:
        """No (further) answer: silence until the server closes, or a reset."""
        self.close_connection = True
        told = self.server.faults.tell(self.headers.get(ASK, ""), fault.kind)
        if not told and fault.kind in ("read-timeout", "connect-timeout"):
            self.server.closing.wait()
            return
        abort(self.connection)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: a request line may hold an upload's or a layer's address."""


def abort(connection: socket.socket) -> None:
    """Close a connection so that the client sees a reset: linger time 0."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
