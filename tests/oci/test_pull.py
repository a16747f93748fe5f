"""What a walk asks for, and that it asks for nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.facts.aws import Trouble
from ecr_feed.oci import (
    Platform,
    RepositoryNotAllowedError,
    Step,
    StepState,
    WantedImage,
    manifests,
)
from tests.oci.images import image, index, schema_1
from tests.oci.shelf import HOST, NAME, STORAGE, Shop, error
from tests.support.planned_calls import requests_of

AMD64 = Platform("linux", "amd64")


def asked(at: Shop) -> list[tuple[str, str, str]]:
    """Method, host and path of every request as the server saw it."""
    return [(r.method, r.host, urlsplit(r.url).path) for r in at.shelf.seen]


def test_a_walk_that_is_not_deep_asks_for_login_tags_and_head_only(at: Shop) -> None:
    at.shelf.put("1.0", index("amd64", "arm64"))
    at.shelf.put("other", image("other"))
    registry = at.registry()
    walk = registry.walk(WantedImage(NAME, "1.0", AMD64))
    assert walk.ok
    assert asked(at) == [
        ("GET", HOST, "/v2/"),
        ("GET", HOST, "/v2/"),
        ("GET", HOST, "/v2/"),
        ("GET", HOST, f"/v2/{NAME}/tags/list"),
        ("HEAD", HOST, f"/v2/{NAME}/manifests/1.0"),
    ]
    assert walk.requests == requests_of() == 2
    assert (walk.manifest, walk.platforms) == (None, ())
    assert walk.media_type == manifests.OCI_INDEX


def test_a_deep_walk_reads_one_image_and_its_blobs(at: Shop) -> None:
    made = at.shelf.put("1.0", index("amd64", "arm64"))
    at.shelf.put("other", image("other"))
    registry = at.registry()
    walk = registry.walk(WantedImage(NAME, "1.0", AMD64), deep=True)
    assert walk.ok
    chosen = made.children[0]
    config, layer = chosen.blobs
    assert asked(at)[3:] == [
        ("GET", HOST, f"/v2/{NAME}/tags/list"),
        ("HEAD", HOST, f"/v2/{NAME}/manifests/1.0"),
        ("GET", HOST, f"/v2/{NAME}/manifests/{made.digest}"),
        ("GET", HOST, f"/v2/{NAME}/manifests/{chosen.digest}"),
        ("GET", HOST, f"/v2/{NAME}/blobs/{config}"),
        ("GET", STORAGE, f"/{config}"),
        ("GET", HOST, f"/v2/{NAME}/blobs/{layer}"),
        ("GET", STORAGE, f"/{layer}"),
    ]
    assert walk.requests == requests_of(index=True, layers=1, deep=True) == len(asked(at)) - 3
    assert walk.platform == AMD64
    assert [str(platform) for platform in walk.platforms] == ["linux/amd64", "linux/arm64"]


def test_the_record_of_what_was_touched_is_what_the_server_saw(at: Shop) -> None:
    at.shelf.put("1.0", image())
    registry = at.registry()
    registry.walk(WantedImage(NAME, "1.0"), deep=True)
    assert [(t.method, t.host, t.path) for t in registry.client.sent] == asked(at)
    assert all("?" not in touch.path for touch in registry.client.sent)


@pytest.mark.parametrize(
    "name", ["team/none", "team/app/../secret", "", "TEAM/APP", "hub/library/nginx"]
)
def test_a_repository_that_was_not_allowed_is_never_asked_for(at: Shop, name: str) -> None:
    registry = at.registry()
    registry.login()
    with pytest.raises(RepositoryNotAllowedError):
        registry.walk(WantedImage(name, "1.0"), deep=True)
    assert {path for _, _, path in asked(at)} == {"/v2/"}


def test_no_tag_means_the_list_alone(at: Shop) -> None:
    walk = at.registry().walk(WantedImage(NAME), deep=True)
    assert (walk.ok, walk.tags, walk.requests) == (True, (), 1)


def test_a_refused_login_ends_every_walk_and_is_asked_once(at: Shop) -> None:
    registry = at.registry("wrong")
    walks = registry.walk_all([WantedImage(NAME, "1.0"), WantedImage(NAME, "2.0")], deep=True)
    assert {step.state for walk in walks for step in walk.steps} == {StepState.NOT_ASSESSED}
    assert {step.trouble for walk in walks for step in walk.steps} == {Trouble.LOGIN_REFUSED}
    assert len(asked(at)) == 3


def test_a_registry_that_takes_any_password_is_seen(at: Shop) -> None:
    at.shelf.hooks.append(lambda request: WireResponse(200, {}, b"{}"))
    login = at.registry().login()
    assert [step.state for step in login.steps] == [StepState.OK, StepState.OK, StepState.FAILED]


@pytest.mark.parametrize(
    ("challenge", "says"),
    [
        ('Bearer realm="https://token.example.com/"', "for bearer"),
        ("", "an unnamed scheme"),
        ('Basic realm="open', "cannot be read"),
    ],
)
def test_the_login_goes_to_a_basic_challenge_only(at: Shop, challenge: str, says: str) -> None:
    headers = {"www-authenticate": challenge} if challenge else {}
    at.shelf.hooks.append(lambda request: WireResponse(401, headers, b""))
    login = at.registry().login()
    assert (login.challenge.state, login.login.state) == (StepState.NOT_ASSESSED,) * 2
    assert says in login.challenge.what
    assert all("authorization" not in request.headers for request in at.shelf.seen)


PAGE = "<!doctype html><title>Sign in</title>"


def answering(at: Shop, answer: WireResponse, *, only: str = "", skip: int = 0) -> None:
    """Answers requests whose method and URL hold a part, but for the first few."""
    left = iter(range(skip))

    def hook(request: WireRequest) -> WireResponse | None:
        if only not in f"{request.method} {request.url}" or next(left, None) is not None:
            return None
        return answer

    at.shelf.hooks.append(hook)


def page(status: int = 200) -> WireResponse:
    return WireResponse(status, {"content-type": "text/html"}, PAGE.encode())


OK, NOT = StepState.OK, StepState.NOT_ASSESSED


@pytest.mark.parametrize(
    ("answer", "skip", "states"),
    [
        (page(), 0, [NOT, NOT, NOT]),
        (page(), 1, [OK, NOT, NOT]),
        (page(), 2, [OK, OK, NOT]),
        (page(403), 1, [OK, NOT, NOT]),
        (page(401), 1, [OK, NOT, NOT]),
        (page(403), 2, [OK, OK, NOT]),
        (WireResponse(401, {}, b"who are you"), 1, [OK, NOT, NOT]),
        (WireResponse(200, {}, b""), 1, [OK, NOT, NOT]),
        (WireResponse(200, {"content-type": "application/json"}, b'{"up": 1}'), 0, [NOT, NOT, NOT]),
        (WireResponse(307, {"location": f"https://{STORAGE}/v2/"}), 1, [OK, NOT, NOT]),
        (error("NAME_UNKNOWN", 404), 1, [OK, NOT, NOT]),
        (error("DENIED", 403), 1, [OK, StepState.FAILED, OK]),
        (error("UNAUTHORIZED", 401), 1, [OK, StepState.FAILED, OK]),
        (error("DENIED", 400), 2, [OK, OK, OK]),
    ],
)
def test_only_a_registry_accepts_and_refuses(
    at: Shop, answer: WireResponse, skip: int, states: list[StepState]
) -> None:
    answering(at, answer, only="/v2/", skip=skip)
    assert [step.state for step in at.registry().login().steps] == states


def test_another_host_that_accepts_the_login_is_not_the_registry(at: Shop) -> None:
    answering(at, WireResponse(307, {"location": f"https://{STORAGE}/ok"}), only=f"{HOST}/v2/")
    answering(at, WireResponse(200, {}, b"{}"), only=f"{STORAGE}/ok")
    login = at.registry().login()
    assert [step.state for step in login.steps] == [NOT, NOT, NOT]
    assert STORAGE in login.challenge.what


def test_a_401_after_the_accepted_login_is_asked_about_once_more(at: Shop) -> None:
    at.shelf.put("1.0", image())
    refusal = WireResponse(401, {"www-authenticate": 'Basic realm="r"'}, b"")
    answering(at, refusal, only="/tags/list")
    walk = at.registry().walk(WantedImage(NAME, "1.0"))
    assert walk.broken is not None
    assert (walk.broken.step, walk.broken.trouble) == (Step.TAGS, Trouble.CONTRADICTION)
    assert [path for _, _, path in asked(at)][3:] == [
        *(f"/v2/{NAME}/tags/list", "/v2/", f"/v2/{NAME}/tags/list"),
        f"/v2/{NAME}/manifests/1.0",
    ]
    assert walk.requests == 4


def test_a_401_that_passes_is_no_contradiction(at: Shop) -> None:
    at.shelf.put("1.0", image())
    refusal = WireResponse(401, {"www-authenticate": 'Basic realm="r"'}, b"")
    left = iter(range(1))
    at.shelf.hooks.append(
        lambda r: refusal if "/blobs/" in r.url and next(left, None) is not None else None
    )
    assert at.registry().walk(WantedImage(NAME, "1.0"), deep=True).ok


@pytest.mark.parametrize("then", [WireResponse(503, {}, b""), error("TOOMANYREQUESTS", 429)])
def test_a_second_reading_that_tells_less_settles_nothing(at: Shop, then: WireResponse) -> None:
    at.shelf.put("1.0", image())
    answers = iter([error("MANIFEST_UNKNOWN", 404)])

    def hook(request: WireRequest) -> WireResponse | None:
        get = request.method == "GET" and "/manifests/" in request.url
        return next(answers, then) if get else None

    at.shelf.hooks.append(hook)
    walk = at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
    (head,) = walk.of(Step.HEAD)
    assert (head.state, head.trouble) == (NOT, Trouble.CONTRADICTION)
    assert walk.of(Step.MANIFEST) == ()


def test_a_walk_says_what_was_downloaded_and_from_where(at: Shop) -> None:
    made = at.shelf.put("1.0", index("amd64"))
    walk = at.registry().walk(WantedImage(NAME, "1.0", AMD64), deep=True)
    child = made.children[0]
    config, layer = child.blobs.values()
    got = walk.of(Step.MANIFEST, Step.PLATFORM, Step.CONFIG, Step.LAYER)
    assert [(step.host, step.received, step.verified) for step in got] == [
        (HOST, len(made.manifest), True),
        (HOST, len(child.manifest), True),
        (STORAGE, len(config), True),
        (STORAGE, len(layer), True),
    ]
    assert not any(step.received for step in walk.of(Step.TAGS, Step.HEAD))


def without(at: Shop, header: str, *, method: str) -> None:
    """The shelf's answers about tags, without a header."""

    def hook(request: WireRequest) -> WireResponse | None:
        if request.method != method or not request.url.endswith("/manifests/1.0"):
            return None
        made = at.shelf.tags["1.0"]
        headers = {"content-type": made.media_type, "docker-content-digest": made.digest}
        del headers[header]
        return WireResponse(200, headers, made.manifest)

    at.shelf.hooks.append(hook)


@pytest.mark.parametrize("header", ["content-type", "docker-content-digest"])
def test_a_head_that_shows_no_manifest_is_decided_by_get(at: Shop, header: str) -> None:
    at.shelf.put("1.0", image())
    without(at, header, method="HEAD")
    shallow = at.registry().walk(WantedImage(NAME, "1.0")).broken
    assert shallow is not None
    assert (shallow.step, shallow.state) == (Step.HEAD, NOT)
    walk = at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
    assert walk.ok
    # GET was by tag, and named the digest.
    assert [step.verified for step in walk.of(Step.MANIFEST)] == [True]


def test_a_manifest_without_any_digest_is_read_and_not_verified(at: Shop) -> None:
    at.shelf.put("1.0", image())
    without(at, "docker-content-digest", method="HEAD")
    without(at, "docker-content-digest", method="GET")
    walk = at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
    assert walk.ok
    assert [step.verified for step in walk.of(Step.MANIFEST)] == [False]


def test_basic_beside_another_scheme_is_enough(at: Shop) -> None:
    def hook(request: WireRequest) -> WireResponse | None:
        if "authorization" in request.headers:
            return None
        return WireResponse(401, {"www-authenticate": 'Negotiate, Basic realm="x"'}, b"")

    at.shelf.hooks.append(hook)
    assert at.registry().login().ok


def test_a_refused_head_is_explained_by_the_get_of_a_deep_walk(at: Shop) -> None:
    refusal = error(
        "DENIED", 403, "User: u is not authorized because no VPC endpoint policy allows it"
    )
    at.shelf.hooks.append(lambda r: refusal if "/manifests/" in r.url else None)
    shallow = at.registry().walk(WantedImage(NAME, "1.0"))
    deep = at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
    assert [(w.broken and w.broken.trouble) for w in (shallow, deep)] == [Trouble.DENIED] * 2
    assert shallow.broken is not None
    assert deep.broken is not None
    assert "VPC endpoint" not in shallow.broken.what
    assert "VPC endpoint" in deep.broken.what


def test_a_registry_without_head_is_walked_by_get(at: Shop) -> None:
    at.shelf.put("1.0", image())
    at.shelf.hooks.append(lambda r: error("UNSUPPORTED", 405) if r.method == "HEAD" else None)
    walk = at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
    assert walk.ok
    assert walk.digest == at.shelf.tags["1.0"].digest


def test_a_403_of_something_on_the_way_is_no_denial(at: Shop) -> None:
    page = WireResponse(403, {"content-type": "text/html"}, b"<h1>Blocked by policy</h1>")
    at.shelf.hooks.append(lambda r: page if "/manifests/" in r.url else None)
    for deep in (False, True):
        walk = at.registry().walk(WantedImage(NAME, "1.0"), deep=deep)
        assert walk.broken is not None
        assert (walk.broken.state, walk.broken.trouble) == (StepState.NOT_ASSESSED, Trouble.OTHER)
        assert "<h1>" not in walk.broken.what


def test_a_silent_storage_is_asked_once(at: Shop) -> None:
    at.shelf.put("1.0", image())

    def silent(request: WireRequest) -> WireResponse | None:
        if request.host == STORAGE:
            raise ConnectionFault("read-timeout")
        return None

    at.shelf.hooks.append(silent)
    walk = at.registry(read=0.2).walk(WantedImage(NAME, "1.0"), deep=True)
    assert [step.trouble for step in walk.of(Step.CONFIG, Step.LAYER)] == [Trouble.TIMEOUT] * 2
    assert [step.host for step in walk.of(Step.CONFIG)] == [STORAGE]
    assert sum(request.host == STORAGE for request in at.shelf.seen) == 1
    assert [step.ok for step in walk.of(Step.MANIFEST)] == [True]


def test_schema_1_has_layers_and_no_config(at: Shop) -> None:
    at.shelf.put("1.0", schema_1(NAME, "1.0"))
    walk = at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
    assert walk.ok
    assert (len(walk.of(Step.CONFIG)), len(walk.of(Step.LAYER))) == (0, 1)
    assert walk.platforms == (AMD64,)


def test_200_packages_keep_their_order_and_the_connection_limit(at: Shop) -> None:
    at.shelf.put("1.0", image())
    registry = at.registry()
    wanted = [WantedImage(NAME, "1.0" if number % 2 else f"no-{number}") for number in range(200)]
    walks = registry.walk_all(wanted)
    assert [walk.wanted for walk in walks] == wanted
    assert [walk.ok for walk in walks] == [bool(number % 2) for number in range(200)]
    assert len(registry.client.sent) == 3 + 200 * requests_of()
    # Each connection is one tunnel: they are kept and used again.
    assert len(at.proxy.tunnels) <= registry.client.network.connections
