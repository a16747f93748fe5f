"""A temporary certificate authority, and TLS contexts for any host name that a client asks for."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE: Final = ("localhost", "127.0.0.1", "::1")
_AGE: Final = timedelta(hours=1)  # certificates begin earlier, so that a slow clock accepts them
_LIFE: Final = timedelta(days=30)


class Authority:
    """Signs a certificate for each name on demand. Files live in a folder that `close` removes.

    Clients must trust `ca_file`; its private key stays in memory. `life` is how long,
    from now, the certificates last (negative: expired ones).
    """

    def __init__(self, life: timedelta = _LIFE) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ecr-feed-registry-")
        self._life = life
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Embedded registry CA")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = Lock()
        self.ca_file = self._write("ca.crt", self._self_signed())

    def close(self) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def context(self) -> ssl.SSLContext:
        """A server's context: each connection gets the certificate of the name that it asks for."""
        default = self._context_of("localhost")

        def choose(
            connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
        ) -> None:
            if name:
                connection.context = self._context_of(name)

        default.sni_callback = choose
        return default

    def _context_of(self, name: str) -> ssl.SSLContext:
        with self._lock:
            if name not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*map(str, self.files_for(name)))
                self._contexts[name] = context
            return self._contexts[name]

    def files_for(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a server with this host name."""
        # Names come from clients: they never become file names.
        number = len(self._contexts)
        return (
            self._write(f"leaf{number}.crt", self._leaf(name)),
            self._write("leaf.key", self._leaf_pem()),
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = Path(self._folder.name) / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path

    def _leaf_pem(self) -> bytes:
        return self._leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def _self_signed(self) -> bytes:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        return _pem(
            self._builder(self._name, self._key.public_key(), _LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _leaf(self, name: str) -> bytes:
        names = (name, *HERE) if name == "localhost" else (name,)
        issuer = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return _pem(
            self._builder(_name("Embedded registry"), self._leaf_key.public_key(), self._life)
            .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        begins = min(now, now + life) - _AGE
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        with contextlib.suppress(ValueError):
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
            continue
        found.append(x509.DNSName(name))
    return found


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
