"""The CONNECT proxy of these tests: on loopback only, and gone when closed."""

from __future__ import annotations

import socket
import threading

import pytest

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.registry import EmbeddedRegistry
from tests.support.connect_proxy import ConnectProxy


def exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    return connection.recv(65536)


def test_nothing_is_left_of_a_closed_proxy() -> None:
    before = set(threading.enumerate())
    proxy = ConnectProxy(lambda host, port: None)
    assert proxy.socket.getsockname()[0] == "127.0.0.1"
    port = proxy.port
    with socket.create_connection(("127.0.0.1", port), 5):
        proxy.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


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
    with EmbeddedRegistry(EmbeddedAws()) as registry:
        proxy = ConnectProxy(registry.route)
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
        proxy.close()
