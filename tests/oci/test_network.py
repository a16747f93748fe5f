"""The way out: proxies, authorities, netrc, addresses, IPv6."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from ecr_feed.embedded.registry import TlsServer
from ecr_feed.embedded.registry.embedded_registry import LoopbackAdapter
from ecr_feed.embedded.registry.tls_server import ToldFaults
from ecr_feed.facts.aws import Secret, Trouble
from ecr_feed.oci import (
    EndpointError,
    Network,
    RegistryClient,
    RegistrySession,
    StepState,
    Timeouts,
    WantedImage,
    registry_origin,
)
from ecr_feed.oci.network import ca_bundle, environment_proxy
from tests.oci.images import image
from tests.oci.shelf import HOST, NAME, PASSWORD, Shelf, Shop, shop

ADDRESS = f"https://{HOST}/v2/"


def registry_at(endpoint: str, network: Network) -> RegistrySession:
    return RegistrySession(
        RegistryClient(endpoint, "AWS", Secret(PASSWORD), repositories={NAME}, network=network)
    )


def network(ca: str, proxy: str | None = None, timeouts: Timeouts | None = None) -> Network:
    return Network(proxy_for=lambda url: proxy, ca=ca, timeouts=timeouts or Timeouts(0.5, 0.5, 2))


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (HOST, f"https://{HOST}"),
        (f"https://{HOST}/", f"https://{HOST}"),
        (f"HTTPS://{HOST.upper()}:443", f"https://{HOST}"),
        ("localhost:5000", "https://localhost:5000"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("https://[::1]:5000", "https://[::1]:5000"),
        ("http://[::1]", "http://[::1]"),
    ],
)
def test_registries(endpoint: str, url: str) -> None:
    assert registry_origin(endpoint).url == url


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "https://",
        "http://registry.example.com",
        "ftp://localhost",
        f"https://{HOST}/v2/",
        "https://me:secret@localhost",
        "https://localhost:99999",
        "https://[::1",
    ],
)
def test_what_is_no_registry(endpoint: str) -> None:
    with pytest.raises(EndpointError) as error:
        registry_origin(endpoint)
    assert "secret" not in str(error.value)


def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert environment_proxy(ADDRESS) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    assert environment_proxy(ADDRESS) == "http://proxy.example.com:3128"
    monkeypatch.setenv("NO_PROXY", "localhost,.amazonaws.com")
    assert environment_proxy(ADDRESS) is None
    assert environment_proxy("https://registry.example.com/") is not None


def test_the_authority_of_the_environment(tmp_path: Path) -> None:
    assert ca_bundle({"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b"}) == "/b"
    assert ca_bundle({"SSL_CERT_DIR": "/d", "SSL_CERT_FILE": "/a", "CURL_CA_BUNDLE": ""}) == "/a"
    assert Path(ca_bundle({})).exists()


def test_an_authority_that_is_not_there_is_trouble(at: Shop, tmp_path: Path) -> None:
    login = registry_at(HOST, network(str(tmp_path / "none.pem"), at.proxy_url)).login()
    assert login.challenge.state is StepState.NOT_ASSESSED
    assert login.challenge.trouble is Trouble.TLS


def test_netrc_is_not_read(at: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(netrc.read_text())
    assert at.registry().login().ok
    assert "authorization" not in at.shelf.seen[0].headers


def test_cookies_are_not_kept(at: Shop) -> None:
    at.shelf.put("1.0", image())
    at.shelf.hooks.append(lambda request: None)
    registry = at.registry()
    registry.walk(WantedImage(NAME, "1.0"), deep=True)
    assert all("cookie" not in request.headers for request in at.shelf.seen)


@pytest.mark.parametrize(("user", "password"), [("me", "secret"), ("a@b", "p:w/d%")])
def test_a_proxy_with_a_login(user: str, password: str) -> None:
    with shop(proxy_login=(user, password)) as at:
        at.login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        assert at.registry().login().ok
        at.login = "me:not-this-one"
        login = at.registry().login()
    assert login.challenge.trouble is Trouble.PROXY
    assert login.challenge.failure is not None
    assert login.challenge.failure.code == "407"
    assert "not-this-one" not in repr(login)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_a_proxy_that_is_not_there() -> None:
    proxy = f"http://me:secret@127.0.0.1:{free_port()}"
    login = registry_at(HOST, network("", proxy)).login()
    assert login.challenge.trouble is Trouble.PROXY
    assert "secret" not in repr(login)


def test_a_proxy_that_does_not_go_there(at: Shop) -> None:
    login = registry_at(
        "https://registry.example.com:444", network(str(at.ca), at.proxy_url)
    ).login()
    assert login.challenge.trouble is Trouble.PROXY
    assert login.challenge.failure is not None
    assert login.challenge.failure.code == "502"


def test_a_closed_port() -> None:
    login = registry_at(f"https://localhost:{free_port()}", network("")).login()
    assert login.challenge.trouble is Trouble.REFUSED


def test_a_name_that_nobody_knows() -> None:
    login = registry_at("https://registry.invalid", network("")).login()
    assert login.challenge.trouble is Trouble.DNS


def test_a_server_that_never_says_a_word() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        endpoint = f"https://localhost:{listening.getsockname()[1]}"
        login = registry_at(endpoint, network("", timeouts=Timeouts(0.3, 0.3, 1))).login()
    assert login.challenge.trouble is Trouble.TIMEOUT


def test_plain_http_where_tls_is_expected(at: Shop) -> None:
    login = registry_at(f"http://127.0.0.1:{at.server.port}", network(str(at.ca))).login()
    assert login.challenge.trouble in (Trouble.RESET, Trouble.MALFORMED)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6() -> None:
    with shop() as at:
        try:
            server = TlsServer(Shelf(), at.server.authority, address="::1")
        except OSError:
            pytest.skip("this machine has no IPv6 loopback address")
        try:
            made = network(str(at.ca))
            assert registry_at(f"https://[::1]:{server.port}", made).login().ok
            made.close()
        finally:
            server.close()


def test_a_certificate_for_another_name(at: Shop) -> None:
    for name, trouble in (
        ("localhost", None),
        ("127.0.0.1", None),
        ("wrong.localhost", Trouble.TLS),
    ):
        adapter = LoopbackAdapter(lambda host, port: ("127.0.0.1", at.server.port), ToldFaults())
        at.server.authority.context().sni_callback = None
        made = Network(adapter=adapter, proxy_for=lambda url: None, ca=str(at.ca))
        assert registry_at(f"https://{name}", made).login().challenge.trouble is trouble
        made.close()
