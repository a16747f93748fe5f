from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.naming import (
    RegistryHost,
    account_problem,
    expected_hosts,
    is_account_id,
    partition,
)

ACCOUNT = "123456789012"
REGIONS = [
    *("eu-west-1", "us-east-1", "ap-southeast-7", "mx-central-1", "cn-north-1", "cn-northwest-1"),
    *("us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"),
    "eusc-de-east-1",
]
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)


@st.composite
def hosts(draw: st.DrawFn) -> RegistryHost:
    region = draw(st.sampled_from(REGIONS))
    dual = draw(st.booleans()) if partition(region).dual_stack else False
    return RegistryHost.for_(draw(accounts), region, fips=draw(st.booleans()), dual_stack=dual)


@given(hosts())
def test_a_made_host_is_read_back(host: RegistryHost) -> None:
    assert RegistryHost.parse(str(host)) == host
    assert host.ok
    assert str(host) in expected_hosts(host.account, host.region)


@given(
    hosts(), st.sampled_from(["https://{}", "{}/", " {}/v2/x?y#z ", "{}:443", "HTTPS://{}:443/"])
)
def test_what_stands_around_a_host_falls_away(host: RegistryHost, frame: str) -> None:
    for text in (str(host), str(host).upper()):
        read = RegistryHost.parse(frame.format(text))
        assert (read.account, read.region, read.suffix) == (host.account, host.region, host.suffix)
        assert read.ok
        assert read.host == str(host)
        assert read.port == (443 if ":443" in frame else None)


@given(st.text(max_size=20) | st.text(alphabet="dkr.ecr-0123456789awsonm:/@", max_size=60))
def test_any_text_is_a_host_or_has_problems(text: str) -> None:
    read = RegistryHost.parse(text)

    assert read.ok == (not read.problems)
    assert all(problem.isprintable() for problem in read.problems)
    if read.ok:
        assert read.host in expected_hosts(read.account, read.region)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("https://", "empty"),
        ("docker.io", "not an ECR registry"),
        ("public.ecr.aws", "public gallery"),
        ("https://public.ecr.aws/x1", "public gallery"),
        ("ecr.eu-west-1.amazonaws.com", "address of ECR's API"),
        ("api.ecr.eu-west-1.amazonaws.com", "address of ECR's API"),
        ("ecr.eu-west-1.api.aws", "address of ECR's API"),
        ("123456789012.dkr.ecr.amazonaws.com", "names no region"),
        ("123456789012.dkr-ecr.on.aws", "names no region"),
        ("dkr.ecr.eu-west-1.amazonaws.com", "account ID is missing"),
        (".dkr.ecr.eu-west-1.amazonaws.com", "account ID is missing"),
        ("96802670493.dkr.ecr.ap-southeast-1.amazonaws.com", "96802670493 has 11 digits"),
        ("1234567890123.dkr.ecr.eu-west-1.amazonaws.com", "has 13 digits"),
        ("7.dkr.ecr.eu-west-1.amazonaws.com", "has 1 digit,"),
        ("my-account.dkr.ecr.eu-west-1.amazonaws.com", "digits only"),
        ("١٢٣٤٥٦٧٨٩٠١٢.dkr.ecr.eu-west-1.amazonaws.com", "digits only"),
        ("123456789012.dkr.ecr.eu_wset.amazonaws.com", "'eu_wset' is not a region's name"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com", "end in .amazonaws.com.cn"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn", "end in .amazonaws.com,"),
        ("123456789012.dkr.ecr.us-iso-east-1.amazonaws.com", "end in .c2s.ic.gov"),
        ("123456789012.dkr-ecr.eu-west-1.amazonaws.com", "mixes two forms"),
        ("123456789012.dkr.ecr.eu-west-1.on.aws", "mixes two forms"),
        ("123456789012.dkr-ecr.cn-north-1.on.aws", "end in .on.amazonwebservices.com.cn"),
        ("123456789012.dkr-ecr.us-iso-east-1.on.aws", "no dual-stack form"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.org", "not a suffix of AWS"),
        ("http://123456789012.dkr.ecr.eu-west-1.amazonaws.com", "scheme is http"),
        ("https://u:p@123456789012.dkr.ecr.eu-west-1.amazonaws.com", "user name"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.", "ends in a dot"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000", "port 5000"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com:x", "not a port"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com:99999", "not a port"),
        ("a b.example", "' '"),
    ],
)
def test_what_cannot_be_a_registry_says_why(text: str, words: str) -> None:
    read = RegistryHost.parse(text)

    assert not read.ok
    assert any(words in problem for problem in read.problems), read.problems


def test_parts_are_kept_even_where_they_are_wrong() -> None:
    read = RegistryHost.parse("https://96802670493.dkr.ecr.ap-southeast-1.amazonaws.com")

    assert (read.account, read.region, read.partition) == ("96802670493", "ap-southeast-1", "aws")
    assert str(read) == "96802670493.dkr.ecr.ap-southeast-1.amazonaws.com"


def test_expected_hosts_begin_with_the_usual_one() -> None:
    assert expected_hosts(ACCOUNT, "eu-west-1") == (
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com",
        "123456789012.dkr-ecr.eu-west-1.on.aws",
        "123456789012.dkr-ecr-fips.eu-west-1.on.aws",
    )
    assert expected_hosts(ACCOUNT, "cn-north-1")[0] == (
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
    )
    assert len(expected_hosts(ACCOUNT, "us-iso-east-1")) == 2


def test_no_dual_stack_host_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="aws-iso"):
        RegistryHost.for_(ACCOUNT, "us-iso-east-1", dual_stack=True)


def test_account_ids_are_twelve_ascii_digits() -> None:
    assert is_account_id("012345678910")
    for text in ("1" * 11, "1" * 13, "١٢٣٤٥٦٧٨٩٠١٢", "12345678901a", "", "123456789012\n"):
        assert not is_account_id(text)
        assert account_problem(text)
    assert account_problem("012345678910") is None
