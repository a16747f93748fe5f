"""Servers and certificates: on loopback only, and gone when closed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.embedded.registry import Authority, EmbeddedRegistry, TlsServer


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
    registry = EmbeddedRegistry(EmbeddedAws())
    folder, port = registry.ca_file.parent, registry.port
    open_ = socket.create_connection(("127.0.0.1", registry.port), 5)
    registry.close()
    assert set(threading.enumerate()) == before
    assert not folder.exists()
    open_.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


def test_every_server_has_its_own_port_and_authority() -> None:
    with EmbeddedRegistry(EmbeddedAws()) as one, EmbeddedRegistry(EmbeddedAws()) as other:
        assert one.port != other.port
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(one.port, other.ca_file, "localhost")


def test_servers_listen_on_loopback_only() -> None:
    with EmbeddedRegistry(EmbeddedAws()) as registry:
        assert registry.server.socket.getsockname()[0] == "127.0.0.1"


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
