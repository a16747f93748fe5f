"""Whether a response is what was asked for: a registry's, or the bytes of a blob. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci.manifests import bare_media_type, digest_of
from ecr_feed.oci.registry_errors import FailureReason

API_VERSION: Final = "Docker-Distribution-Api-Version"
_REGISTRY: Final = "registry/2.0"
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_PAGE: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})\Z")


def is_page(headers: Mapping[str, str], body: bytes = b"") -> bool:
    """Whether a response is an HTML page, by its media type or by how its body begins."""
    return bare_media_type(headers.get("Content-Type", "")) in _PAGES or bool(_PAGE.match(body))


def has_registry_mark(headers: Mapping[str, str]) -> bool:
    """Whether a response has the header that registries send with every answer."""
    return _REGISTRY in headers.get(API_VERSION, "")


def is_registry_root(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a success of `GET /v2/` is a registry's: its version header, or the document `{}`."""
    if status != 200 or is_page(headers, body):
        return False
    if has_registry_mark(headers):
        return True
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return document == {}


def described(status: int | None, headers: Mapping[str, str]) -> str:
    """`HTTP 200, text/html`: a response in a message."""
    kind = bare_media_type(headers.get("Content-Type", ""))
    return ", ".join(part for part in (f"HTTP {status}", kind) if part)


@dataclass(frozen=True, slots=True)
class BlobReply:
    """A success of the GET of a blob: `body` has at most `limit` bytes, `cut` if there were more.

    `ranged`: the first `limit` bytes were asked for, and not the whole blob.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    limit: int
    ranged: bool


def blob_problem(reply: BlobReply, digest: str, size: int | None) -> FailureReason | None:
    """Why the response is not the blob of this digest and size, or not the part asked for.

    Codes SIZE and DIGEST are content that is broken for every client. With any other code,
    something on the way answered, or the server does not say enough to tell.
    """
    encoding = reply.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        return _unclear(f"changed on the way: the answer has Content-Encoding {encoding}")
    if is_whole(reply) and digest_of(reply.body, digest) == digest:
        # The right bytes, whatever their media type says.
        return None if size in (None, len(reply.body)) else _wrong_size(len(reply.body), size)
    if is_page(reply.headers, reply.body):
        return _unclear(f"an HTML page, not the blob ({described(reply.status, reply.headers)})")
    if reply.status not in (200, 206):
        return _unclear(f"not an answer with the blob: HTTP {reply.status}")
    return _partial_problem(reply, size) if reply.status == 206 else _full_problem(reply, size)


def is_whole(reply: BlobReply) -> bool:
    """Whether the response holds the whole blob, so that its digest can be computed."""
    if reply.cut or reply.status not in (200, 206):
        return False
    found = _RANGE.match(reply.headers.get("Content-Range", ""))
    if reply.status == 206:
        return found is not None and (int(found[1]), int(found[3])) == (0, len(reply.body))
    return True


def _partial_problem(reply: BlobReply, size: int | None) -> FailureReason | None:
    said = reply.headers.get("Content-Range", "")
    found = _RANGE.match(said)
    if found is None:
        return _unclear(f"HTTP 206 with Content-Range {said!r}, which names no bytes")
    first, last, total = (int(number) for number in found.groups())
    wanted = min(reply.limit, total) - 1
    if (first, last) != (0, wanted):
        return _unclear(f"bytes 0-{wanted} were asked for, Content-Range says {first}-{last}")
    if size is not None and total != size:
        return _wrong_size(total, size)
    if reply.cut or len(reply.body) != wanted + 1:
        got = f"more than {len(reply.body):,}" if reply.cut else f"{len(reply.body):,}"
        return _unclear(f"{wanted + 1:,} bytes were promised, {got} came")
    return _wrong_digest() if is_whole(reply) else None


def _full_problem(reply: BlobReply, size: int | None) -> FailureReason | None:
    length = reply.headers.get("Content-Length", "")
    promised = int(length) if length.isascii() and length.isdigit() else None
    if not reply.cut:
        short = size not in (None, len(reply.body))
        return _wrong_size(len(reply.body), size) if short else _wrong_digest()
    if size is not None and promised not in (None, size):
        return _wrong_size(promised, size)
    if not reply.ranged:
        return _wrong_size(None, size)
    if promised is None:
        return _unclear("the answer does not say how many bytes it has")
    return None


def _wrong_size(found: int | None, size: int | None) -> FailureReason:
    has = f"more than {size}" if found is None else str(found)
    message = f"the blob has {has} bytes, the manifest says {size}"
    return FailureReason(Trouble.MALFORMED, message, "SIZE")


def _wrong_digest() -> FailureReason:
    return FailureReason(Trouble.MALFORMED, "the blob does not match its digest", "DIGEST")


def _unclear(message: str) -> FailureReason:
    return FailureReason(Trouble.MALFORMED, message, "NOT_A_BLOB")
