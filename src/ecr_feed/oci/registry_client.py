"""The read requests of a registry: each method returns a record or raises `RegistryError`.

No method reads a repository that the caller has not allowed: under a pull-through cache rule, a
request for a missing repository creates it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from ecr_feed.facts.aws import Secret, Trouble
from ecr_feed.oci import manifests
from ecr_feed.oci.endpoint import EndpointError, next_link, origin_of, registry_origin
from ecr_feed.oci.manifests import (
    Descriptor,
    Manifest,
    ManifestError,
    digest_of,
    is_digest,
    parse_manifest,
)
from ecr_feed.oci.network import Network
from ecr_feed.oci.registry_errors import FailureReason, reason_of_head_refusal
from ecr_feed.oci.registry_transport import (
    BasicLogin,
    RegistryError,
    RegistryRequest,
    RegistryTransport,
    Reply,
    SentRequest,
)
from ecr_feed.oci.reply_checks import BlobReply, blob_problem, described, is_page, is_whole

PAGE: Final = 1000  # tags per page; ECR refuses more
PAGES: Final = 1000  # more pages are taken for a loop
PAGE_LIMIT: Final = 8 * 1024 * 1024  # bytes; 1,000 tags of 128 characters are 132 kB
MANIFEST_LIMIT: Final = 4 * 1024 * 1024  # bytes, as Docker and skopeo limit it
CONFIG_LIMIT: Final = 4 * 1024 * 1024
SMALL_LAYER: Final = 64 * 1024  # bytes; up to this a layer is read whole and verified
FIRST_BYTES: Final = 1024  # that are read of larger layers


class RepositoryNotAllowedError(ValueError):
    """A repository that the caller had not allowed: a programming error; nothing was sent."""


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """A success of HEAD of a manifest; `digest` is "" where the registry does not send it."""

    media_type: str
    digest: str
    host: str
    status: int

    @property
    def named(self) -> str:
        """`HTTP 200, MEDIA-TYPE, DIGEST`: the answer in a message."""
        kind, digest = self.media_type or "no media type", self.digest or "no digest"
        return f"HTTP {self.status}, {kind}, {digest}"

    @property
    def is_manifest(self) -> bool:
        """Whether the answer has a manifest's media type and a digest."""
        typed = self.media_type in manifests.MEDIA_TYPES
        return self.status == 200 and typed and bool(self.digest)


@dataclass(frozen=True, slots=True)
class PulledManifest:
    """A manifest that was downloaded; `size` is in bytes, `media_type` the response's.

    `verified`: its digest is the one that was asked for, or that the response named.
    """

    manifest: Manifest
    verified: bool
    media_type: str
    size: int
    host: str
    status: int


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob: all of it, with its digest verified, or its first bytes."""

    content: bytes
    verified: bool
    host: str
    status: int
    redirected: bool


class RegistryClient:
    """Reads one registry with one login. Safe to use from several threads."""

    def __init__(
        self,
        endpoint: str,
        user: str,
        password: Secret,
        *,
        repositories: Collection[str],
        network: Network | None = None,
    ) -> None:
        """`endpoint` is the token's; raises `EndpointError` if it is not a registry's address."""
        self.origin = registry_origin(endpoint)
        self.repositories = frozenset(repositories)
        self.network = network or Network()
        self._basic = BasicLogin(user, password)
        self._user = user
        self._transport = RegistryTransport(self.network, self._basic)

    @property
    def sent(self) -> tuple[SentRequest, ...]:
        """Every request sent so far, in order."""
        return self._transport.sent

    def clean(self, text: str) -> str:
        """The text as one line without the login's secrets."""
        return self._basic.scrub(text)

    def root(
        self,
        password: Secret | None = None,
        *,
        anonymous: bool = False,
        count: Callable[[], None] = lambda: None,
    ) -> Reply:
        """GET /v2/ with the login, with another password, or without any."""
        auth = self._basic if password is None else BasicLogin(self._user, password)
        url = f"{self.origin.url}/v2/"
        return self._transport.fetch(
            RegistryRequest("GET", url, PAGE_LIMIT), None if anonymous else auth, count
        )

    def tags(self, repository: str, count: Callable[[], None]) -> tuple[tuple[str, ...], Reply]:
        """All tags, following `Link` headers, and the last response."""
        url = f"{self._of(repository)}/tags/list?n={PAGE}"
        found: dict[str, None] = {}
        seen = {url}
        while True:
            reply = self._transport.fetch(
                RegistryRequest("GET", url, PAGE_LIMIT), self._basic, count
            )
            found.update(dict.fromkeys(_page(reply, repository)))
            link = next_link(reply.headers.get("Link", ""))
            if link is None:
                return tuple(found), reply
            url = self._next(link, url, seen, reply)

    def _next(self, link: str, url: str, seen: set[str], reply: Reply) -> str:
        """The next page's address, which must belong to the same list and be new."""
        target = urljoin(url, link)
        try:
            same = origin_of(target) == self.origin and urlsplit(target).path == urlsplit(url).path
        except EndpointError:
            same = False
        if not same:
            raise _malformed(reply, "the next page is not a page of this list", "LINK")
        if target in seen or len(seen) >= PAGES:
            raise _malformed(reply, "the pages of tags never end", "LINK")
        seen.add(target)
        return target

    def head(self, repository: str, reference: str, count: Callable[[], None]) -> ManifestHead:
        """HEAD of a tag's manifest."""
        request = RegistryRequest(
            "HEAD", self._manifest(repository, reference), 0, {"Accept": manifests.ACCEPT}
        )
        try:
            reply = self._transport.fetch(request, self._basic, count)
        except RegistryError as error:
            if error.status is None or error.status < 400:
                raise
            strange = is_page(error.headers) or error.host != self.origin.netloc
            reason = reason_of_head_refusal(
                error.status, from_registry=error.from_registry, strange=strange
            )
            raise RegistryError(reason, error.host, error.status, headers=error.headers) from None
        digest = reply.headers.get("Docker-Content-Digest", "")
        return ManifestHead(
            self._media_type(reply),
            digest if is_digest(digest) else "",
            reply.host,
            reply.status,
        )

    def manifest(
        self, repository: str, reference: str, count: Callable[[], None], size: int | None = None
    ) -> PulledManifest:
        """GET of a manifest. The digest in the request or in the response is verified.

        Content that cannot be parsed has code MANIFEST if its digest is right, since it is then the
        same for every client, else UNREADABLE. Code CONTRADICTION: the content has the digest that
        was asked for, and the response names another one.
        """
        url = self._manifest(repository, reference)
        request = RegistryRequest("GET", url, MANIFEST_LIMIT, {"Accept": manifests.ACCEPT})
        reply = self._transport.fetch(request, self._basic, count)
        named = reply.headers.get("Docker-Content-Digest", "")
        expected = [digest for digest in (reference, named) if is_digest(digest)]
        wrong = [digest for digest in expected if digest_of(reply.body, digest) != digest]
        if reply.status != 200 or (
            is_page(reply.headers, reply.body) and len(wrong) == len(expected)
        ):
            message = f"not a manifest: {described(reply.status, reply.headers)}"
            raise _malformed(reply, self.clean(message), "UNREADABLE")
        try:
            found = parse_manifest(reply.body, reply.headers.get("Content-Type", ""))
        except ManifestError as error:
            if wrong:
                raise _malformed(
                    reply, f"the content does not match {wrong[0]}", "DIGEST"
                ) from None
            code = "MANIFEST" if expected else "UNREADABLE"
            raise _malformed(reply, self.clean(str(error)), code) from None
        # The digest of a signed schema 1 manifest does not cover the signatures.
        wrong = [digest for digest in wrong if digest != found.digest]
        if wrong and reference in expected and reference not in wrong:
            message = f"asked for {reference}, Docker-Content-Digest is {named}"
            reason = FailureReason(Trouble.CONTRADICTION, message, "CONTRADICTION")
            raise RegistryError(reason, reply.host, reply.status)
        if wrong:
            message = f"the manifest's digest is {found.digest}, not {wrong[0]}"
            raise _malformed(reply, message, "DIGEST")
        if size is not None and size != len(reply.body):
            message = f"the manifest has {len(reply.body):,} bytes, the index says {size:,}"
            raise _malformed(reply, message, "SIZE")
        kind = self._media_type(reply)
        return PulledManifest(
            found, bool(expected), kind, len(reply.body), reply.host, reply.status
        )

    def blob(
        self,
        repository: str,
        what: Descriptor,
        count: Callable[[], None],
        *,
        whole_up_to: int = SMALL_LAYER,
    ) -> Blob:
        """GET of a blob, through redirects: all of it up to a size, else its first bytes."""
        size = what.size
        whole = size is not None and size <= whole_up_to
        limit = size if whole and size is not None else FIRST_BYTES
        # An empty blob has no range, and a whole blob needs none.
        headers = {} if whole else {"Range": f"bytes=0-{FIRST_BYTES - 1}"}
        url = f"{self._of(repository)}/blobs/{what.digest}"
        reply = self._transport.fetch(
            RegistryRequest("GET", url, limit, headers, whole=False), self._basic, count
        )
        got = BlobReply(reply.status, reply.headers, reply.body, reply.cut, limit, not whole)
        problem = blob_problem(got, what.digest, size)
        if problem is not None:
            reason = FailureReason(problem.trouble, self.clean(problem.message), problem.code)
            raise RegistryError(reason, reply.host, reply.status)
        return Blob(reply.body, is_whole(got), reply.host, reply.status, reply.redirected)

    def _media_type(self, reply: Reply) -> str:
        return self.clean(manifests.bare_media_type(reply.headers.get("Content-Type", "")))

    def _of(self, repository: str) -> str:
        if repository not in self.repositories:
            raise RepositoryNotAllowedError(
                f"{repository!r} is not among the repositories to ask for"
            )
        return f"{self.origin.url}/v2/{quote(repository, safe='/')}"

    def _manifest(self, repository: str, reference: str) -> str:
        return f"{self._of(repository)}/manifests/{quote(reference, safe=':')}"


def _page(reply: Reply, repository: str) -> list[str]:
    """The tags of one page; `null` means none, a missing key is malformed."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise _malformed(reply, "the list of tags is not JSON", "TAGS") from None
    if not isinstance(document, dict) or "tags" not in document:
        raise _malformed(reply, "the list of tags has no tags", "TAGS")
    if document.get("name", repository) != repository:
        raise _malformed(reply, "the list of tags is another repository's", "TAGS")
    tags = document["tags"] if document["tags"] is not None else []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _malformed(reply, "the list of tags contains something else", "TAGS")
    return tags


def _malformed(reply: Reply, message: str, code: str) -> RegistryError:
    return RegistryError(FailureReason(Trouble.MALFORMED, message, code), reply.host, reply.status)
