import pytest

from ecr_feed.oci.endpoint import next_link


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("", None),
        ('</v2/a/tags/list?n=2&last=x>; rel="next"', "/v2/a/tags/list?n=2&last=x"),
        ("</a>;rel=next", "/a"),
        ('</a>; REL="NEXT"', "/a"),
        ('</a>; rel="prev next"', "/a"),
        ('</a>; rel="prev", </b>; rel="next"', "/b"),
        ('</a,b;c>; title="x, <y>; rel=next"; rel="next"', "/a,b;c"),
        ('</a>; rel="prev"; rel="next"', None),
        ("</a>", None),
        ('</a>; rel="nextish"', None),
        ("not a link; rel=next", None),
    ],
)
def test_next_link(header: str, target: str | None) -> None:
    assert next_link(header) == target
