from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam.source_addresses import private_ranges, seen_addresses

PRIVATE = ["10.0.0.0/8", "172.16.5.0/24", "192.168.1.1", "100.64.0.0/10", "fd00::/8", "fe80::1"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_ranges(text: str) -> None:
    assert private_ranges([text, "52.0.0.0/8"]) == (text,)


@pytest.mark.parametrize(
    "text",
    # The last three are for documentation and benchmarks: "private" to the standard library.
    [
        "52.1.2.3",
        "0.0.0.0/0",
        "8.0.0.0/5",
        "2600::/12",
        "203.0.113.0/24",
        "198.18.0.0/15",
        "192.0.2.1",
    ],
)
def test_ranges_that_aws_may_see(text: str) -> None:
    assert private_ranges([text]) == ()
    assert seen_addresses([text])


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "${aws:SourceIp}", "fd00::/8/8"])
def test_what_is_no_range_leaves_the_question_open(text: str) -> None:
    assert seen_addresses(["10.0.0.0/8", text]) is None
    assert private_ranges([text]) == ()


def test_too_many_ranges_leave_it_open() -> None:
    assert seen_addresses([f"52.{n}.0.0/16" for n in range(60)]) is None


ranges = st.lists(st.ip_addresses(network="0.0.0.0/0"), min_size=1, max_size=4).flatmap(
    lambda found: st.tuples(*(st.just(f"{each}/8") for each in found))
)


@given(ranges, st.ip_addresses(network="0.0.0.0/0"))
def test_every_seen_address_falls_as_one_of_the_representatives(
    texts: tuple[str, ...], address: ipaddress.IPv4Address
) -> None:
    networks = [ipaddress.ip_network(text, strict=False) for text in texts]

    def falls(one: object) -> tuple[bool, ...]:
        return tuple(one in network for network in networks)

    representatives = seen_addresses(texts)
    assert representatives is not None
    assert not any(private_ranges([each]) for each in representatives)
    if not private_ranges([str(address)]):
        assert falls(address) in {falls(ipaddress.ip_address(each)) for each in representatives}
