"""Answer boto3 in process, through botocore's public before-send event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from socket import EAI_NONAME, gaierror
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.botocore_data import known_partition
from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse

_PROXY: Final = "http://proxy.example.com:3128"  # named in proxy faults

BeforeSend = Callable[..., AWSResponse]


def boto3_answer(core: EmbeddedAws) -> BeforeSend:
    """A handler for `session.events.register_first("before-send", ...)`.

    Register it before clients are made. It answers every request of every client of that session,
    so nothing reaches the network; a region that does not exist has no endpoint.
    """

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        wire = wire_request(request)
        if not _endpoint_exists(wire.host):
            raise _broken(ConnectionFault("dns"), request.url)
        try:
            said = core.handle(wire)
        except ConnectionFault as fault:
            raise _broken(fault, request.url) from None
        return botocore_response(request, said)

    return answer


def wire_request(request: AWSPreparedRequest) -> WireRequest:
    """Botocore's request as the embedded account takes it."""
    body: Any = request.body
    data: str | bytes | None = body.read() if hasattr(body, "read") else body
    return WireRequest.of(request.method, request.url, request.headers, data)


def botocore_response(request: AWSPreparedRequest, said: WireResponse) -> AWSResponse:
    """The embedded account's answer as botocore takes it."""
    headers = HTTPHeaders.from_pairs(list(said.headers.items()))
    return AWSResponse(request.url, said.status, headers, _Raw(said.body))


class _Raw:
    """The one method of urllib3's response that botocore uses."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body


def _endpoint_exists(host: str) -> bool:
    """False for an AWS host of a region that botocore does not list."""
    labels = host.split(".")
    if not {"amazonaws", "aws"} & set(labels[-3:]):
        return True
    services = {"ecr", "ecr-fips", "sts", "sts-fips", "iam", "iam-fips", "account", "organizations"}
    regions = [
        x for x in labels if x not in services | {"api", "amazonaws", "com", "cn", "aws", "eu"}
    ]
    return all(known_partition(label) for label in regions if label != "us-gov")


def _broken(fault: ConnectionFault, url: str) -> HTTPClientError:
    error = ConnectionError(fault.kind)
    made: dict[str, HTTPClientError] = {
        "connect-timeout": ConnectTimeoutError(endpoint_url=url, error=error),
        "read-timeout": ReadTimeoutError(endpoint_url=url, error=error),
        "reset": ConnectionClosedError(endpoint_url=url, error=error),
        "refused": EndpointConnectionError(endpoint_url=url, error=error),
        "dns": EndpointConnectionError(endpoint_url=url, error=gaierror(EAI_NONAME, fault.kind)),
        "tls": SSLError(endpoint_url=url, error=error),
        "proxy": ProxyConnectionError(proxy_url=_PROXY, error=error),
    }
    return made[fault.kind]
