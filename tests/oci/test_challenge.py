import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.oci.login import Challenge, ChallengeError, parse_challenges

ECR = 'Basic realm="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        ("Basic", (Challenge("basic"),)),
        (
            ECR,
            (
                Challenge(
                    "basic",
                    {
                        "realm": "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",
                        "service": "ecr.amazonaws.com",
                    },
                ),
            ),
        ),
        ('BASIC  REALM="a, b"', (Challenge("basic", {"realm": "a, b"}),)),
        (
            'Basic realm = "x" , charset="UTF-8"',
            (Challenge("basic", {"realm": "x", "charset": "UTF-8"}),),
        ),
        (r'Basic realm="say \"hi\" \\"', (Challenge("basic", {"realm": r'say "hi" \ '.strip()}),)),
        (
            'Negotiate, Basic realm="x"',
            (Challenge("negotiate"), Challenge("basic", {"realm": "x"})),
        ),
        (
            'Negotiate YWJj==, Basic realm="x"',
            (Challenge("negotiate", {}, "YWJj=="), Challenge("basic", {"realm": "x"})),
        ),
        (
            'Bearer realm="https://t/",scope="repository:a:pull,push", Basic realm="x"',
            (
                Challenge("bearer", {"realm": "https://t/", "scope": "repository:a:pull,push"}),
                Challenge("basic", {"realm": "x"}),
            ),
        ),
        (
            ", ,Basic realm=x,, Digest nonce=1,",
            (Challenge("basic", {"realm": "x"}), Challenge("digest", {"nonce": "1"})),
        ),
        ("Basic realm=https://host/", (Challenge("basic", {"realm": "https://host/"}),)),
    ],
)
def test_reads_what_the_rfc_allows(header: str, expected: tuple[Challenge, ...]) -> None:
    assert parse_challenges(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="open',
        'Basic realm="a", realm="b"',
        '="x"',
        'Basic realm="a" more',
        "Basic/x y=1 z",
    ],
)
def test_refuses_what_the_rfc_does_not(header: str) -> None:
    with pytest.raises(ChallengeError):
        parse_challenges(header)


@given(
    st.lists(
        st.tuples(st.sampled_from(["realm", "a", "b-c"]), st.text('ab "\\,=', max_size=6)),
        max_size=3,
        unique_by=lambda pair: pair[0],
    )
)
def test_reads_back_what_is_quoted(pairs: list[tuple[str, str]]) -> None:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"')

    header = "X " + ", ".join(f'{name}="{quoted(value)}"' for name, value in pairs) + ", Basic"
    assert parse_challenges(header) == (Challenge("x", dict(pairs)), Challenge("basic"))


@given(st.text('aB="\\, \t/', max_size=30))
def test_any_text_ends_in_challenges_or_the_one_error(header: str) -> None:
    try:
        found = parse_challenges(header)
    except ChallengeError:
        return
    assert all(challenge.scheme for challenge in found)
