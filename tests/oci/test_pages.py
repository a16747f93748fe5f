"""Tags come in pages along `Link`; a list that cannot be read is never an empty one."""

from __future__ import annotations

import json
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from ecr_feed.embedded.protocol.wire import WireRequest, WireResponse
from ecr_feed.oci import StepState, WantedImage
from ecr_feed.oci.registry_client import PAGE, PAGES
from tests.oci.images import raw
from tests.oci.shelf import HOST, NAME, STORAGE, Shop, error


def paged(at: Shop, tags: list[str], size: int, link: str = "/v2/{name}/tags/list") -> None:
    """Pages under a `last` that only the server reads."""

    def page(request: WireRequest) -> WireResponse | None:
        parts = urlsplit(request.url)
        if not parts.path.endswith("/tags/list"):
            return None
        start = int(parse_qs(parts.query).get("last", ["0"])[0], 16)
        headers = {"content-type": "application/json"}
        if start + size < len(tags):
            target = link.format(name=NAME) + f"?n={size}&last={start + size:x}"
            headers["link"] = f'<{target}>; rel="next"'
        body = json.dumps({"name": NAME, "tags": tags[start : start + size]}).encode()
        return WireResponse(200, headers, body)

    at.shelf.hooks.append(page)


@pytest.mark.parametrize("link", ["/v2/{name}/tags/list", f"https://{HOST}/v2/{{name}}/tags/list"])
def test_tags_are_paged_by_link_to_the_end(at: Shop, link: str) -> None:
    tags = [f"1.0.{number}" for number in range(1, 110)]
    paged(at, tags, 50, link)
    walk = at.registry().walk(WantedImage(NAME))
    assert walk.tags == tuple(tags)
    assert walk.requests == 3
    queries = [parse_qs(urlsplit(r.url).query) for r in at.shelf.seen if "tags/list" in r.url]
    assert all(int(query["n"][0]) <= 1000 for query in queries)
    assert PAGE == 1000


def list_answer(body: bytes, **headers: str) -> WireResponse:
    return WireResponse(200, {"content-type": "application/json", **headers}, body)


TAGS = raw({"name": NAME, "tags": ["a"]})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (list_answer(TAGS, link=f'</v2/{NAME}/tags/list?n=1000>; rel="next"'), "LINK"),
        (list_answer(TAGS, link='</v2/other/tags/list?last=a>; rel="next"'), "LINK"),
        (list_answer(TAGS, link=f'<https://{STORAGE}/v2/{NAME}/tags/list?a>; rel="next"'), "LINK"),
        (list_answer(TAGS, link=f'<http://{HOST}/v2/{NAME}/tags/list?a>; rel="next"'), "LINK"),
        (list_answer(b"{"), "TAGS"),
        (list_answer(b"[]"), "TAGS"),
        (list_answer(b"{}"), "TAGS"),
        (list_answer(raw({"tags": "a"})), "TAGS"),
        (list_answer(raw({"tags": [1]})), "TAGS"),
        (list_answer(raw({"name": "other", "tags": []})), "TAGS"),
        (list_answer(b"x" * 9_000_000), "SIZE"),
        (list_answer(TAGS, **{"content-length": "999"}), ""),
        (error("UNSUPPORTED", 405, "n is too large"), "UNSUPPORTED"),
        (error("TOOMANYREQUESTS", 429, "Rate exceeded"), "TOOMANYREQUESTS"),
        (WireResponse(500, {}, b"oops"), "HTTP 500"),
    ],
)
def test_a_list_that_cannot_be_read_is_no_list(at: Shop, answer: WireResponse, code: str) -> None:
    at.shelf.hooks.append(lambda r: answer if "tags/list" in r.url else None)
    walk = at.registry().walk(WantedImage(NAME))
    (step,) = walk.steps
    assert walk.tags is None
    assert step.failure is not None
    assert step.failure.code == code
    assert step.state is (StepState.FAILED if code == "SIZE" else StepState.NOT_ASSESSED)


def test_no_tags_may_be_null(at: Shop) -> None:
    at.shelf.hooks.append(
        lambda r: list_answer(raw({"name": NAME, "tags": None})) if "tags/list" in r.url else None
    )
    assert at.registry().walk(WantedImage(NAME)).tags == ()


def test_pages_without_end_are_a_fault(at: Shop) -> None:
    numbers = count()

    def endless(request: WireRequest) -> WireResponse | None:
        if "tags/list" not in request.url:
            return None
        link = f'</v2/{NAME}/tags/list?last={next(numbers)}>; rel="next"'
        return list_answer(TAGS, link=link)

    at.shelf.hooks.append(endless)
    walk = at.registry().walk(WantedImage(NAME))
    assert walk.steps[0].failure is not None
    assert walk.steps[0].failure.code == "LINK"
    assert walk.requests == PAGES
