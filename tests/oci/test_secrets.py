"""Token, password and their base64 forms appear in nothing that the client hands out."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecr_feed.embedded.protocol.wire import ConnectionFault, WireRequest, WireResponse
from ecr_feed.facts.aws import Secret
from ecr_feed.oci import Platform, RegistrySession, RepositoryNotAllowedError, WantedImage
from ecr_feed.oci.registry_transport import BasicLogin
from tests.oci.images import image, raw
from tests.oci.shelf import NAME, PASSWORD, Hook, Shop, error, skopeo

TOKEN = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
FORMS = (
    PASSWORD,
    TOKEN,
    TOKEN.rstrip("="),
    base64.b64encode(PASSWORD.encode()).decode(),
    base64.urlsafe_b64encode(PASSWORD.encode()).decode(),
    f"AWS:{PASSWORD}",
    PASSWORD[20:60],
    TOKEN[20:60],
    TOKEN[15:35],
    TOKEN[-20:],
)


def echo(request: WireRequest) -> WireResponse:
    """A server that puts what it was sent into its answer, as debugging proxies do."""
    given = request.headers.get("authorization", "")
    decoded = base64.b64decode(given.removeprefix("Basic ")).decode()
    password = decoded.partition(":")[2]
    inner = base64.b64encode(password.encode()).decode()
    return error("DENIED", 403, f"bad header {given} = {decoded} = {inner}")


def part(request: WireRequest) -> WireResponse:
    """Echoes pieces, cut and joined to other text."""
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    return error("DENIED", 403, f"token={given[15:70]}... ends {given[-40:]}")


def reset(request: WireRequest) -> WireResponse:
    raise ConnectionFault("reset")


def garbage(request: WireRequest) -> WireResponse:
    return WireResponse(200, {}, request.headers.get("authorization", "").encode())


def redirect(request: WireRequest) -> WireResponse:
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    return WireResponse(307, {"location": f"ftp://{given}/"})


def named(request: WireRequest) -> WireResponse:
    given = request.headers.get("authorization", "").removeprefix("Basic ")
    return WireResponse(200, {}, raw({"name": given, "tags": [given]}))


@pytest.mark.parametrize("answer", [echo, part, reset, garbage, redirect, named])
@pytest.mark.parametrize("part", ["tags/list", "/manifests/", "/blobs/", "/v2/"])
def test_no_record_shows_the_login(
    at: Shop, part: str, answer: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    at.shelf.put("1.0", image())

    def hook(request: WireRequest) -> WireResponse | None:
        if part in request.url and "authorization" in request.headers:
            return answer(request)
        return None

    at.shelf.hooks.append(hook)
    registry = at.registry()
    with caplog.at_level(logging.DEBUG):
        walk = registry.walk(WantedImage(NAME, "1.0", Platform("linux", "amd64")), deep=True)
    shown = "\n".join(
        [
            *map(repr, (registry, registry.client, registry.login(), walk, registry.client.sent)),
            *(step.summary for step in (*registry.login().steps, *walk.steps)),
            caplog.text,
        ]
    )
    assert not [form for form in FORMS if form in shown]


def refused(registry: RegistrySession) -> str:
    """The traceback of a refused question, with every local variable."""
    try:
        registry.walk(WantedImage("team/other"))
    except RepositoryNotAllowedError as raised:
        found = traceback.TracebackException.from_exception(raised, capture_locals=True)
        return "".join(found.format())
    return ""


def test_exceptions_show_no_login(at: Shop) -> None:
    shown = refused(at.registry())
    assert "team/other" in shown
    assert not [form for form in FORMS if form in shown]


def test_the_login_is_not_pickled() -> None:
    basic = BasicLogin("AWS", Secret(PASSWORD))
    assert PASSWORD not in repr(basic)
    assert basic.scrub("repository team/application-server-one") == (
        "repository team/application-server-one"
    )
    with pytest.raises(TypeError):
        pickle.dumps(basic)


@contextlib.contextmanager
def captured() -> Iterator[io.StringIO]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        yield out


def test_nothing_is_printed(at: Shop, tmp_path: Path) -> None:
    at.shelf.put("1.0", image())
    with captured() as out:
        at.registry().walk(WantedImage(NAME, "1.0"), deep=True)
        at.registry("wrong").login()
    assert out.getvalue() == ""
    done = skopeo(at, "list-tags", "--creds", f"AWS:{PASSWORD}", f"docker://{NAME}", home=tmp_path)
    assert not [form for form in FORMS if form in done.stdout + done.stderr]
