"""The embedded AWS as an adapter of `requests`, for code that signs and sends its own requests."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Final

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse

_RAISED: Final[Mapping[str, type[requests.RequestException]]] = {
    "connect-timeout": requests.ConnectTimeout,
    "read-timeout": requests.ReadTimeout,
    "tls": requests.exceptions.SSLError,
    "proxy": requests.exceptions.ProxyError,
}


class WireAdapter(BaseAdapter):
    """Mount it on a `requests.Session`; nothing of the session then reaches the network.

    `handle` answers each request; a ConnectionFault of it raises what `requests` would.
    """

    def __init__(self, handle: Callable[[WireRequest], WireResponse]) -> None:
        super().__init__()
        self._handle = handle

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """The answer of `handle`."""
        url = request.url or ""
        headers = dict(request.headers)
        wire = WireRequest.of(request.method or "GET", url, headers, request.body)
        try:
            said = self._handle(wire)
        except ConnectionFault as fault:
            kind = _RAISED.get(fault.kind, requests.ConnectionError)
            raise kind(fault.kind, request=request) from None
        response = requests.Response()
        response.status_code = said.status
        response.headers = CaseInsensitiveDict(said.headers)
        response.raw = io.BytesIO(b"" if request.method == "HEAD" else said.body)
        response.url, response.request = url, request
        return response

    def close(self) -> None:
        """Nothing was opened."""
