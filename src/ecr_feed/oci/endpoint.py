"""Registry addresses, and links in a registry's responses, checked before a request is sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

_PORTS = {"https": 443, "http": 80}


class EndpointError(ValueError):
    """An address that cannot be used; the text says why, without the address."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host (lower case, no brackets) and port. A login is sent to one origin only."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """Host and port as in an address; the scheme's default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base address, without a final slash."""
        return f"{self.scheme}://{self.netloc}"


def origin_of(url: str) -> Origin:
    """The origin of an absolute http or https address; raises `EndpointError`.

    Addresses with a user or password are refused: only the caller provides credentials.
    """
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointError("the address cannot be read") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise EndpointError("not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise EndpointError("the address contains a user or password")
    return Origin(parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme])


def registry_origin(endpoint: str) -> Origin:
    """The origin of `HOST[:PORT]` or of an address such as a token's proxy endpoint.

    As in Docker, plain HTTP is accepted for this machine only. Raises `EndpointError`.
    """
    text = endpoint.strip()
    url = text if "://" in text else f"https://{text}"
    origin = origin_of(url)
    if urlsplit(url).path not in ("", "/"):
        raise EndpointError("a registry's address has no path")
    if origin.scheme == "http" and not is_this_machine(origin.host):
        raise EndpointError("plain http: Docker logs in over https only")
    return origin


def is_this_machine(host: str) -> bool:
    """Whether the host is `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_LINK: Final = re.compile(r"<([^>]*)>((?:[^,<\"]|\"(?:[^\"\\]|\\.)*\")*)")
_PARAMETER: Final = re.compile(
    r""";[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*
        (?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t;,"]+)))?""",
    re.VERBOSE,
)


def next_link(header: str) -> str | None:
    """The target of the first link whose relation is `next`, as written, or None.

    A link may carry several relations; only its first `rel` counts, as RFC 8288 says.
    """
    for link in _LINK.finditer(header):
        for parameter in _PARAMETER.finditer(link.group(2)):
            if parameter.group(1).lower() != "rel":
                continue
            relations = (parameter.group(2) or parameter.group(3) or "").lower().split()
            if "next" in relations:
                return link.group(1).strip()
            break
    return None
