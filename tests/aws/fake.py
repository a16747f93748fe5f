"""An AWS of our own for tests: replies by operation, through botocore's door or over HTTP."""

from __future__ import annotations

import io
import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

ACCOUNT = "123456789012"
NOW = 1_793_000_000  # 26 October 2026


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Script = Callable[["ReceivedCall"], Reply]


@dataclass(frozen=True)
class ReceivedCall:
    service: str
    region: str
    operation: str
    parameters: Mapping[str, Any]
    key: str


def ok(body: object, **headers: str) -> Reply:
    return Reply(200, json.dumps(body).encode(), {"x-amzn-requestid": "req-1", **headers})


def fault(code: str, message: str = "", status: int = 400, **headers: str) -> Reply:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Reply(status, body, {"x-amzn-requestid": "req-fault", **headers})


def query_fault(code: str, message: str = "", status: int = 403) -> Reply:
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{message}</Message></Error><RequestId>req-q</RequestId></ErrorResponse>"
    )
    return Reply(status, body.encode(), {"x-amzn-requestid": "req-q"})


def identity(arn: str = f"arn:aws:iam::{ACCOUNT}:user/octopus") -> Reply:
    return Reply(
        200,
        (
            "<GetCallerIdentityResponse><GetCallerIdentityResult>"
            f"<Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{ACCOUNT}</Account>"
            "</GetCallerIdentityResult><ResponseMetadata><RequestId>req-id</RequestId>"
            "</ResponseMetadata></GetCallerIdentityResponse>"
        ).encode(),
    )


def token(region: str = "eu-west-1") -> Reply:
    entry = {
        "authorizationToken": "QVdTOnB3",
        "expiresAt": NOW + 43200,
        "proxyEndpoint": f"https://{ACCOUNT}.dkr.ecr.{region}.amazonaws.com",
    }
    return ok({"authorizationData": [entry]})


def repository(name: str, region: str = "eu-west-1") -> dict[str, object]:
    return {
        "repositoryName": name,
        "repositoryArn": f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}",
        "registryId": ACCOUNT,
        "repositoryUri": f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}",
        "createdAt": NOW - 1000,
    }


def denial(operation: str, resource: str) -> Reply:
    return fault(
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/octopus is not authorized to perform: ecr:{operation}"
        f" on resource: {resource} because no identity-based policy allows the ecr:{operation}"
        " action",
    )


def arn(name: str) -> str:
    return f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/{name}"


@dataclass
class FakeAws:
    """A registry with repositories (name -> number of images), and replies that replace its own.

    `replies` maps an operation, or "operation NAME" for a repository, to a script.
    """

    repositories: dict[str, int] = field(default_factory=dict)
    replies: dict[str, Script] = field(default_factory=dict)
    denied_names: frozenset[str] = frozenset()
    page: int = 1000
    calls: Counter[str] = field(default_factory=Counter)
    seen: list[ReceivedCall] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, asked: ReceivedCall) -> Reply:
        with self.lock:
            self.calls[asked.operation] += 1
            self.seen.append(asked)
        name = asked.parameters.get("repositoryName", "")
        script = self.replies.get(f"{asked.operation} {name}") or self.replies.get(asked.operation)
        if script is not None:
            return script(asked)
        own: Script = getattr(self, f"_{asked.operation}")
        return own(asked)

    def _GetCallerIdentity(self, asked: ReceivedCall) -> Reply:  # noqa: N802 - AWS's name
        return identity()

    def _GetAuthorizationToken(self, asked: ReceivedCall) -> Reply:  # noqa: N802 - AWS's name
        return token(asked.region)

    def _DescribeRepositories(self, asked: ReceivedCall) -> Reply:  # noqa: N802 - AWS's name
        names = asked.parameters.get("repositoryNames")
        if names is None:
            return self._page(
                asked,
                sorted(self.repositories),
                "repositories",
                lambda name: repository(name, asked.region),
            )
        for name in names:
            if name in self.denied_names:
                return denial("DescribeRepositories", arn(name))
        for name in names:
            if name not in self.repositories:
                return fault(
                    "RepositoryNotFoundException",
                    f"The repository with name '{name}' does not exist in the registry with id"
                    f" '{ACCOUNT}'",
                )
        return ok({"repositories": [repository(name, asked.region) for name in names]})

    def _DescribeImages(self, asked: ReceivedCall) -> Reply:  # noqa: N802 - AWS's name
        name = asked.parameters["repositoryName"]
        if name not in self.repositories:
            return fault("RepositoryNotFoundException", f"no '{name}'")
        digests = [f"sha256:{i:064x}" for i in range(self.repositories[name])]
        return self._page(
            asked,
            digests,
            "imageDetails",
            lambda d: {"imageDigest": d, "imageTags": [f"1.{int(d[7:], 16)}"]},
        )

    def _ListImages(self, asked: ReceivedCall) -> Reply:  # noqa: N802 - AWS's name
        name = asked.parameters["repositoryName"]
        if name not in self.repositories:
            return fault("RepositoryNotFoundException", f"no '{name}'")
        return ok({"imageIds": []})

    def _page(
        self, asked: ReceivedCall, rows: list[str], key: str, item: Callable[[str], object]
    ) -> Reply:
        start = int(asked.parameters.get("nextToken", "0"))
        size = min(asked.parameters.get("maxResults", 100), self.page)
        body: dict[str, object] = {key: [item(row) for row in rows[start : start + size]]}
        if start + size < len(rows):
            body["nextToken"] = str(start + size)
        return ok(body)

    def answer(self, request: Any, **_: object) -> Any:
        """The door for `before-send`."""
        from botocore.awsrequest import AWSResponse, HTTPHeaders

        body = request.body or b""
        headers = {k.lower(): _text(v) for k, v in request.headers.items()}
        reply = self.handle(parse(headers, body if isinstance(body, bytes) else body.encode()))
        return AWSResponse(
            request.url,
            reply.status,
            HTTPHeaders.from_pairs(list(reply.headers.items())),
            _Raw(reply.body),
        )


class _Raw(io.BytesIO):
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def parse(headers: Mapping[str, str], body: bytes) -> ReceivedCall:
    scope = re.search(r"Credential=([^/]*)/\d+/([^/]+)/([^/]+)/", headers.get("authorization", ""))
    key, region, service = scope.groups() if scope else ("", "", "")
    target = headers.get("x-amz-target")
    if target:
        return ReceivedCall(
            service, region, target.partition(".")[2], json.loads(body or b"{}"), key
        )
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return ReceivedCall(service, region, form.pop("Action", ""), form, key)


@contextmanager
def served(
    handle: Callable[[BaseHTTPRequestHandler, bytes], None], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A local HTTP server for as long as the block lasts; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            handle(self, body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that went away is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        host = "http://127.0.0.1" if tls is None else "https://localhost"
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def over_http(fake: FakeAws) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        reply = fake.handle(parse(headers, body))
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)

    return handle
