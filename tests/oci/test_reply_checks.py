"""Which answers are a registry's, a blob, or a page of something on the way."""

from __future__ import annotations

import pytest

from ecr_feed.oci.reply_checks import BlobReply, blob_problem, is_page, is_registry_root, is_whole
from tests.oci.images import digest

MARK = {"Docker-Distribution-Api-Version": "registry/2.0"}
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "registry"),
    [
        (200, MARK, b"", True),
        (200, MARK | JSON, b"{}", True),
        (200, {}, b"{}", True),
        (200, JSON, b" {}\n", True),
        (200, {}, b"", False),
        (200, JSON, b'{"status": "ok"}', False),
        (200, JSON, b"[]", False),
        (200, HTML, b"<html>Sign in</html>", False),
        (200, MARK | HTML, b"<html>Sign in</html>", False),
        (200, MARK, b"\n<!DOCTYPE html><title>x</title>", False),
        (200, HTML, b"{}", False),
        (200, {"Docker-Distribution-Api-Version": "proxy"}, b"", False),
        (204, MARK, b"", False),
        (202, {}, b"{}", False),
        (200, {}, b"[" * 50_000, False),
    ],
)
def test_what_a_registry_answers_to_v2(
    status: int, headers: dict[str, str], body: bytes, registry: bool
) -> None:
    assert is_registry_root(status, headers, body) is registry


@pytest.mark.parametrize(
    ("headers", "body", "page"),
    [
        (HTML, b"", True),
        ({"Content-Type": "application/xhtml+xml"}, b"", True),
        ({}, b"  <HTML lang=en>", True),
        ({}, b"<script>location=1</script>", True),
        ({"Content-Type": "application/octet-stream"}, b"<!doctype html>", True),
        ({"Content-Type": "application/xml"}, b"<?xml version='1.0'?><Error/>", False),
        ({}, b"\x1f\x8b\x08", False),
        ({}, b"", False),
    ],
)
def test_pages(headers: dict[str, str], body: bytes, page: bool) -> None:
    assert is_page(headers, body) is page


SMALL = b"small layer"
LARGE = 200_000
FIRST = b"z" * 1024


def whole(
    body: bytes = SMALL, status: int = 200, *, cut: bool = False, **headers: str
) -> BlobReply:
    """The answer to a request for a small blob."""
    return BlobReply(status, named(headers), body, cut, len(SMALL), ranged=False)


def part(body: bytes = FIRST, status: int = 206, *, cut: bool = False, **headers: str) -> BlobReply:
    """The answer to a request for the first 1,024 bytes of a large blob."""
    return BlobReply(status, named(headers), body, cut, 1024, ranged=True)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


RANGE = f"bytes 0-1023/{LARGE}"


@pytest.mark.parametrize(
    ("reply", "size"),
    [
        (whole(), len(SMALL)),
        (whole(content_length=str(len(SMALL))), len(SMALL)),
        (whole(content_type="text/html"), len(SMALL)),  # the right bytes under a wrong name
        (whole(content_encoding="identity"), len(SMALL)),
        (whole(status=206, content_range="bytes 0-10/11"), len(SMALL)),
        (part(content_range=RANGE), LARGE),
        (part(content_range=RANGE), None),
        (part(status=200, cut=True, content_length=str(LARGE)), LARGE),
        (part(status=200, cut=True, content_length=str(LARGE)), None),
    ],
)
def test_downloads(reply: BlobReply, size: int | None) -> None:
    assert blob_problem(reply, digest(SMALL), size) is None


@pytest.mark.parametrize(
    ("reply", "size", "code", "says"),
    [
        (whole(b"small_layer"), 11, "DIGEST", "does not match its digest"),
        (whole(b"small"), 11, "SIZE", "5 bytes, the manifest says 11"),
        (whole(cut=True), 11, "SIZE", "more than 11 bytes"),
        (whole(content_encoding="gzip"), 11, "NOT_A_BLOB", "Content-Encoding gzip"),
        (whole(content_encoding="BR"), 11, "NOT_A_BLOB", "Content-Encoding br"),
        (whole(b"<html>hello", content_type="text/html"), 11, "NOT_A_BLOB", "an HTML page"),
        (whole(b"<html>hello"), 11, "NOT_A_BLOB", "an HTML page"),
        (whole(b"", status=204), 11, "NOT_A_BLOB", "HTTP 204"),
        (whole(status=203), 11, "NOT_A_BLOB", "HTTP 203"),
        (whole(status=206), 11, "NOT_A_BLOB", "names no bytes"),
        (whole(b"small_layer", 206, content_range="bytes 0-10/11"), 11, "DIGEST", "digest"),
        (whole(b"small", 206, content_range="bytes 0-4/11"), 11, "NOT_A_BLOB", "0-10 were asked"),
        (part(), LARGE, "NOT_A_BLOB", "names no bytes"),
        (part(content_range="bytes */200000"), LARGE, "NOT_A_BLOB", "names no bytes"),
        (part(content_range="bytes 1-1024/200000"), LARGE, "NOT_A_BLOB", "says 1-1024"),
        (part(content_range="bytes 0-1022/200000"), LARGE, "NOT_A_BLOB", "says 0-1022"),
        (part(content_range="bytes 0-1023/1024"), LARGE, "SIZE", "1024 bytes"),
        (part(FIRST[:100], content_range=RANGE), LARGE, "NOT_A_BLOB", "promised, 100 came"),
        (part(cut=True, content_range=RANGE), LARGE, "NOT_A_BLOB", "more than 1,024 came"),
        (part(content_range=RANGE, content_type="text/html"), LARGE, "NOT_A_BLOB", "HTML page"),
        (part(content_range=RANGE, content_encoding="gzip"), LARGE, "NOT_A_BLOB", "gzip"),
        (part(status=200, cut=True), LARGE, "NOT_A_BLOB", "does not say how many"),
        (part(status=200, cut=True, content_length="9000"), LARGE, "SIZE", "9000 bytes"),
        (part(status=200), LARGE, "SIZE", "1024 bytes"),
        (part(FIRST, 416), LARGE, "NOT_A_BLOB", "HTTP 416"),
        (part(status=200, cut=True), None, "NOT_A_BLOB", "does not say how many"),
    ],
)
def test_what_is_no_download(reply: BlobReply, size: int | None, code: str, says: str) -> None:
    found = blob_problem(reply, digest(SMALL), size)
    assert found is not None
    assert (found.code, says in found.message) == (code, True), found.message


def test_only_a_whole_blob_has_a_digest_to_verify() -> None:
    assert is_whole(whole())
    assert is_whole(whole(status=206, content_range="bytes 0-10/11"))
    assert not is_whole(part(content_range=RANGE))
    assert not is_whole(whole(cut=True))
