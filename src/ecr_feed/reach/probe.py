"""Probe hosts stage by stage: name, connection, proxy, certificate. Sends no AWS credentials."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.registry_errors import FailureReason, reason_of_error
from ecr_feed.reach.connection import Connector, ProxyAddress, ProxyRefusedError
from ecr_feed.reach.worker_hosts import WorkerHost

PARALLEL: Final = 8  # hosts probed at the same time


class Stage(StrEnum):
    """What must work before an HTTP request can be sent."""

    DNS = "DNS"
    TCP = "TCP"
    PROXY = "proxy"
    TLS = "TLS"


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage. `what` says what was reached, or what failed; `failure` is None on success."""

    stage: Stage
    what: str
    failure: FailureReason | None = None

    @property
    def ok(self) -> bool:
        """Whether the stage succeeded."""
        return self.failure is None


@dataclass(frozen=True, slots=True)
class HostReach:
    """One host: its stages, of which the last one may have failed.

    `via` is the proxy's `host:port`, "" without one. `addresses` are those of the name, empty with
    a proxy, which resolves it. `issuer` is the certificate's; a proxy that inspects TLS shows here.
    """

    where: WorkerHost
    stages: tuple[StageResult, ...]
    via: str = ""
    addresses: tuple[str, ...] = ()
    issuer: str = ""

    @property
    def ok(self) -> bool:
        """Whether every stage succeeded."""
        return all(stage.ok for stage in self.stages)

    @property
    def broken(self) -> StageResult | None:
        """The stage that failed."""
        return next((stage for stage in self.stages if not stage.ok), None)


@dataclass(frozen=True, slots=True)
class Prober:
    """Probes hosts through a `Connector`; sends only CONNECT requests and TLS handshakes."""

    connector: Connector

    def probe_all(self, hosts: Sequence[WorkerHost]) -> tuple[HostReach, ...]:
        """Probe every host, several at a time; the results are in the given order."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return tuple(pool.map(self.probe, hosts))

    def probe(self, where: WorkerHost) -> HostReach:
        """Probe one host, until a stage fails."""
        return _Probe(self.connector, where).run()


class _BrokenError(Exception):
    """A stage failed; its result is the last one."""


@dataclass
class _Probe:
    connector: Connector
    where: WorkerHost
    stages: list[StageResult] = field(default_factory=list)
    via: str = ""
    addresses: tuple[str, ...] = ()
    issuer: str = ""

    def run(self) -> HostReach:
        try:
            with closing(self._connection()) as connection:
                self._secure(connection)
        except _BrokenError:
            pass
        return HostReach(self.where, tuple(self.stages), self.via, self.addresses, self.issuer)

    def _connection(self) -> socket.socket:
        host, port = self.where.host, self.where.port
        proxy = self._proxy()
        if proxy is None:
            self.addresses = self._resolve(Stage.DNS, host, port)
            return self._connect(Stage.TCP, host, self.addresses, port)
        self.via = proxy.shown
        addresses = self._resolve(Stage.PROXY, proxy.host, proxy.port)
        connection = self._connect(Stage.PROXY, proxy.host, addresses, proxy.port)
        try:
            tunnel = self.connector.tunnel(connection, proxy, host, port)
        except ProxyRefusedError as refusal:
            connection.close()
            self._fail(Stage.PROXY, FailureReason(Trouble.PROXY, refusal.message, refusal.code))
        except (OSError, ValueError) as error:
            connection.close()
            self._fail(Stage.PROXY, _of_proxy(error))
        self._succeed(Stage.PROXY, f"{proxy.shown} connects to {host}:{port}")
        return tunnel

    def _proxy(self) -> ProxyAddress | None:
        try:
            return self.connector.proxy(self.where.host, self.where.port)
        except ValueError as error:
            self._fail(Stage.PROXY, FailureReason(Trouble.PROXY, str(error)))

    def _resolve(self, stage: Stage, host: str, port: int) -> tuple[str, ...]:
        try:
            addresses = self.connector.resolve(host, port)
        except OSError as error:
            self._fail(stage, _of_dns(error) if stage is Stage.DNS else _of_proxy(error))
        if stage is Stage.DNS:
            self._succeed(stage, ", ".join(addresses))
        return addresses

    def _connect(
        self, stage: Stage, host: str, addresses: tuple[str, ...], port: int
    ) -> socket.socket:
        """Connect to one address after the other; the last error is reported."""
        last: OSError = OSError("no address")
        for address in addresses:
            try:
                connection = self.connector.connect(host, address, port)
            except OSError as error:
                last = error
                continue
            if stage is Stage.TCP:
                self._succeed(stage, f"{address} port {port}")
            return connection
        return self._fail(stage, reason_of_error(last) if stage is Stage.TCP else _of_proxy(last))

    def _secure(self, connection: socket.socket) -> None:
        try:
            self.issuer = self.connector.handshake(connection, self.where.host)
        except (OSError, ValueError) as error:
            self._fail(Stage.TLS, reason_of_error(error))
        self._succeed(Stage.TLS, f"certificate of {self.issuer or 'an unnamed authority'}")

    def _succeed(self, stage: Stage, what: str) -> None:
        self.stages.append(StageResult(stage, what))

    def _fail(self, stage: Stage, reason: FailureReason) -> NoReturn:
        self.stages.append(StageResult(stage, reason.message or reason.trouble.value, reason))
        raise _BrokenError


def _of_dns(error: OSError) -> FailureReason:
    if isinstance(error, TimeoutError):
        return FailureReason(Trouble.DNS, "no answer from the name servers in time")
    return FailureReason(Trouble.DNS, "no such name")


def _of_proxy(error: Exception) -> FailureReason:
    """The reason of an error before the tunnel is open: always the proxy's."""
    if isinstance(error, socket.gaierror):
        return FailureReason(Trouble.PROXY, "the proxy's name is not known")
    inner = reason_of_error(error)
    return FailureReason(Trouble.PROXY, f"the proxy cannot be used: {inner.message}")
