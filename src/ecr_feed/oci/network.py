"""How requests are sent: adapter, proxies, certificate authorities, timeouts. No credentials.

`requests` is used without a `Session`: that would read `~/.netrc`, keep cookies, and read the body
of each redirect without a limit.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy

CONNECTIONS: Final = 8  # to one host at a time; also the number of threads that walk packages
# The variables of requests, of curl, and the two that Docker reads.
CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two parts of a response, and for a whole response."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 60.0


def pooled_adapter(connections: int = CONNECTIONS) -> HTTPAdapter:
    """An adapter that opens at most this many connections to a host; further requests wait."""
    return HTTPAdapter(pool_connections=8, pool_maxsize=connections, pool_block=True, max_retries=0)


def environment_proxy(url: str) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY (or the system) name."""
    return select_proxy(url, get_environ_proxies(url))


def ca_bundle(environ: Mapping[str, str] | None = None) -> str:
    """File or folder of the certificate authorities to trust.

    The first of `CA_VARIABLES` that is set, else the operating system's, as in Docker, else
    certifi's. A path that does not exist is kept, so that requests fail with that reason.
    """
    named = os.environ if environ is None else environ
    for variable in CA_VARIABLES:
        if named.get(variable):
            return named[variable]
    system = ssl.get_default_verify_paths()
    if system.cafile and Path(system.cafile).stat().st_size:
        return system.cafile
    if system.capath and any(Path(system.capath).iterdir()):
        return system.capath
    return DEFAULT_CA_BUNDLE_PATH


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Network:
    """What requests are sent with; embedded mode and tests replace parts of it."""

    adapter: BaseAdapter = field(default_factory=pooled_adapter)
    proxy_for: Callable[[str], str | None] = environment_proxy
    ca: str = field(default_factory=ca_bundle)
    timeouts: Timeouts = field(default_factory=Timeouts)
    connections: int = CONNECTIONS
    pause: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now

    def close(self) -> None:
        """Close every connection."""
        self.adapter.close()
