"""Redirects, pages, sizes, repeats: what a server may do to the client, and what it may not."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import count
from urllib.parse import urlsplit

import pytest

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.facts.aws import Trouble
from ecr_feed.oci import Step, StepResult, StepState, WantedImage
from ecr_feed.oci.registry_client import FIRST_BYTES, SMALL_LAYER
from ecr_feed.oci.registry_transport import REDIRECTS
from tests.oci.images import Image, digest, image, raw
from tests.oci.shelf import HOST, NAME, STORAGE, Shop, error

OTHER = f"https://{STORAGE}/elsewhere"


def pull(at: Shop) -> tuple[StepResult, ...]:
    return at.registry().walk(WantedImage(NAME, "1.0"), deep=True).steps


def broken(at: Shop) -> StepResult:
    found = at.registry().walk(WantedImage(NAME, "1.0"), deep=True).broken
    assert found is not None
    return found


def redirect(where: str, status: int = 307) -> WireResponse:
    return WireResponse(status, {"location": where})


def test_the_login_never_leaves_the_registry(at: Shop) -> None:
    at.shelf.put("1.0", image())
    assert all(step.ok for step in pull(at))
    assert {("authorization" in r.headers) for r in at.shelf.seen if r.host == STORAGE} == {False}


def test_the_login_does_not_come_back_with_a_redirect_home(at: Shop) -> None:
    made = at.shelf.put("1.0", image())

    def bounce(request: WireRequest) -> WireResponse | None:
        if request.host == STORAGE:
            return redirect(f"https://{HOST}/v2/{NAME}/blobs/{made.layer}?back")
        return None

    at.shelf.hooks.append(bounce)
    # The same registry accepted the login before: no verdict from one of the two.
    assert broken(at).trouble is Trouble.CONTRADICTION
    assert {r.headers.get("authorization") for r in at.shelf.seen if "back" in r.url} == {None}


def test_a_manifest_may_be_redirected_and_stays_without_login(at: Shop) -> None:
    made = at.shelf.put("1.0", image())

    def moved(request: WireRequest) -> WireResponse | None:
        if request.method == "GET" and "/manifests/" in request.url:
            return redirect(OTHER)
        if request.url.startswith(OTHER):
            return WireResponse(200, {"content-type": made.media_type}, made.manifest)
        return None

    at.shelf.hooks.append(moved)
    assert all(step.ok for step in pull(at))
    assert [r.headers.get("authorization") for r in at.shelf.seen if r.url == OTHER] == [None]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("http://storage.example.com/x", "plain http"),
        ("ftp://storage.example.com/x", "cannot be used"),
        ("https://me:secret@storage.example.com/x", "user or password"),
        ("https://[::1", "cannot be read"),
        ("javascript:alert(1)", "cannot be used"),
        (f"/v2/{NAME}/blobs/round", "loop"),
    ],
)
def test_redirects_that_are_not_followed(at: Shop, where: str, says: str) -> None:
    at.shelf.put("1.0", image())
    at.shelf.hooks.append(lambda r: redirect(where) if "/blobs/" in r.url else None)
    found = broken(at)
    assert (found.step, found.state) == (Step.CONFIG, StepState.FAILED)
    assert found.failure is not None
    assert found.failure.code == "REDIRECT"
    assert says in found.what
    assert "secret" not in repr(found)


def test_redirects_end_after_so_many(at: Shop) -> None:
    at.shelf.put("1.0", image())
    numbers = count()
    at.shelf.hooks.append(
        lambda r: redirect(f"{OTHER}{next(numbers)}") if r.host == STORAGE else None
    )
    found = broken(at)
    assert f"more than {REDIRECTS} times" in found.what
    assert sum("elsewhere" in r.url for r in at.shelf.seen) == 2 * (REDIRECTS - 1)


def test_a_relative_redirect_is_followed(at: Shop) -> None:
    at.shelf.put("1.0", image())

    def relative(request: WireRequest) -> WireResponse | None:
        path = urlsplit(request.url).path
        if request.host == HOST and "/blobs/" in path:
            return redirect(f"../content/{path.rpartition('/')[2]}", 302)
        if "/content/" in path:
            return WireResponse(200, {}, at.shelf.blobs[path.rpartition("/")[2]])
        return None

    at.shelf.hooks.append(relative)
    assert all(step.ok for step in pull(at))


def with_layer(at: Shop, content: bytes, size: int | None = None) -> Image:
    """An image whose layer has these bytes."""
    made = image()
    document = json.loads(made.manifest)
    layer = {
        "mediaType": "x",
        "digest": digest(content),
        "size": len(content) if size is None else size,
    }
    document["layers"] = [layer]
    return at.shelf.put(
        "1.0", Image(made.media_type, raw(document), made.blobs | {digest(content): content})
    )


def test_of_a_large_layer_only_the_first_bytes_are_asked_for(at: Shop) -> None:
    made = with_layer(at, b"z" * (SMALL_LAYER + 1))
    ranges: list[str | None] = []

    def ranged(request: WireRequest) -> WireResponse | None:
        if request.host != STORAGE or made.layer not in request.url:
            return None
        ranges.append(request.headers.get("range"))
        headers = {"content-range": f"bytes 0-{FIRST_BYTES - 1}/{SMALL_LAYER + 1}"}
        return WireResponse(206, headers, b"z" * FIRST_BYTES)

    at.shelf.hooks.append(ranged)
    steps = pull(at)
    assert all(step.ok for step in steps)
    assert ranges == [f"bytes=0-{FIRST_BYTES - 1}"]
    assert "first bytes" in steps[-1].what


def test_a_storage_that_ignores_the_range_is_fine(at: Shop) -> None:
    with_layer(at, b"z" * (SMALL_LAYER * 8))
    assert all(step.ok for step in pull(at))


@pytest.mark.parametrize("length", [0, 1, SMALL_LAYER])
def test_a_small_layer_is_read_whole(at: Shop, length: int) -> None:
    with_layer(at, b"z" * length)
    steps = pull(at)
    assert all(step.ok for step in steps)
    assert "digest verified" in steps[-1].what


@pytest.mark.parametrize(
    ("size", "length"), [(10, 11), (11, 10), (SMALL_LAYER + 2, SMALL_LAYER + 1), (0, 1)]
)
def test_a_layer_of_another_size_is_broken(at: Shop, size: int, length: int) -> None:
    with_layer(at, b"z" * length, size)
    found = broken(at)
    assert (found.step, found.state) == (Step.LAYER, StepState.FAILED)
    assert found.failure is not None
    assert found.failure.code == "SIZE"


def test_the_same_layer_twice_is_asked_for_once(at: Shop) -> None:
    made = image()
    document = json.loads(made.manifest)
    document["layers"] *= 3
    at.shelf.put("1.0", Image(made.media_type, raw(document), made.blobs))
    assert sum(step.step is Step.LAYER for step in pull(at)) == 1


def test_a_layer_from_elsewhere_is_not_asked_for(at: Shop) -> None:
    made = image()
    document = json.loads(made.manifest)
    document["layers"][0] |= {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "urls": ["https://mcr.example.com/layer"],
    }
    at.shelf.put("1.0", Image(made.media_type, raw(document), made.blobs))
    found = broken(at)
    assert (found.step, found.state) == (Step.LAYER, StepState.NOT_ASSESSED)
    assert all("mcr" not in r.url for r in at.shelf.seen)


@pytest.mark.parametrize(
    ("times", "answer", "ok", "sent"),
    [
        (1, ConnectionFault("reset"), True, 2),
        (2, ConnectionFault("reset"), False, 2),
        (2, error("TOOMANYREQUESTS", 429), True, 3),
        (3, error("TOOMANYREQUESTS", 429), False, 3),
        (1, WireResponse(503, {}, b""), False, 1),
    ],
)
def test_what_is_tried_again(
    at: Shop, times: int, answer: WireResponse | ConnectionFault, ok: bool, sent: int
) -> None:
    left = iter(range(times))

    def hook(request: WireRequest) -> WireResponse | None:
        if "tags/list" not in request.url or next(left, None) is None:
            return None
        if isinstance(answer, ConnectionFault):
            raise answer
        return answer

    at.shelf.hooks.append(hook)
    walk = at.registry().walk(WantedImage(NAME))
    assert walk.ok is ok
    assert walk.requests == sent


def test_a_huge_refusal_is_read_in_part_and_shown_in_less(at: Shop) -> None:
    at.shelf.hooks.append(
        lambda r: WireResponse(500, {}, b"y" * 3_000_000) if "tags" in r.url else None
    )
    step = at.registry().walk(WantedImage(NAME)).steps[0]
    assert len(step.what) < 400


def test_hostile_words_stay_one_short_line(at: Shop) -> None:
    said = "bad\n::error::x\x1b[31m\u2028##octopus[x]\x00" + "z" * 1000
    at.shelf.hooks.append(lambda r: error("DENIED", 403, said) if "tags" in r.url else None)
    step = at.registry().walk(WantedImage(NAME)).steps[0]
    assert not any(character in step.what for character in "\n\x1b\x00\u2028")
    assert len(step.what) < 400


def test_an_answer_that_never_ends_is_given_up(at: Shop) -> None:
    at.shelf.put("1.0", image(pad=1_000_000))
    seconds = count(0, 4.0)  # each look at the clock is four seconds later
    network = replace(at.network(), monotonic=lambda: next(seconds))
    walk = at.registry(network=network).walk(WantedImage(NAME, "1.0"), deep=True)
    assert walk.broken is not None
    assert (walk.broken.step, walk.broken.trouble) == (Step.MANIFEST, Trouble.TIMEOUT)
    assert "more than 10 s" in walk.broken.what


def test_a_compressed_answer_is_not_the_stored_bytes(at: Shop) -> None:
    at.shelf.put("1.0", image())

    def compressed(request: WireRequest) -> WireResponse | None:
        content = at.shelf.blobs.get(urlsplit(request.url).path.lstrip("/"))
        if request.host != STORAGE or content is None:
            return None
        return WireResponse(200, {"content-encoding": "gzip"}, gzip.compress(content))

    at.shelf.hooks.append(compressed)
    found = broken(at)
    assert (found.step, found.state) == (Step.CONFIG, StepState.NOT_ASSESSED)
    assert "gzip" in found.what
