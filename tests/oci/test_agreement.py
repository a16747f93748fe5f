"""Twenty situations: our verdict and skopeo's, both through the same proxy to the same server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.facts.aws import Trouble
from ecr_feed.oci import Platform, Step, StepResult, StepState, WantedImage, manifests
from tests.oci.images import Image, image, index, schema_1
from tests.oci.shelf import HOST, NAME, PASSWORD, Hook, Shelf, Shop, error, shop, skopeo

HELM = "application/vnd.cncf.helm.config.v1+json"
AMD64 = Platform("linux", "amd64")


def on(part: str, answer: Hook) -> Hook:
    """Answers requests whose path holds a part; None goes on to the shelf."""
    return lambda request: answer(request) if part in urlsplit(request.url).path else None


def breaking(kind: str) -> Callable[[WireRequest], WireResponse]:
    def broken(request: WireRequest) -> WireResponse:
        raise ConnectionFault(kind)

    return broken


def plain() -> Shelf:
    shelf = Shelf()
    shelf.put("1.0", image())
    return shelf


def with_tag(made: Image) -> Shelf:
    shelf = Shelf()
    shelf.put("1.0", made)
    return shelf


def hooked(part: str, answer: Hook) -> Shelf:
    shelf = plain()
    shelf.hooks.append(on(part, answer))
    return shelf


def corrupted() -> Shelf:
    shelf = plain()
    layer = shelf.tags["1.0"].layer
    shelf.blobs[layer] = shelf.blobs[layer][:-1] + b"?"
    return shelf


def wrong_digest() -> Shelf:
    shelf = with_tag(index("amd64"))
    child = shelf.tags["1.0"].children[0]
    shelf.manifests[child.digest] = image("something else")
    return shelf


def cut_blob() -> Shelf:
    shelf = plain()
    content = shelf.blobs[shelf.tags["1.0"].layer]
    whole = str(len(content))
    answer = WireResponse(200, {"content-length": whole}, content[:10])
    shelf.hooks.append(
        on(shelf.tags["1.0"].layer, lambda request: None if request.host == HOST else answer)
    )
    return shelf


def redirecting(where: str) -> Shelf:
    return hooked("/blobs/", lambda request: WireResponse(307, {"location": where}))


@dataclass(frozen=True)
class Row:
    """A situation, and how our walk ends in it: at a step, as a state, for a trouble and code."""

    name: str
    shelf: Callable[[], Shelf] = plain
    ends: tuple[Step, StepState, Trouble, str] | None = None
    password: str = PASSWORD
    repository: str = NAME
    read: float = 5.0
    around: Callable[[Shelf], AbstractContextManager[Shop]] = shop


def failed(step: Step, trouble: Trouble, code: str = "") -> tuple[Step, StepState, Trouble, str]:
    return step, StepState.FAILED, trouble, code


def unknown(step: Step, trouble: Trouble, code: str = "") -> tuple[Step, StepState, Trouble, str]:
    return step, StepState.NOT_ASSESSED, trouble, code


DENIED = error("DENIED", 403, "User: x is not authorized")
EXPIRED = error(
    "DENIED", 403, "Your authorization token has expired. Reauthenticate and try again."
)

ROWS = [
    Row(
        "wrong password", password="no", ends=failed(Step.LOGIN, Trouble.LOGIN_REFUSED, "HTTP 401")
    ),
    Row(
        "expired",
        lambda: hooked("/v2/", lambda r: EXPIRED if "authorization" in r.headers else None),
        failed(Step.LOGIN, Trouble.EXPIRED, "DENIED"),
    ),
    Row(
        "missing repository",
        repository="team/none",
        ends=failed(Step.TAGS, Trouble.NOT_FOUND, "NAME_UNKNOWN"),
    ),
    Row("missing tag", Shelf, failed(Step.HEAD, Trouble.NOT_FOUND, "MANIFEST_UNKNOWN")),
    Row(
        "denied manifest",
        lambda: hooked("/manifests/", lambda r: DENIED),
        failed(Step.HEAD, Trouble.DENIED, "DENIED"),
    ),
    Row(
        "denied blob",
        lambda: hooked("/blobs/", lambda r: DENIED),
        failed(Step.CONFIG, Trouble.DENIED, "DENIED"),
    ),
    Row("corrupted blob", corrupted, failed(Step.LAYER, Trouble.MALFORMED, "DIGEST")),
    Row("wrong digest", wrong_digest, failed(Step.PLATFORM, Trouble.MALFORMED, "DIGEST")),
    Row("OCI index", lambda: with_tag(index("arm64", "amd64", attest=True))),
    Row("Docker schema 2", lambda: with_tag(image(form=manifests.DOCKER_SCHEMA_2))),
    Row("schema 1", lambda: with_tag(schema_1(NAME, "1.0"))),
    Row(
        "artifact without platform",
        lambda: with_tag(image(config_type=HELM, architecture=None)),
        failed(Step.CONFIG, Trouble.OTHER, "ARTIFACT"),
    ),
    Row(
        "huge manifest",
        lambda: with_tag(image(pad=5_000_000)),
        failed(Step.MANIFEST, Trouble.MALFORMED, "SIZE"),
    ),
    Row(
        "slow",
        lambda: hooked("/manifests/", breaking("read-timeout")),
        unknown(Step.HEAD, Trouble.TIMEOUT),
        read=0.3,
    ),
    Row("reset in the middle", cut_blob, unknown(Step.LAYER, Trouble.RESET)),
    Row(
        "redirect loop",
        lambda: redirecting(f"https://{HOST}/v2/{NAME}/blobs/round"),
        failed(Step.CONFIG, Trouble.OTHER, "REDIRECT"),
    ),
    # The proxy opens no way to port 80, like the networks that this row stands for.
    Row(
        "redirect to http",
        lambda: redirecting("http://storage.example.com/x"),
        failed(Step.CONFIG, Trouble.OTHER, "REDIRECT"),
    ),
    Row(
        "bad certificate",
        around=lambda shelf: shop(shelf, trusted=False),
        ends=unknown(Step.CHALLENGE, Trouble.TLS),
    ),
    Row(
        "expired certificate",
        around=lambda shelf: shop(shelf, life=timedelta(hours=-2)),
        ends=unknown(Step.CHALLENGE, Trouble.TLS),
    ),
    Row(
        "proxy 407",
        around=lambda shelf: shop(shelf, proxy_login=("me", "secret")),
        ends=unknown(Step.CHALLENGE, Trouble.PROXY, "407"),
    ),
]

MORE = [
    Row(
        "index without the platform",
        lambda: with_tag(index("arm64")),
        failed(Step.PLATFORM, Trouble.OTHER, "PLATFORM"),
    ),
    Row("OCI index that names no platform", lambda: with_tag(index(None))),
    Row(
        "Docker list that names no platform",
        lambda: with_tag(index(None, form=manifests.DOCKER_LIST)),
        failed(Step.PLATFORM, Trouble.OTHER, "PLATFORM"),
    ),
    Row("Docker list", lambda: with_tag(index("amd64", form=manifests.DOCKER_LIST))),
    Row("config without platform", lambda: with_tag(image(architecture=None))),
]


def ours(at: Shop, row: Row) -> tuple[StepResult, ...]:
    """Everything that our walk found, login first."""
    registry = at.registry(row.password, read=row.read, allowed=(row.repository,))
    wanted = WantedImage(row.repository, "1.0", AMD64)
    steps = (*registry.login().steps, *registry.walk(wanted, deep=True).steps)
    registry.client.network.close()
    return steps


@pytest.mark.parametrize("row", ROWS + MORE, ids=lambda row: row.name)
def test_we_and_skopeo_agree(row: Row, tmp_path: Path) -> None:
    shelf = row.shelf()
    with row.around(shelf) as at:
        steps = ours(at, row)
        theirs = skopeo(
            at,
            *("--override-os", "linux", "--override-arch", "amd64"),
            *("copy", "--src-creds", f"AWS:{row.password}"),
            *(f"docker://{HOST}/{row.repository}:1.0", f"docker-archive:{tmp_path / 'image'}"),
            home=tmp_path,
            timeout="1s" if row.read < 1 else "20s",
        )
    bad = next((step for step in steps if not step.ok), None)
    assert (bad is None) == (theirs.returncode == 0), (bad, theirs.stderr)
    found = bad and bad.failure and (bad.step, bad.state, bad.failure.trouble, bad.failure.code)
    assert found == row.ends
    assert (row.ends is None) == (theirs.returncode == 0)


def test_the_table_has_every_situation_of_the_requirement() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) == 20
