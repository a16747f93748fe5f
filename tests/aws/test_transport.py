"""What an endpoint can do to a call over a real socket: each is classified, none is a pass."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.transport.retries import CONNECTION_ATTEMPTS, SERVER_ATTEMPTS
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import EnvCredentials
from ecr_feed.facts.aws import Failure, Trouble
from tests.aws.fake import FakeAws, over_http, served
from tests.aws.helpers import env_feed, failure_of, home, over

ENV = EnvCredentials(env_prefix="T_")
Handle = Callable[[BaseHTTPRequestHandler, bytes], None]


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in home(tmp_path, "").items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def answering(status: int, body: bytes, content_type: str = "text/html") -> Handle:
    def handle(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(status)
        handler.send_header("content-type", content_type)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return handle


def cut_short(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"repositories": [')
    handler.close_connection = True


def hung_up(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def ask(sessions: Sessions, service: str) -> Failure:
    operation = "GetCallerIdentity" if service == "sts" else "GetAuthorizationToken"
    account = Account(env_feed(), sessions)
    if service == "sts":
        return failure_of(account.identity)
    client = sessions.client(ENV, service, "eu-west-1")
    from ecr_feed.aws.readers.ecr import read_token

    failure = failure_of(read_token, client, lambda: datetime.now(UTC))
    assert failure.operation == operation
    return failure


@pytest.mark.parametrize("service", ["sts", "ecr"])
@pytest.mark.parametrize(
    ("handle", "trouble"),
    [
        pytest.param(answering(200, b"<html><body>Sign in</body></html>"), "malformed", id="html"),
        pytest.param(answering(200, b"<html><p>Sign in"), "malformed", id="broken-html"),
        pytest.param(answering(200, b""), "malformed", id="nothing"),
        pytest.param(answering(200, b"[]"), "malformed", id="list"),
        pytest.param(answering(200, b"null"), "malformed", id="null"),
        pytest.param(answering(200, b'"text"'), "malformed", id="text"),
        pytest.param(answering(200, b"{}"), "malformed", id="empty-object"),
        pytest.param(answering(200, b'{"authorizationData": [{'), "malformed", id="cut-json"),
        pytest.param(answering(200, b'{"authorizationData": [7]}'), "malformed", id="odd-item"),
        pytest.param(answering(200, b'{"authorizationData": {}}'), "malformed", id="odd-list"),
        pytest.param(
            answering(200, b'{"authorizationData": [{"expiresAt": 1e300}]}'),
            "malformed",
            id="absurd-time",
        ),
        pytest.param(answering(200, b"\xff\xfe\x00"), "malformed", id="bytes"),
        pytest.param(cut_short, "malformed", id="cut-short"),
        pytest.param(answering(403, b"<html>Forbidden</html>"), "malformed", id="403-page"),
        pytest.param(answering(401, b""), "malformed", id="401-empty"),
        pytest.param(answering(404, b"not here"), "malformed", id="404-page"),
        pytest.param(answering(503, b"<html>Down</html>"), "malformed", id="503-page"),
        pytest.param(answering(301, b""), "malformed", id="301"),
        pytest.param(hung_up, "connection lost", id="hung-up"),
    ],
)
def test_what_answers_oddly(handle: Handle, trouble: str, service: str) -> None:
    with served(handle) as url:
        failure = ask(over(url), service)
    assert failure.trouble.value.startswith(trouble), failure


def test_a_refused_connection_is_tried_twice_and_then_not_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    sessions = over(url)
    account = Account(env_feed("team/app", "team/worker"), sessions)
    failure = failure_of(account.identity)
    assert (failure.trouble, failure.attempts) == (Trouble.REFUSED, CONNECTION_ATTEMPTS)
    assert failure_of(account.images, "team/app").trouble == Trouble.REFUSED
    assert failure_of(account.token).trouble == Trouble.REFUSED
    calls = [(call.operation, call.status, call.code) for call in sessions.log.drain()]
    assert calls == [("GetCallerIdentity", 0, "EndpointConnectionError")]


@contextmanager
def silent() -> Iterator[str]:
    """A host that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_host_is_given_up_after_one_call() -> None:
    with silent() as url:
        sessions = over(url, read_timeout=0.1)
        account = Account(env_feed("team/app", "team/worker"), sessions)
        assert failure_of(account.identity).trouble == Trouble.TIMEOUT
        assert failure_of(account.token).trouble == Trouble.TIMEOUT
        assert failure_of(account.images, "team/app").trouble == Trouble.TIMEOUT
        assert failure_of(account.permission, "ecr:ListImages", "team/app").trouble == "timeout"
    assert [call.attempts for call in sessions.log.drain()] == [CONNECTION_ATTEMPTS]


def test_one_operation_that_hangs_leaves_the_others(tmp_path: Path) -> None:
    fake = FakeAws({"team/app": 1})
    plain = over_http(fake)
    held = threading.Event()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if "GetAuthorizationToken" in str(handler.headers.get("x-amz-target")):
            held.wait(10)
            handler.close_connection = True
            return
        plain(handler, body)

    with served(handle) as url:
        account = Account(env_feed(), over(url))
        assert failure_of(account.token).trouble == Trouble.TIMEOUT
        assert len(account.images("team/app")) == 1
        assert account.access().identity is not None
        held.set()


def test_a_name_that_does_not_resolve() -> None:
    failure = ask(over("http://ecr.invalid"), "sts")
    assert (failure.trouble, failure.host) == (Trouble.DNS, "ecr.invalid")


def test_a_server_fault_is_tried_five_times() -> None:
    fake = FakeAws()
    from tests.aws.fake import query_fault

    fake.replies["GetCallerIdentity"] = lambda asked: query_fault("InternalFailure", "", 500)
    with served(over_http(fake)) as url:
        failure = failure_of(Account(env_feed(), over(url)).identity)
    assert (failure.trouble, failure.code) == (Trouble.OTHER, "InternalFailure")
    assert failure.attempts == SERVER_ATTEMPTS == fake.calls["GetCallerIdentity"]


def self_signed(path: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    (path / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_certificate_that_nobody_knows_and_a_bundle_that_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = self_signed(tmp_path)
    with served(over_http(FakeAws()), context) as url:
        unknown = ask(over(url), "sts")
        assert (unknown.trouble, unknown.attempts) == (Trouble.TLS, CONNECTION_ATTEMPTS)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert Account(env_feed(), over(url)).identity().account == "123456789012"
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
        assert ask(over(url), "sts").trouble == Trouble.TLS


def test_plain_http_where_tls_is_spoken() -> None:
    with served(answering(200, b"")) as url:
        assert ask(over(url.replace("http://", "https://")), "sts").trouble == Trouble.TLS


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:1")
    failure = ask(over("https://sts.eu-west-1.amazonaws.com"), "sts")
    assert failure.trouble == Trouble.PROXY
    assert "hunter2" not in repr(failure)


def test_a_proxy_that_wants_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(
                    b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
                )

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=refuse, args=(server,))
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.getsockname()[1]}")
        failure = ask(over("https://sts.eu-west-1.amazonaws.com"), "sts")
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert failure.trouble == Trouble.PROXY
    assert "407" in failure.message
