"""Send requests within limits: redirects are followed here, and the login goes to one origin."""

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
from ecr_feed.oci.reply_checks import has_registry_mark

REDIRECTS: Final = 10  # as Go's client, and so Docker, allows
TRIES: Final = 3  # attempts of a throttled request; two after a lost connection
LONGEST_PAUSE: Final = 5.0  # seconds
ERROR_LIMIT: Final = 64 * 1024  # bytes that are read of an error response
_CHUNK: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE: Final = 12  # characters; a part of the login this long is masked
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_%-]{12,}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class BasicLogin(AuthBase):
    """A Basic login that `repr` does not show. `scrub` removes every form of it from a text."""

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
        """The text without parts of password and token, in one line of at most 300 characters."""
        password = self._password.reveal()
        encoded = base64.b64encode(password.encode()).decode()
        forms = (self._token(), encoded, password, quote(password, safe=""))
        for form in filter(None, forms):
            text = text.replace(form, MASK)

        def masked(run: re.Match[str]) -> str:
            part = run.group()
            pieces = (part[at : at + _PIECE] for at in range(len(part) - _PIECE + 1))
            return MASK if any(piece in form for piece in pieces for form in forms) else part

        return _CONTROL.sub(" ", _RUN.sub(masked, text[:2000])).strip()[:300]


class RegistryError(Exception):
    """A request without a usable response: the host where it ended, status, headers and reason.

    `from_registry`: the response looks like a registry's, and not like a proxy's.
    """

    def __init__(
        self,
        reason: FailureReason,
        host: str,
        status: int | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        from_registry: bool = False,
    ) -> None:
        super().__init__(f"{host}: {reason.trouble.value}")
        self.reason = reason
        self.host = host
        self.status = status
        self.headers: Mapping[str, str] = headers or {}
        self.from_registry = from_registry


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was sent, without its query; `status` is None without a response.

    `trouble` then says why.
    """

    method: str
    host: str
    path: str
    status: int | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful response. `body` is complete unless `cut`; `host` sent it, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    host: str
    redirected: bool
    cut: bool = False


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """A request. `limit` bytes of body are read; a longer body is cut, or an error if `whole`."""

    method: str
    url: str
    limit: int
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class RegistryTransport:
    """Sends the requests for one registry. Safe to use from several threads."""

    def __init__(self, network: Network, basic: BasicLogin) -> None:
        self._network = network
        self._basic = basic
        self._lock = Lock()
        self._sent: list[SentRequest] = []

    @property
    def sent(self) -> tuple[SentRequest, ...]:
        """Every request so far, redirects included."""
        with self._lock:
            return tuple(self._sent)

    def fetch(
        self,
        request: RegistryRequest,
        auth: BasicLogin | None,
        count: Callable[[], None] = lambda: None,
    ) -> Reply:
        """The response after redirects; raises `RegistryError` for everything but a success.

        The login is sent to the first origin only, and no more after a redirect to another one.
        `count` is called for each request.
        """
        origin = home = origin_of(request.url)
        seen = {request.url}
        url = request.url
        while True:
            response = self._respond(request, url, auth, count)
            try:
                target = _location(response)
                if target is None:
                    return self._read(request, response, url, origin, url != request.url)
            finally:
                response.close()
            url, origin = _allowed(url, target, origin, seen, response.status_code)
            auth = auth if origin == home else None

    def _respond(
        self, request: RegistryRequest, url: str, auth: BasicLogin | None, count: Callable[[], None]
    ) -> requests.Response:
        """One response, a redirect included; retries a lost connection and a throttled request."""
        attempt = 0
        while True:
            attempt += 1
            count()
            response, error = self._send(request, url, auth)
            if response is None:
                if error is not None and error.reason.trouble is Trouble.RESET and attempt < 2:
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
        self, request: RegistryRequest, url: str, auth: BasicLogin | None
    ) -> tuple[requests.Response | None, RegistryError | None]:
        """One attempt. An error is returned, not raised: a traceback would contain the login."""
        host = origin_of(url).netloc
        network = self._network
        try:
            prepared = requests.Request(
                request.method, url, headers=_headers(request), auth=auth
            ).prepare()
            response = network.adapter.send(
                prepared,
                stream=True,
                timeout=(network.timeouts.connect, network.timeouts.read),
                # An empty text would disable the verification.
                verify=network.ca or True,
                proxies=_proxies(network.proxy_for(url)),
            )
        except (requests.exceptions.RequestException, OSError, ValueError) as error:
            reason = reason_of_error(error)
            self._record(request, url, None, reason.trouble.value)
            return None, RegistryError(reason, host)
        self._record(request, url, response.status_code)
        return response, None

    def _record(
        self, request: RegistryRequest, url: str, status: int | None, trouble: str = ""
    ) -> None:
        path = urlsplit(url).path
        sent = SentRequest(request.method, origin_of(url).netloc, path, status, trouble)
        with self._lock:
            self._sent.append(sent)

    def _read(
        self,
        request: RegistryRequest,
        response: requests.Response,
        url: str,
        origin: Origin,
        redirected: bool,
    ) -> Reply:
        host, status = origin.netloc, response.status_code
        good = 200 <= status < 300
        body, cut, reason = self._body(response, request.limit if good else ERROR_LIMIT)
        if not good:
            kind = response.headers.get("Content-Type", "")
            home = origin == origin_of(request.url)
            reason = self._safe(reason_of_refusal(status, body, kind, registry=home))
            # A refused HEAD has no body with a code, only the type that it would have.
            coded = not reason.code.startswith("HTTP ") or (
                request.method == "HEAD" and "json" in kind
            )
            ours = home and (coded or has_registry_mark(response.headers))
            raise RegistryError(reason, host, status, headers=response.headers, from_registry=ours)
        if reason is not None:
            raise RegistryError(reason, host, status)
        if cut and request.whole:
            message = f"the answer is larger than {request.limit:,} bytes"
            raise RegistryError(FailureReason(Trouble.MALFORMED, message, "SIZE"), host, status)
        return Reply(status, response.headers, body, url, host, redirected, cut)

    def _body(
        self, response: requests.Response, limit: int
    ) -> tuple[bytes, bool, FailureReason | None]:
        """At most `limit` bytes, whether there were more, and why reading failed, if it did."""
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

    def _safe(self, reason: FailureReason) -> FailureReason:
        """The reason, with secrets removed from the service's message."""
        return FailureReason(
            reason.trouble, self._basic.scrub(reason.message), self._basic.scrub(reason.code)[:60]
        )


def _headers(request: RegistryRequest) -> dict[str, str]:
    # identity: a digest is computed from the bytes as stored.
    return {"User-Agent": "ecr-feed-checks", "Accept-Encoding": "identity", **request.headers}


def _proxies(proxy: str | None) -> dict[str, str]:
    return {} if proxy is None else {"http": proxy, "https": proxy}


def _location(response: requests.Response) -> str | None:
    """The target of a redirect; None for any other response."""
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
    """A redirect's target and its origin; raises `RegistryError` where it must not be followed."""
    host = before.netloc
    try:
        url = urljoin(base, target)
        origin = origin_of(url)
    except (EndpointError, ValueError) as error:
        why = str(error) if isinstance(error, EndpointError) else "the address cannot be read"
        message = f"redirected to an address that cannot be used: {why}"
        raise RegistryError(
            FailureReason(Trouble.OTHER, message, "REDIRECT"), host, status
        ) from None
    if url in seen:
        raise RegistryError(
            FailureReason(Trouble.OTHER, "redirected in a loop", "REDIRECT"), host, status
        )
    if len(seen) > REDIRECTS:
        message = f"redirected more than {REDIRECTS} times"
        raise RegistryError(FailureReason(Trouble.OTHER, message, "REDIRECT"), host, status)
    seen.add(url)
    if before.scheme == "https" and origin.scheme == "http":
        message = f"redirected from https to plain http on {origin.netloc}"
        raise RegistryError(FailureReason(Trouble.OTHER, message, "REDIRECT"), host, status)
    return url, origin


def _retry_after(response: requests.Response, attempt: int) -> float:
    """Seconds to wait: what the service asks for, else 1, 2, ...; at most `LONGEST_PAUSE`."""
    asked = response.headers.get("Retry-After", "")
    wait = float(asked) if asked.isascii() and asked.isdigit() else float(2 ** (attempt - 1))
    return min(wait, LONGEST_PAUSE)
