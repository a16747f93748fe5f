"""Lists as ECR pages them: `n` up to 1,000, and a `last` that only ECR can read."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from ecr_feed.embedded.registry import answers
from ecr_feed.embedded.registry.app import Asking
from ecr_feed.embedded.wire import WireResponse

_USUAL: Final = 100
_MOST: Final = 1000
_KEY: Final = secrets.token_bytes(16)


def tags(asked: Asking) -> WireResponse:
    """GET /v2/NAME/tags/list: the tags of images that can be pulled."""
    if asked.request.method != "GET":
        return answers.unsupported()
    asked.state.call(
        asked.holder,
        asked.registry,
        "ListImages",
        {"repositoryName": asked.name, "maxResults": 1},
    )
    repository = asked.registry.repositories[asked.name]
    active = [
        tag
        for tag, digest in tuple(repository.tags.items())
        if repository.images[digest].status == "ACTIVE"
    ]
    return _page(asked, active, lambda page: {"name": asked.name, "tags": page})


def catalog(asked: Asking) -> WireResponse:
    """GET /v2/_catalog: every repository, for those who may describe them all."""
    if asked.request.method != "GET":
        return answers.unsupported()
    asked.state.check(asked.holder, asked.registry, "DescribeRepositories", None)
    names = sorted(asked.registry.repositories)
    return _page(asked, names, lambda page: {"repositories": page})


def _page(
    asked: Asking, rows: Sequence[str], shown: Callable[[list[str]], dict[str, object]]
) -> WireResponse:
    wanted, last = asked.parameter("n", str(_USUAL)), asked.parameter("last")
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:9]) <= _MOST):
        return answers.unsupported(f"Invalid parameter at 'n': it must be 1 to {_MOST}")
    start = _opened(last) if last else 0
    if start is None:
        return answers.unsupported("Invalid parameter at 'last'")
    end = start + int(wanted)
    page = shown(list(rows[start:end]))
    if end >= len(rows):
        return answers.shown(page)
    query = urlencode({"last": _sealed(end), "n": wanted})
    link = f'<{quote(asked.request.path)}?{query}>; rel="next"'
    return answers.shown(page, link=link)


def _sealed(position: int) -> str:
    """A position that a client cannot guess: it has to follow the link."""
    text = str(position).encode()
    mark = hmac.digest(_KEY, text, "sha256")[:12]
    return base64.urlsafe_b64encode(mark + text).decode().rstrip("=")


def _opened(last: str) -> int | None:
    try:
        raw = base64.urlsafe_b64decode(last + "=" * (-len(last) % 4))
    except ValueError:
        return None
    mark, text = raw[:12], raw[12:]
    known = hmac.compare_digest(mark, hmac.digest(_KEY, text, "sha256")[:12])
    return int(text) if known else None
