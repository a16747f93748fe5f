"""The prober on real sockets of this machine: each stage fails by its own name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import pytest

from ecr_feed.embedded.registry import Authority, TlsServer
from ecr_feed.facts.aws import Trouble
from ecr_feed.oci import Timeouts
from ecr_feed.reach import Prober, Purpose, Stage, SystemConnector, WorkerHost
from ecr_feed.reach.connection import ProxyAddress, system_lookup
from tests.oci.shelf import HOST, Shelf, Shop, shop

FAST = Timeouts(0.4, 0.4, 1.0)
REGISTRY = WorkerHost(Purpose.REGISTRY, HOST, endpoint="com.amazonaws.eu-west-1.ecr.dkr")


def way(
    at: Shop, *, proxy: str | None = None, ca: str = "", lookup: object = None
) -> SystemConnector:
    def here(host: str, port: int) -> tuple[str, ...]:
        return ("127.0.0.1",)

    return SystemConnector(
        timeouts=FAST,
        ca=ca or str(at.ca),
        proxy_for=lambda url: proxy,
        lookup=lookup or here,  # type: ignore[arg-type] # one of the functions below
    )


def here(at: Shop) -> WorkerHost:
    return WorkerHost(Purpose.REGISTRY, HOST, at.server.port)


@pytest.fixture
def at() -> Iterator[Shop]:
    with shop() as served:
        yield served


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_a_direct_way(at: Shop) -> None:
    found = Prober(way(at)).probe(here(at))
    assert [stage.stage for stage in found.stages] == [Stage.DNS, Stage.TCP, Stage.TLS]
    assert (found.ok, found.via, found.addresses) == (True, "", ("127.0.0.1",))
    assert found.issuer == "Embedded registry CA"
    assert at.shelf.seen == []


def test_a_way_through_a_proxy(at: Shop) -> None:
    found = Prober(way(at, proxy=at.proxy_url)).probe(REGISTRY)
    assert [stage.stage for stage in found.stages] == [Stage.PROXY, Stage.TLS]
    assert (found.ok, found.via) == (True, f"127.0.0.1:{at.proxy.port}")
    assert [tunnel.target for tunnel in at.proxy.tunnels] == [f"{HOST}:443"]


@pytest.mark.parametrize(
    ("login", "code"), [("", "407"), ("me:wrong", "407"), ("me:s%40crw%2F", None)]
)
def test_a_proxy_that_asks_for_a_login(login: str, code: str | None) -> None:
    with shop(proxy_login=("me", "s@crw/")) as at:
        at.login = login
        found = Prober(way(at, proxy=at.proxy_url)).probe(REGISTRY)
    assert (found.broken and found.broken.failure and found.broken.failure.code) == code
    assert "s@crw/" not in repr(found)
    assert "wrong" not in repr(found)


def broken(found: object) -> tuple[Stage, Trouble]:
    assert found is not None
    return found.stage, found.failure.trouble  # type: ignore[attr-defined] # a StageResult


def test_a_name_that_is_not_known(at: Shop) -> None:
    def unknown(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "x")

    found = Prober(way(at, lookup=unknown)).probe(REGISTRY)
    assert broken(found.broken) == (Stage.DNS, Trouble.DNS)
    found = Prober(way(at, lookup=system_lookup)).probe(
        WorkerHost(Purpose.API, "x" * 70 + ".invalid")
    )
    assert broken(found.broken) == (Stage.DNS, Trouble.DNS)


def test_name_servers_that_do_not_answer(at: Shop) -> None:
    over = Event()

    def silent(host: str, port: int) -> tuple[str, ...]:
        over.wait()
        return ()

    found = Prober(way(at, lookup=silent)).probe(REGISTRY)
    over.set()
    assert broken(found.broken) == (Stage.DNS, Trouble.DNS)
    assert found.broken is not None
    assert "in time" in found.broken.what


def test_a_closed_port(at: Shop) -> None:
    found = Prober(way(at)).probe(WorkerHost(Purpose.REGISTRY, HOST, free_port()))
    assert broken(found.broken) == (Stage.TCP, Trouble.REFUSED)


def test_the_next_address_is_tried(at: Shop) -> None:
    def two(host: str, port: int) -> tuple[str, ...]:
        return ("127.0.0.9", "127.0.0.1")

    found = Prober(way(at, lookup=two)).probe(here(at))
    assert found.ok
    assert found.addresses == ("127.0.0.9", "127.0.0.1")


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A server that says this and hangs up, or (None) never says a word."""
    over = Event()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                if answer is None:
                    over.wait()
                else:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
        over.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("answer", "trouble"), [(None, Trouble.TIMEOUT), (b"HTTP/1.1 400 no\r\n\r\n", Trouble.TLS)]
)
def test_a_port_that_speaks_no_tls(at: Shop, answer: bytes | None, trouble: Trouble) -> None:
    with listening(answer) as port:
        found = Prober(way(at)).probe(WorkerHost(Purpose.REGISTRY, HOST, port))
    assert broken(found.broken) == (Stage.TLS, trouble)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"HTTP/1.1 503 no\r\n\r\n",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * 20_000,
    ],
)
def test_a_proxy_that_is_none(at: Shop, answer: bytes | None) -> None:
    with listening(answer) as port:
        found = Prober(way(at, proxy=f"http://me:secret@127.0.0.1:{port}")).probe(REGISTRY)
    assert broken(found.broken) == (Stage.PROXY, Trouble.PROXY)
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "url", ["socks5://me:secret@localhost:1080", "http://me:secret@[::1", "http://", "http://h:x"]
)
def test_a_proxy_that_cannot_be_used(at: Shop, url: str) -> None:
    found = Prober(way(at, proxy=url)).probe(REGISTRY)
    assert broken(found.broken) == (Stage.PROXY, Trouble.PROXY)
    assert "secret" not in repr(found)


def test_certificates() -> None:
    with shop(trusted=False) as at:
        found = Prober(way(at)).probe(here(at))
        assert broken(found.broken) == (Stage.TLS, Trouble.TLS)
    with shop(life=timedelta(hours=-1)) as at:
        found = Prober(way(at)).probe(here(at))
        assert found.broken is not None
        assert "expired" in found.broken.what
        found = Prober(way(at, ca="/nowhere/ca.pem")).probe(here(at))
        assert found.broken is not None
        assert "does not exist" in found.broken.what


def test_a_proxy_behind_tls() -> None:
    authority = Authority()
    inner = TlsServer(Shelf(), authority)
    with tls_front(authority, inner.port) as port:
        proxied = SystemConnector(
            timeouts=Timeouts(3, 3, 3),
            ca=str(authority.ca_file),
            proxy_for=lambda url: f"https://localhost:{port}",
        )
        found = Prober(proxied).probe(REGISTRY)
    inner.close()
    authority.close()
    assert found.ok, found.broken


@contextmanager
def tls_front(authority: Authority, inner: int) -> Iterator[int]:
    """A proxy that speaks TLS itself: answers one CONNECT, then carries one connection's bytes."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            plain, _ = server.accept()
            with (
                authority.context().wrap_socket(plain, server_side=True) as outer,
                socket.create_connection(("127.0.0.1", inner), 3) as behind,
            ):
                outer.recv(4096)
                outer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                behind.settimeout(0.2)
                while data := outer.recv(65536):
                    behind.sendall(data)
                    try:
                        outer.sendall(behind.recv(65536))
                    except TimeoutError:
                        continue

        thread = Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
    thread.join()


def test_proxy_addresses() -> None:
    assert ProxyAddress.parse("proxy.example.com:3128").shown == "proxy.example.com:3128"
    assert ProxyAddress.parse("http://[::1]:8080").shown == "[::1]:8080"
    assert ProxyAddress.parse("https://p.example.com").port == 443


def test_many_hosts_keep_their_order(at: Shop) -> None:
    hosts = [
        WorkerHost(Purpose.API, f"h{number}.example.com", at.server.port) for number in range(20)
    ]
    found = Prober(way(at)).probe_all(hosts)
    assert [reach.where for reach in found] == hosts
    assert all(reach.ok for reach in found)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6(at: Shop) -> None:
    try:
        server = TlsServer(Shelf(), at.server.authority, address="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")
    prober = Prober(way(at, lookup=lambda host, port: ("::1",)))
    found = prober.probe(WorkerHost(Purpose.REGISTRY, HOST, server.port))
    server.close()
    assert found.ok
