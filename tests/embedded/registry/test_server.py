"""Servers, certificates and the proxy: on loopback only, and gone when closed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from ecr_feed.embedded.core.core import Core
from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import Authority, ConnectProxy, EmbeddedRegistry, TlsServer


def echo(request: WireRequest) -> WireResponse:
    return WireResponse(200, {}, request.host.encode() + b" " + request.body)


def connect(port: int, ca: Path, name: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(ca))
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), 5), server_hostname=name
    )


def exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    return connection.recv(65536)


def test_nothing_is_left_of_a_closed_registry() -> None:
    before = set(threading.enumerate())
    registry = EmbeddedRegistry(Core())
    proxy = registry.proxy(user="me", password="x")
    folder = registry.ca_file.parent
    ports = (registry.port, proxy.port)
    open_ = [socket.create_connection(("127.0.0.1", port), 5) for port in ports]
    registry.close()
    assert set(threading.enumerate()) == before
    assert not folder.exists()
    for connection in open_:
        connection.close()
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), 5)


def test_every_server_has_its_own_port_and_authority() -> None:
    with EmbeddedRegistry(Core()) as one, EmbeddedRegistry(Core()) as other:
        assert one.port != other.port
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(one.port, other.ca_file, "localhost")


def test_servers_listen_on_loopback_only() -> None:
    with EmbeddedRegistry(Core()) as registry:
        proxy = registry.proxy()
        for server in (registry.server, proxy):
            assert server.socket.getsockname()[0] == "127.0.0.1"


def test_each_name_gets_its_certificate() -> None:
    authority = Authority()
    server = TlsServer(echo, authority)
    try:
        for name in ("a.example.com", "localhost", "x" * 60 + ".example.com", "127.0.0.1"):
            with connect(server.port, authority.ca_file, name) as connection:
                request = f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()
                assert exchange(connection, request).endswith(f"{name} ".encode())
    finally:
        server.close()
        authority.close()


def test_expired_certificates_on_demand() -> None:
    authority = Authority(timedelta(minutes=-1))
    server = TlsServer(echo, authority)
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            connect(server.port, authority.ca_file, "localhost")
    finally:
        server.close()
        authority.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;x=1\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
        ),
    ],
)
def test_bodies(request_: bytes) -> None:
    authority = Authority()
    server = TlsServer(echo, authority)
    try:
        with connect(server.port, authority.ca_file, "localhost") as connection:
            for _ in range(2):  # the connection is kept
                assert exchange(connection, request_).endswith(b"h hello")
    finally:
        server.close()
        authority.close()


def test_a_client_that_speaks_no_tls_breaks_nothing() -> None:
    authority = Authority()
    server = TlsServer(echo, authority)
    try:
        with socket.create_connection(("127.0.0.1", server.port), 5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"HTTP" not in plain.recv(100)
        with connect(server.port, authority.ca_file, "localhost") as connection:
            assert b"200" in exchange(connection, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    finally:
        server.close()
        authority.close()


@pytest.mark.parametrize(
    ("login", "status"),
    [
        ("", b"407"),
        ("Basic bWU6eA==", b"502"),
        ("basic bWU6eA==", b"502"),
        ("Basic bWU6eQ==", b"407"),
        ("Bearer bWU6eA==", b"407"),
    ],
)
def test_the_proxy_asks_for_its_login(login: str, status: bytes) -> None:
    proxy = ConnectProxy(lambda host, port: None, user="me", password="x")
    header = f"Proxy-Authorization: {login}\r\n" if login else ""
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), 5) as connection:
            answer = exchange(connection, f"CONNECT a:443 HTTP/1.1\r\n{header}\r\n".encode())
        assert status in answer.partition(b"\r\n")[0]
        assert [tunnel.status for tunnel in proxy.tunnels] == [int(status)]
    finally:
        proxy.close()


def test_the_proxy_never_leaves_this_machine() -> None:
    with EmbeddedRegistry(Core()) as registry:
        proxy = registry.proxy()
        for target in (
            "example.com:443",
            "169.254.169.254:80",
            "[::1]:22",
            "nonsense",
            f"127.0.0.1:{proxy.port}",
        ):
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as connection:
                answer = exchange(connection, f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
            assert b" 502 " in answer.partition(b"\r\n")[0]
