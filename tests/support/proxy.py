"""A small HTTP server in front of another that answers some calls itself: faults on real wires."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Asked:
    """One request: the operation (a target header, or the query protocol's Action), the body."""

    operation: str
    region: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """The JSON body."""
        parsed: dict[str, object] = json.loads(self.body or b"{}")
        return parsed


@dataclass(frozen=True)
class Reply:
    """What to answer instead; `cut` closes the connection after that many bytes of the body."""

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.1"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


def ecr_error(code: str, message: str, status: int = 400) -> Reply:
    """An error as ECR's JSON protocol writes it."""
    return Reply(status, json.dumps({"__type": code, "message": message}).encode())


def query_error(code: str, message: str, status: int = 403) -> Reply:
    """An error as IAM's and STS's query protocol writes it."""
    text = (
        "<ErrorResponse><Error><Type>Sender</Type>"
        f"<Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>"
    )
    return Reply(status, text.encode(), content_type="text/xml")


Answer = Callable[[Asked], Reply | None]


@contextmanager
def serving(answer: Answer, upstream: str | None = None) -> Iterator[str]:
    """The address of a server that asks `answer` first and forwards what that leaves alone."""
    target = urlsplit(upstream) if upstream else None

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = answer(_asked(self.headers, body))
            if reply is None:
                reply = self._forwarded(body)
            self._send(reply)

        do_GET = do_POST  # noqa: N815 - the base class names it

        def _forwarded(self, body: bytes) -> Reply:
            if target is None or target.hostname is None:
                return Reply(500, b"no upstream", "text/plain")
            connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != "connection"
            }
            connection.request(self.command, self.path, body, headers)
            answered = connection.getresponse()
            reply = Reply(
                answered.status,
                answered.read(),
                answered.headers.get("Content-Type", "application/x-amz-json-1.1"),
            )
            connection.close()
            return reply

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("x-amzn-RequestId", "11111111-2222-3333-4444-555555555555")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _asked(headers: Message, body: bytes) -> Asked:
    target = headers.get("X-Amz-Target", "")
    operation = target.rpartition(".")[2]
    if not operation and b"Action=" in body:
        operation = body.split(b"Action=")[1].split(b"&")[0].decode()
    scope = headers.get("Authorization", "").partition("Credential=")[2].split("/")
    return Asked(operation, scope[2] if len(scope) > 2 else "", body, dict(headers.items()))
