"""One request, answered within limits: redirects by hand, credentials kept at home."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

import requests
from requests.auth import AuthBase

from ecr_feed.facts.aws import MASK, Secret, Trouble
from ecr_feed.oci.endpoint import EndpointError, Origin, origin_of
from ecr_feed.oci.network import Network
from ecr_feed.oci.registry_errors import FailureReason, reason_of_error, reason_of_refusal

REDIRECTS: Final = 10  # as Go's client, and so Docker, allows
TRIES: Final = 3  # of a throttled request; a lost connection is tried twice
LONGEST_PAUSE: Final = 5.0  # seconds
ERROR_LIMIT: Final = 64 * 1024  # bytes of a refusal that are read
_CHUNK: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE: Final = 12  # characters of a login that are too many to be shown
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_%-]{12,}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class BasicLogin(AuthBase):
    """Basic credentials that no repr shows. `scrub` takes every form of them out of a text."""

    def __init__(self, user: str, password: Secret) -> None:
        self._user = user
        self._password = password

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Adds the header; called by `Request.prepare`."""
        r.headers["Authorization"] = f"Basic {self._token()}"
        return r

    def __repr__(self) -> str:
        return f"BasicLogin({self._user}:{MASK})"

    def _token(self) -> str:
        return base64.b64encode(f"{self._user}:{self._password.reveal()}".encode()).decode()

    def scrub(self, text: str) -> str:
        """The text without pieces of password and token; one line, at most 300 characters."""
        password = self._password.reveal()
        encoded = base64.b64encode(password.encode()).decode()
        forms = (self._token(), encoded, password, quote(password, safe=""))
        for form in filter(None, forms):
            text = text.replace(form, MASK)

        def masked(run: re.Match[str]) -> str:
            said = run.group()
            pieces = (said[at : at + _PIECE] for at in range(len(said) - _PIECE + 1))
            return MASK if any(piece in form for piece in pieces for form in forms) else said

        return _CONTROL.sub(" ", _RUN.sub(masked, text[:2000])).strip()[:300]


class RegistryError(Exception):
    """A request that had no usable answer: where it ended, with which status and headers, and why.

    `from_registry`: the answer carries the marks of a registry, not of something on the way.
    """

    def __init__(
        self,
        cause: FailureReason,
        host: str,
        status: int | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        from_registry: bool = False,
    ) -> None:
        super().__init__(f"{host}: {cause.trouble.value}")
        self.cause = cause
        self.host = host
        self.status = status
        self.headers: Mapping[str, str] = headers or {}
        self.from_registry = from_registry


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request as sent: evidence of what was touched. `path` is without query.

    `status` is None where no answer came; `trouble` then says why.
    """

    method: str
    host: str
    path: str
    status: int | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. `body` is whole unless `cut`; `host` is who answered in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    host: str
    redirected: bool
    cut: bool = False


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """One request: `limit` bytes of body are read; more is cut off, or an error if `whole`."""

    method: str
    url: str
    limit: int
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class Transport:
    """Sends requests for one registry; safe to use from several threads."""

    def __init__(self, network: Network, basic: BasicLogin) -> None:
        self._network = network
        self._basic = basic
        self._lock = Lock()
        self._sent: list[SentRequest] = []

    @property
    def sent(self) -> tuple[SentRequest, ...]:
        """Every request so far, redirects followed included."""
        with self._lock:
            return tuple(self._sent)

    def fetch(
        self,
        ask: RegistryRequest,
        auth: BasicLogin | None,
        count: Callable[[], None] = lambda: None,
    ) -> Reply:
        """The answer after redirects; raises `RegistryError` for everything that is no success.

        The login goes to the first origin only and, once a redirect has left it, to none again.
        `count` is called once a request sent.
        """
        origin = home = origin_of(ask.url)
        seen = {ask.url}
        url = ask.url
        while True:
            response = self._answered(ask, url, auth, count)
            try:
                target = _location(response)
                if target is None:
                    return self._read(ask, response, url, origin, url != ask.url)
            finally:
                response.close()
            url, origin = _allowed(url, target, origin, seen, response.status_code)
            auth = auth if origin == home else None

    def _answered(
        self, ask: RegistryRequest, url: str, auth: BasicLogin | None, count: Callable[[], None]
    ) -> requests.Response:
        """One hop, tried again where the connection was lost or the service is busy."""
        attempt = 0
        while True:
            attempt += 1
            count()
            response, error = self._send(ask, url, auth)
            if response is None:
                if error is not None and error.cause.trouble is Trouble.RESET and attempt < 2:
                    continue
                raise error or RegistryError(
                    FailureReason(Trouble.OTHER, ""), origin_of(url).netloc
                )
            if response.status_code != 429 or attempt == TRIES:
                return response
            wait = _retry_after(response, attempt)
            response.close()
            self._network.pause(wait)

    def _send(
        self, ask: RegistryRequest, url: str, auth: BasicLogin | None
    ) -> tuple[requests.Response | None, RegistryError | None]:
        """One request. Trouble is returned, so that no traceback drags the login along."""
        host = origin_of(url).netloc
        network = self._network
        try:
            request = requests.Request(ask.method, url, headers=_headers(ask), auth=auth).prepare()
            response = network.adapter.send(
                request,
                stream=True,
                timeout=(network.timeouts.connect, network.timeouts.read),
                # An empty text would switch verification off.
                verify=network.ca or True,
                proxies=_proxies(network.proxy_for(url)),
            )
        except (requests.exceptions.RequestException, OSError, ValueError) as error:
            cause = reason_of_error(error)
            self._touch(ask, url, None, cause.trouble.value)
            return None, RegistryError(cause, host)
        self._touch(ask, url, response.status_code)
        return response, None

    def _touch(self, ask: RegistryRequest, url: str, status: int | None, trouble: str = "") -> None:
        path = urlsplit(url).path
        touch = SentRequest(ask.method, origin_of(url).netloc, path, status, trouble)
        with self._lock:
            self._sent.append(touch)

    def _read(
        self,
        ask: RegistryRequest,
        response: requests.Response,
        url: str,
        origin: Origin,
        redirected: bool,
    ) -> Reply:
        host, status = origin.netloc, response.status_code
        good = 200 <= status < 300
        body, cut, cause = self._body(response, ask.limit if good else ERROR_LIMIT)
        if not good:
            kind = response.headers.get("Content-Type", "")
            home = origin == origin_of(ask.url)
            cause = self._safe(reason_of_refusal(status, body, kind, registry=home))
            marked = "json" in kind or "Docker-Distribution-Api-Version" in response.headers
            raise RegistryError(
                cause, host, status, headers=response.headers, from_registry=home and marked
            )
        if cause is not None:
            raise RegistryError(cause, host, status)
        if cut and ask.whole:
            said = f"the answer is larger than {ask.limit:,} bytes"
            raise RegistryError(FailureReason(Trouble.MALFORMED, said, "SIZE"), host, status)
        return Reply(status, response.headers, body, url, host, redirected, cut)

    def _body(
        self, response: requests.Response, limit: int
    ) -> tuple[bytes, bool, FailureReason | None]:
        """At most `limit` bytes, whether there were more, and what broke off the reading."""
        network, body = self._network, bytearray()
        until = network.monotonic() + network.timeouts.total
        try:
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > limit:
                    return bytes(body[:limit]), True, None
                if network.monotonic() > until:
                    late = f"the answer took more than {network.timeouts.total:g} s"
                    return bytes(body), False, FailureReason(Trouble.TIMEOUT, late)
        except (requests.exceptions.RequestException, OSError) as error:
            return bytes(body), False, reason_of_error(error)
        return bytes(body), False, None

    def _safe(self, cause: FailureReason) -> FailureReason:
        """The cause with the service's words cleaned of everything secret."""
        return FailureReason(
            cause.trouble, self._basic.scrub(cause.message), self._basic.scrub(cause.code)[:60]
        )


def _headers(ask: RegistryRequest) -> dict[str, str]:
    # identity: digests are of the bytes as stored.
    return {"User-Agent": "ecr-feed-checks", "Accept-Encoding": "identity", **ask.headers}


def _proxies(proxy: str | None) -> dict[str, str]:
    return {} if proxy is None else {"http": proxy, "https": proxy}


def _location(response: requests.Response) -> str | None:
    """Where a redirect points to, None for any other answer."""
    if response.status_code not in _REDIRECTS:
        return None
    location = response.headers.get("Location")
    # requests decodes headers as latin-1; an address holds ASCII, or UTF-8 that was not escaped.
    return (
        None if not location else location.encode("latin-1", "replace").decode("utf-8", "replace")
    )


def _allowed(
    base: str, target: str, before: Origin, seen: set[str], status: int
) -> tuple[str, Origin]:
    """A redirect's target and its origin; raises the reason why it is not followed."""
    host = before.netloc
    try:
        url = urljoin(base, target)
        origin = origin_of(url)
    except (EndpointError, ValueError) as error:
        why = str(error) if isinstance(error, EndpointError) else "the address cannot be read"
        said = f"redirected to an address that cannot be used: {why}"
        raise RegistryError(FailureReason(Trouble.OTHER, said, "REDIRECT"), host, status) from None
    if url in seen:
        raise RegistryError(
            FailureReason(Trouble.OTHER, "redirected in a loop", "REDIRECT"), host, status
        )
    if len(seen) > REDIRECTS:
        said = f"redirected more than {REDIRECTS} times"
        raise RegistryError(FailureReason(Trouble.OTHER, said, "REDIRECT"), host, status)
    seen.add(url)
    if before.scheme == "https" and origin.scheme == "http":
        said = f"redirected from https to plain http on {origin.netloc}"
        raise RegistryError(FailureReason(Trouble.OTHER, said, "REDIRECT"), host, status)
    return url, origin


def _retry_after(response: requests.Response, attempt: int) -> float:
    """Seconds to wait: what the service asks for, else doubling from one; never long."""
    asked = response.headers.get("Retry-After", "")
    wait = float(asked) if asked.isascii() and asked.isdigit() else float(2 ** (attempt - 1))
    return min(wait, LONGEST_PAUSE)
