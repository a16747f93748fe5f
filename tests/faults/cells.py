"""The cells of the fault matrix: every fault on the answers to one operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ecr_feed.embedded.protocol.wire import WireResponse
from tests.faults import damage
from tests.faults.bench import LostError, Sent

# Codes by what they mean; the first of a pair is JSON's, the second the query protocol's.
DENIED: Final = ("AccessDeniedException", "AccessDenied")
CREDENTIALS: Final = (
    ("ExpiredTokenException", "ExpiredToken"),
    ("UnrecognizedClientException", "InvalidClientTokenId"),
    ("InvalidSignatureException", "SignatureDoesNotMatch"),
)
FAILED: Final = (
    (("ThrottlingException", "Throttling"), 400),
    (("TooManyRequestsException", "RequestLimitExceeded"), 429),
    (("ServerException", "InternalFailure"), 500),
    (("ServiceUnavailableException", "ServiceUnavailable"), 503),
    (("NeverHeardOfException", "NeverHeardOf"), 400),
    (("InvalidParameterException", "ValidationError"), 400),
    (("LimitExceededException", "LimitExceeded"), 400),
)
NOT_FOUND: Final = {
    "ecr": ("RepositoryNotFoundException", "ImageNotFoundException"),
    "iam": ("NoSuchEntity",),
    "organizations": ("TargetNotFoundException", "PolicyNotFoundException"),
    "sts": ("ResourceNotFoundException",),
}
NONE: Final = {
    "GetLoginProfile": "NoSuchEntity",
    "GetOpenIDConnectProvider": "NoSuchEntity",
    "DescribeOrganization": "AWSOrganizationsNotInUseException",
    "GetRepositoryPolicy": "RepositoryPolicyNotFoundException",
    "GetRegistryPolicy": "RegistryPolicyNotFoundException",
    "GetLifecyclePolicy": "LifecyclePolicyNotFoundException",
    "DescribePullThroughCacheRules": "PullThroughCacheRuleNotFoundException",
    "DescribeRepositoryCreationTemplates": "TemplateNotFoundException",
}
"""Codes that say that there is none: an answer, and no failure."""

REGISTRY: Final = {
    "UNAUTHORIZED": 401,
    "DENIED": 403,
    "NAME_UNKNOWN": 404,
    "MANIFEST_UNKNOWN": 404,
    "TOOMANYREQUESTS": 429,
    "UNKNOWN": 500,
    "UNSUPPORTED": 405,
}
"""OCI codes and their statuses."""

_WRONG: Final = {
    "a text": "text",
    "a list": ["text"],
    "an object": {"text": "text"},
    "null": None,
    "a number": 7,
    "an empty text": "",
    "an empty list": [],
    "an empty object": {},
}
LOST: Final = "lost connection"
_PAGE: Final = b"<html><body>Sign in to the guest network</body></html>"


Edit = Callable[[WireResponse], WireResponse]


@dataclass(frozen=True)
class Cell:
    """One fault on the answers to one operation of one caller, from the `first` call on.

    `gone`: nothing of the answer is left. `kind` is one of the words that the figures count by;
    `place` is where in the answer the fault is, where it is in one place.
    """

    sent: Sent
    kind: str
    label: str
    edit: Edit = field(repr=False, compare=False)
    gone: bool = False
    first: int = 1
    place: str = ""

    @property
    def name(self) -> str:
        """The cell in one line."""
        return f"{self.sent.action} ({self.sent.caller or 'unsigned'}): {self.kind}, {self.label}"

    @property
    def key(self) -> str:
        """The last key of the place."""
        return self.place.rpartition(".")[2]

    @property
    def absent(self) -> bool:
        """The key is left out, or null, which says the same."""
        return self.kind == "missing" or self.label.endswith(" is null")

    def change(self, asked: Sent, number: int, answer: WireResponse) -> WireResponse:
        """What becomes of one answer."""
        if asked != self.sent or number < self.first:
            return answer
        return self.edit(answer)


def cells(sent: Sent, answers: tuple[WireResponse, ...]) -> Iterator[Cell]:
    """Every fault on an operation whose answers were these."""
    yield from _errors(sent)
    if not sent.operation.startswith("HEAD"):
        yield from _bodies(sent)
    if not sent.operation.startswith(("HEAD", "ping")):
        yield from _truncations(sent, answers[0])  # what a ping says is in its headers
    if sent.service == "registry":
        yield from _registry(sent)
        return
    bodies = list(dict.fromkeys(answer.body for answer in answers))
    yield from _edits(sent, bodies)
    for label, edit in damage.OTHER_REGISTRIES.items():
        if any(edit(body) != body for body in bodies):
            yield _edit(sent, "other registry", label, edit)
            yield _later(_edit(sent, "other registry", label, edit))


def _errors(sent: Sent) -> Iterator[Cell]:
    yield Cell(sent, "failed", LOST, _lose, gone=True)
    for status in (400, 403, 404, 429, 500, 502, 503):
        yield _body(sent, "failed", f"a page with status {status}", _PAGE, status)
    if sent.service == "registry":
        for code, status in REGISTRY.items():
            body = json.dumps({"errors": [{"code": code, "message": "said"}]}).encode()
            kind = "failed" if status == 429 or status >= 500 else "refused"
            yield _body(sent, kind, code, body, status)
        return
    query = sent.service in ("iam", "sts")
    yield _error(sent, "denied", DENIED[query], 400)
    for pair in CREDENTIALS:
        yield _error(sent, "credentials", pair[query], 403)
    for pair, status in FAILED:
        yield _error(sent, "failed", pair[query], status)
    for code in NOT_FOUND.get(sent.service, ()):
        yield _error(sent, "not found", code, 404 if query else 400)
        yield _later(_error(sent, "not found", code, 404 if query else 400))
    if sent.operation in NONE:
        yield _error(sent, "none", NONE[sent.operation], 404 if query else 400)


def _error(sent: Sent, kind: str, code: str, status: int) -> Cell:
    query = sent.service in ("iam", "sts")
    body = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>said</Message></Error></ErrorResponse>"
        if query
        else json.dumps({"__type": code, "message": "said"})
    ).encode()
    kind = "none" if NONE.get(sent.operation) == code else kind
    return replace(_body(sent, kind, code, body, status), gone=kind not in ("none", "not found"))


def _bodies(sent: Sent) -> Iterator[Cell]:
    texts = {"a page": _PAGE, "nothing": b"", "an empty object": b"{}", "null": b"null"}
    texts |= {"an empty list": b"[]", "empty XML": b"<Response/>", "bytes": bytes(range(256))}
    for label, text in texts.items():
        yield _body(sent, "body", label, text, 200)


def _body(sent: Sent, kind: str, label: str, body: bytes, status: int) -> Cell:
    def edit(answer: WireResponse) -> WireResponse:
        headers = {"content-type": "text/html"} if sent.service == "registry" else answer.headers
        return damage.with_body(replace(answer, status=status, headers=headers), body)

    return Cell(sent, kind, label, edit, gone=True)


def _truncations(sent: Sent, answer: WireResponse) -> Iterator[Cell]:
    length = len(answer.body)
    cuts = {1, 2, 3, *(length * n // 9 for n in range(1, 9)), length - 2, length - 1}
    for cut in sorted(cut for cut in cuts if 0 < cut < length):

        def edit(body: bytes, cut: int = cut) -> bytes:
            return body[: min(cut, len(body) - 1)]

        yield replace(_edit(sent, "truncated", f"after {cut} bytes", edit), gone=True)


def _edits(sent: Sent, bodies: list[bytes]) -> Iterator[Cell]:
    """Each place of the answers missing, of another type, or there twice; each result once."""
    seen: set[tuple[bytes, ...]] = {tuple(bodies)}
    for body in bodies:
        for path in damage.paths(body):
            for kind, label, edit in _edits_at(path, body):
                edited = tuple(edit(each) for each in bodies)
                if edited not in seen:
                    seen.add(edited)
                    yield replace(_edit(sent, kind, label, edit), place=".".join(path))


def _edits_at(path: damage.Path, body: bytes) -> Iterator[tuple[str, str, damage.Edit]]:
    place = ".".join(path)
    found = damage.value_at(body, path)
    if path[-1] == damage.EVERY:
        yield "emptied", place, damage.removing(path)
        yield "twice", place, damage.doubling(path[:-1])
    else:
        yield "missing", place, damage.removing(path)
    for label, value in _WRONG.items():
        edit = damage.putting(path, value)
        if value and _is_right(body, path, found, value):
            continue
        emptied = not value and (damage.is_xml(body) or type(value) is type(found))
        yield "emptied" if emptied else "wrong type", f"{place} is {label}", edit


def _is_right(body: bytes, path: damage.Path, found: object, value: object) -> bool:
    """The value is of the right type: in XML every text may be a number."""
    if isinstance(value, list):
        return isinstance(damage.value_at(body, (*path, damage.EVERY)), str)
    texts = str | int if damage.is_xml(body) else str
    return isinstance(found, str) and isinstance(value, texts)


def _registry(sent: Sent) -> Iterator[Cell]:
    headers = {
        "another media type": {"content-type": "text/plain"},
        "no media type": {"content-type": ""},
        "another digest": {"docker-content-digest": f"sha256:{'0' * 64}"},
        "a content encoding": {"content-encoding": "gzip"},
        "another range": {"content-range": "bytes 7-8/9"},
    }
    for label, changed in headers.items():

        def edit(answer: WireResponse, changed: dict[str, str] = changed) -> WireResponse:
            return replace(answer, headers={**answer.headers, **changed})

        yield Cell(sent, "headers", label, edit)
    yield _edit(sent, "content", "one byte changed", lambda body: body[:-1] + b"!")
    yield _edit(sent, "content", "one byte more", lambda body: body + b" ")


def _edit(sent: Sent, kind: str, label: str, edit: damage.Edit) -> Cell:
    return Cell(sent, kind, label, lambda a: damage.with_body(a, edit(a.body)))


def _lose(answer: WireResponse) -> WireResponse:
    raise LostError("lost")


def _later(cell: Cell) -> Cell:
    """The same from the second call on: two answers that contradict each other."""
    return replace(cell, label=f"{cell.label} from the second call on", gone=False, first=2)
