"""Configured faults: errors and answers of the services or the network instead of the real ones.

Faults are matched before a call is processed, so a call answered by a fault changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import Literal

from ecr_feed.embedded.protocol.wire import ServiceError, WireResponse

ConnectionKind = Literal[
    "connect-timeout", "read-timeout", "reset", "refused", "dns", "tls", "proxy"
]


@dataclass(frozen=True, slots=True)
class Fault:
    """Which calls a fault applies to, and their answer. Patterns are globs (`*`, `?`).

    service     `ecr`, `iam`, `sts`, `account` or `registry` (the OCI registry, its layer storage)
    operation   `ListImages`; of the registry `ping`, `tags`, `manifest`, `blob`, `catalog`, `layer`
    caller      an access key ID, or the name of the user or role behind it
    repository  a repository the call names; a call that names none is matched by `*` alone
    method      the HTTP method of a request to the registry or its layer storage
    reference   the tag or digest that such a request names
    code        answer this AWS error code, with `message` and `status` (0: the protocol's own)
    body        answer these bytes with `status` (0: 200) and `content_type`
    truncate    the real answer, its body cut to this many bytes (Content-Length is adjusted)
    replace     the real answer, with the first text of the pair replaced by the second
    headers     headers to set in the answer, the real one or `body`'s; "" removes one
    connection  no answer at all: see `ConnectionKind`
    after       how many calls that match are answered truly before the fault starts
    times       how often (0: always)

    `status` with `truncate`, `replace` or `headers` replaces the real answer's status.
    """

    service: str = "*"
    operation: str = "*"
    region: str = "*"
    repository: str = "*"
    caller: str = "*"
    method: str = "*"
    reference: str = "*"
    code: str = ""
    message: str = ""
    status: int = 0
    body: str | None = None
    content_type: str = "text/html"
    truncate: int | None = None
    replace: tuple[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    connection: ConnectionKind | None = None
    after: int = 0
    times: int = 0

    @property
    def changes(self) -> bool:
        """Whether the fault changes the real answer instead of replacing it."""
        return not self.code and self.body is None and self.connection is None

    def matches(self, asked: CalledOperation) -> bool:
        """Whether the fault applies to this call."""
        plain = (
            (self.service, asked.service),
            (self.operation, asked.operation),
            (self.region, asked.region),
            (self.method, asked.method),
            (self.reference, asked.reference),
        )
        return (
            all(fnmatchcase(value, pattern) for pattern, value in plain)
            and _any(self.repository, asked.repositories)
            and _any(self.caller, asked.callers)
        )


def _any(pattern: str, values: tuple[str, ...]) -> bool:
    return pattern == "*" or any(fnmatchcase(value, pattern) for value in values)


@dataclass(frozen=True, slots=True)
class CalledOperation:
    """The properties of a call that faults are matched against."""

    service: str
    operation: str
    region: str = ""
    repositories: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    method: str = ""
    reference: str = ""


@dataclass(slots=True)
class Faults:
    """The configured faults, in order; the first that matches is used."""

    listed: list[Fault] = field(default_factory=list)
    _used: dict[int, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self.listed.append(fault)

    def clear(self) -> None:
        """Remove every fault."""
        self.listed.clear()
        self._used.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.listed)

    def take(self, asked: CalledOperation) -> Fault | None:
        """The fault for a call, counted as used."""
        with self._lock:
            for index, fault in enumerate(self.listed):
                if not fault.matches(asked):
                    continue
                number = self._used[index] = self._used.get(index, 0) + 1
                last = fault.after + fault.times
                if number > fault.after and (fault.times == 0 or number <= last):
                    return fault
        return None


def error_of(fault: Fault, service: str) -> ServiceError:
    """The AWS error of a fault."""
    usual = 400 if service in ("ecr", "account") else 403
    return ServiceError(fault.code, fault.message, fault.status or usual)


def body_of(fault: Fault) -> WireResponse:
    """The raw answer of a fault."""
    data = (fault.body or "").encode()
    headers = {"content-type": fault.content_type, "content-length": str(len(data))}
    return _with_headers(fault, WireResponse(fault.status or 200, headers, data))


def cut(fault: Fault, answer: WireResponse) -> WireResponse:
    """The real answer, with the fault's replacement, cut, status and headers applied."""
    data = answer.body
    if fault.replace is not None:
        old, new = fault.replace
        data = data.replace(old.encode(), new.encode())
    data = data[: fault.truncate]
    headers = dict(answer.headers)
    if data != answer.body:
        headers["content-length"] = str(len(data))
    return _with_headers(fault, WireResponse(fault.status or answer.status, headers, data))


def _with_headers(fault: Fault, answer: WireResponse) -> WireResponse:
    """The answer with the fault's headers; "" removes one."""
    headers = {**answer.headers} | {name.lower(): value for name, value in fault.headers.items()}
    return replace(answer, headers={name: value for name, value in headers.items() if value})
