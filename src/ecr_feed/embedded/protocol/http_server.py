"""The account over HTTP, on loopback only, for programs outside this process.

Requests keep the signed Host header, so signatures are valid for any port.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Final

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.embedded.registry.tls_server import LoopbackServer, abort

_LIMIT: Final = 64 * 1024 * 1024  # bytes of one request


class AccountServer(LoopbackServer):
    """Serves the account at `http://127.0.0.1:PORT` until `close`; port 0: any free one."""

    def __init__(self, core: EmbeddedAws, port: int = 0) -> None:
        self.core = core
        super().__init__(_ApiHandler, "127.0.0.1", port)

    @property
    def url(self) -> str:
        """The endpoint URL."""
        return f"http://127.0.0.1:{self.port}"


def serve(core: EmbeddedAws, port: int = 0) -> AccountServer:
    """Start serving the account in its own threads."""
    return AccountServer(core, port)


class _ApiHandler(BaseHTTPRequestHandler):
    """Passes each request of a connection to the embedded AWS."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: 40 ms less on every answer
    disable_nagle_algorithm = True
    server: AccountServer

    def do_POST(self) -> None:
        """Every operation is a POST; the query protocol also accepts GET."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _LIMIT:
            self._break(ConnectionFault("reset"))
            return
        headers = dict(self.headers.items())
        url = f"http://{self.headers.get('Host', '127.0.0.1')}{self.path}"
        wire = WireRequest.of(self.command, url, headers, self.rfile.read(length))
        try:
            self._send(self.server.core.handle(wire))
        except ConnectionFault as fault:
            self._break(fault)

    do_GET = do_POST  # noqa: N815 - the base class's name

    def _send(self, answer: WireResponse) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def _break(self, fault: ConnectionFault) -> None:
        """No answer: silence until the client gives up, or a reset."""
        self.close_connection = True
        if fault.kind.endswith("timeout"):
            self.connection.recv(1)  # returns when the client, or this server, closes
            return
        abort(self.connection)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: a request line or header may hold a secret."""
