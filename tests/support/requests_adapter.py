"""The embedded AWS as an adapter of `requests`, for code that signs and sends its own requests."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest

_RAISED: Final[Mapping[str, type[requests.RequestException]]] = {
    "connect-timeout": requests.ConnectTimeout,
    "read-timeout": requests.ReadTimeout,
    "tls": requests.exceptions.SSLError,
    "proxy": requests.exceptions.ProxyError,
}


class EmbeddedAwsAdapter(BaseAdapter):
    """Mount it on a `requests.Session`; nothing of the session then reaches the network."""

    def __init__(self, core: EmbeddedAws) -> None:
        super().__init__()
        self._core = core

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """The embedded AWS's answer; a fault raises what `requests` would."""
        url = request.url or ""
        headers = dict(request.headers)
        wire = WireRequest.of(request.method or "GET", url, headers, request.body)
        try:
            said = self._core.handle(wire)
        except ConnectionFault as fault:
            kind = _RAISED.get(fault.kind, requests.ConnectionError)
            raise kind(fault.kind, request=request) from None
        response = requests.Response()
        response.status_code = said.status
        response.headers = CaseInsensitiveDict(said.headers)
        response.raw = io.BytesIO(said.body)
        response.url, response.request = url, request
        return response

    def close(self) -> None:
        """Nothing was opened."""
