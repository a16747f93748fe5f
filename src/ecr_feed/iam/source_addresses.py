"""Which source addresses AWS may see of a caller, and which it never sees.

`aws:SourceIp` is the address that a request comes from in public, and is absent for a request
through a VPC endpoint: a private address is never in it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeAlias

AddressRange: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# RFC 1918, RFC 6598, loopback, link-local and unique local addresses. `is_private` of the standard
# library counts the ranges for documentation and benchmarks as private too; policies do not.
_NEVER_SEEN: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", "fc00::/7"),
    )
)
# The first of these that is in none of the ranges stands for all other addresses.
_ELSEWHERE: Final = ("203.0.113.10", "198.51.100.20", "192.0.2.30", "2001:db8::40")
_MOST: Final = 50  # ranges; with more of them the answer is undetermined


def private_ranges(texts: Iterable[str]) -> tuple[str, ...]:
    """The private ones of the ranges, as written: AWS never sees an address in them."""
    return tuple(text for text in texts if _is_private(_network(text)))


def seen_addresses(texts: Iterable[str]) -> tuple[str, ...] | None:
    """Public addresses that stand for all: every combination of ranges that one can be in.

    None where a text is not a range, or there are more than 50 ranges.
    """
    networks = [_network(text) for text in dict.fromkeys(texts)]
    if len(networks) > _MOST or None in networks:
        return None
    public = [each for each in networks if each is not None and not _is_private(each)]
    edges = [address for each in public for address in _edges(each)]
    elsewhere = (ip for ip in map(ipaddress.ip_address, _ELSEWHERE) if not _in(ip, public))
    found = [*edges, *islice(elsewhere, 1)]
    return tuple(dict.fromkeys(str(ip) for ip in found if not _in(ip, _NEVER_SEEN)))


def _network(text: str) -> AddressRange | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _is_private(network: AddressRange | None) -> bool:
    return network is not None and any(_within(network, each) for each in _NEVER_SEEN)


def _within(inner: AddressRange, outer: AddressRange) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _edges(network: AddressRange) -> Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The range's ends and their neighbours outside: where nested ranges begin or end."""
    first, last = int(network.network_address), int(network.broadcast_address)
    most = (1 << network.max_prefixlen) - 1
    kind = type(network.network_address)
    return [kind(at) for at in (first, last, first - 1, last + 1) if 0 <= at <= most]


def _in(address: object, networks: Iterable[AddressRange]) -> bool:
    return any(address in network for network in networks)
