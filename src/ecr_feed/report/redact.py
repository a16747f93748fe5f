"""Takes secrets out of texts and JSON values: registered ones, and what looks like one."""

from __future__ import annotations

import base64
import binascii
import html
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from threading import Lock
from typing import Final
from urllib.parse import quote

from ecr_feed.facts.aws import MASK, Secret
from ecr_feed.findings import Finding
from ecr_feed.text.safe import clean, clean_line
from ecr_feed.text.times import rfc3339

# The keys of a mapping whose text value is a secret, whatever it looks like.
SENSITIVE_KEY: Final = re.compile(
    r"(?i)(aws[_-]?)?(secret([_-]?access)?[_-]?key|(session|security|authorization|access|refresh|id"
    r"|identity|web[_-]?identity)[_-]?token|token|secret|client[_-]?secret|passw(or)?d|passphrase"
    r"|authorization|api[_-]?key|x-octopus-apikey)"
)

SHORTEST_SECRET: Final = 16  # characters
_KEY_ID: Final = re.compile(
    r"(?<![A-Za-z0-9])(A(?:KI|SI)A)[A-Z0-9]{8,124}([A-Z0-9]{4})(?![a-z0-9])"
)
_DOCKER: Final = re.compile(r"(?i)\bdocker(?:\.exe)?[\"']?\s+login\b[^\n]*")
_DOCKER_PASSWORD: Final = re.compile(
    r"(?i)((?<!\S)[\"']?(?:-p|--password)(?![a-z0-9-])(?:\s*=\s*|\s+)|(?<!\S)-p)"
    r"(?!-)(\"[^\"]*\"?|'[^']*'?|[^\s\"']+)"
)
_NAMED: Final = re.compile(
    r"(?i)(?<![a-z0-9])((?:aws[_-]?)?(?:secret(?:[_-]?access)?[_-]?key"
    r"|(?:session|security|authorization|access|refresh|id|identity|web[_-]?identity)[_-]?token"
    r"|client[_-]?secret|passw(?:or)?d|passphrase|api[_-]?key|x-octopus-apikey|x-amz-signature"
    r"|x-amz-security-token|x-amz-credential)[\"']?\s*[:=]\s*[\"']?)(?!\*{4})([^\s\"'&,;<>]{6,})"
)
_HEADER: Final = re.compile(
    r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer)\s+)(?!\*{4})[^\s\"',]{4,}"
)
_SCHEME: Final = re.compile(
    r"\b((?:[Bb]asic|[Bb]earer)\s+)(?=[A-Za-z0-9+/._~=-]*[0-9=])(?=[A-Za-z0-9+/._~=-]*[A-Z])"
    r"[A-Za-z0-9+/._~=-]{16,}"
)
_PAIRS: Final = (
    (re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)"), MASK),
    (_HEADER, rf"\1{MASK}"),
    (_SCHEME, rf"\1{MASK}"),
    (_NAMED, rf"\1{MASK}"),
    # JSON web tokens; a doubled base64 object is ECR's password; `AWS:` in base64 its whole token.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"), MASK),
    (re.compile(r"eyJwYXlsb2FkI[A-Za-z0-9+/=_-]{8,}"), MASK),
    (re.compile(r"\bQVdTO[A-Za-z0-9+/=_-]{16,}"), MASK),
    (re.compile(r"\bAWS:(?!\*{4})[A-Za-z0-9+/=_-]{16,}"), f"AWS:{MASK}"),
    # KMS ciphertext in base64, which older tokens and some service errors begin with.
    (re.compile(r"\bAQ[EI]CA[A-Za-z0-9+/=]{16,}"), MASK),
    (re.compile(r"(?i)(\bsignature=)[0-9a-f]{32,}"), rf"\1{MASK}"),
    (re.compile(r"\bAPI-[A-Z0-9]{20,}"), f"API-{MASK}"),
    (re.compile(r"(://[^/\s:@]+:)[^/\s@]+@"), rf"\1{MASK}@"),
    # Forty characters of base64 with each kind in them: a secret access key. Hashes are hexadecimal
    # and repository names lower-case, so neither is taken for one.
    (
        re.compile(
            r"(?<![A-Za-z0-9/+=_-])(?=[a-z0-9/+]*[A-Z])(?=[A-Z0-9/+]*[a-z])(?=[A-Za-z/+]*[0-9])"
            r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])"
        ),
        MASK,
    ),
)
# No pattern above can match a text without one of these; most texts have none.
_HINT: Final = re.compile(
    r"(?i)akia|asia|eyj|qvdto|aqeca|aqica|docker|-----begin|authorization|basic\s|bearer\s|key|token"
    r"|secret|passw|passphrase|x-amz-|signature=|api-|aws:|://|[a-z0-9/+]{40}"
)


def mask_patterns(text: str) -> str:
    """The text with everything that looks like a secret masked; key IDs keep their last four."""
    if _HINT.search(text) is None:
        return text
    text = _DOCKER.sub(_docker, text)
    for pattern, instead in _PAIRS:
        text = pattern.sub(instead, text)
    return _KEY_ID.sub(r"\1************\2", text)


def _docker(match: re.Match[str]) -> str:
    return _DOCKER_PASSWORD.sub(rf"\1{MASK}", match.group())


GRAM: Final = 12  # a piece of a long secret of this many characters is masked
_VARIED: Final = 3  # different characters that a piece has at least
_LONG: Final = 24  # secrets of at least so many characters are looked for in pieces
_SHORT: Final = 8  # below it a secret is masked as a whole word only
_SHORTEST: Final = 4  # below it, masking would eat ordinary text and hide nothing
_RUN: Final = re.compile(rf"[A-Za-z0-9+/=_-]{{{GRAM},}}")
_PLAIN: Final = str.maketrans("-_", "+/")  # URL-safe base64 as ordinary base64
_URL_SAFE: Final = str.maketrans("+/", "-_")
_DEPTH: Final = 24
_REMEMBERED: Final = 256  # texts of at most so many characters are redacted once


class Redactor:
    """Takes secrets out of text and JSON values. Thread-safe; `register` may come at any time."""

    def __init__(self, secrets: Iterable[Secret | str] = ()) -> None:
        self._lock = Lock()
        self._forms: tuple[str, ...] = ()  # longest first
        self._words: tuple[re.Pattern[str], ...] = ()
        self._grams: set[str] = set()  # only ever grows: a copy for each secret is quadratic
        self._known: set[str] = set()
        self._lines: dict[str, str] = {}
        for secret in secrets:
            self.register(secret)

    def register(self, secret: Secret | str) -> None:
        """From now on this text is masked, and what an authorization token decodes to as well."""
        text = secret.reveal() if isinstance(secret, Secret) else secret
        with self._lock:
            for part in _parts(text):
                self._add(part)
            self._lines = {}

    def learn(self, secret: Secret) -> None:
        """`register`, unless the secret is shorter than any real one: it would mask words."""
        if len(secret) >= SHORTEST_SECRET:
            self.register(secret)

    def _add(self, text: str) -> None:
        if len(text) < _SHORTEST or text in self._known:
            return
        self._known.add(text)
        if len(text) < _SHORT:
            word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])")
            self._words = (*self._words, word)
            return
        self._forms = tuple(sorted({*self._forms, *_forms(text)}, key=len, reverse=True))
        if len(text) >= _LONG:
            self._grams.update(_grams(text))

    def text(self, text: str) -> str:
        """The text without secrets, otherwise as it was."""
        return mask_patterns(self._registered(text))

    def known(self, text: str) -> str:
        """The text without *registered* long secrets: for a whole artefact, markup included."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return self._pieces(text) if self._grams else text

    def line(self, text: str) -> str:
        """Redacted and cleaned, on one line."""
        if len(text) > _REMEMBERED:
            return clean_line(self.text(text))
        shown = self._lines.get(text)
        if shown is None:
            shown = self._lines[text] = clean_line(self.text(text))
        return shown

    def block(self, text: str) -> str:
        """Redacted and cleaned; newlines stay."""
        return clean(self.text(text))

    def finding(self, finding: Finding) -> Finding:
        """The finding as it may leave the process, of builtin types only."""
        evidence = self.scrub(dict(finding.evidence))
        return replace(
            finding,
            outcome=str(finding.outcome),
            severity=str(finding.severity),
            feed=self.line(finding.feed),
            package=None if finding.package is None else self.line(finding.package),
            message=self.block(finding.message),
            evidence=evidence if isinstance(evidence, dict) else {},
            fix=None if finding.fix is None else self.block(finding.fix),
            test=self.line(finding.test),
        )

    def scrub(self, value: object, depth: int = 0) -> object:
        """The value as JSON can hold it, every text in it and every key redacted and cleaned.

        Enums become their value, times RFC 3339, sets sorted lists; numbers that JSON cannot
        write become text, as does any other object (its type's name).
        """
        if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
            return value
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, Mapping):
            return self._scrub_mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._scrub_items(value, depth)
        return self._scrub_one(value, depth)

    def _scrub_one(self, value: object, depth: int) -> object:
        if isinstance(value, Enum):
            return self.scrub(value.value, depth)
        if isinstance(value, str):
            return self.block(str(value))
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, datetime):
            return rfc3339(value)
        return f"<{type(value).__name__}>"

    def _scrub_mapping(self, value: Mapping[object, object], depth: int) -> object:
        if depth >= _DEPTH:
            return "<nested too deep>"
        return {
            self.line(str(key)): MASK
            if isinstance(item, str) and len(item) >= _SHORT and SENSITIVE_KEY.fullmatch(str(key))
            else self.scrub(item, depth + 1)
            for key, item in value.items()
        }

    def _scrub_items(
        self, value: list[object] | tuple[object, ...] | set[object] | frozenset[object], depth: int
    ) -> object:
        if depth >= _DEPTH:
            return "<nested too deep>"
        items = [self.scrub(item, depth + 1) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items

    def _registered(self, text: str) -> str:
        if not self._known:
            return text
        for word in self._words:
            text = word.sub(MASK, text)
        return self.known(text)

    def _pieces(self, text: str) -> str:
        return _RUN.sub(self._mask_run, text)

    def _mask_run(self, match: re.Match[str]) -> str:
        run = match.group()
        plain = run.translate(_PLAIN)
        grams = self._grams
        hits = [at for at in range(len(run) - GRAM + 1) if plain[at : at + GRAM] in grams]
        if not hits:
            return run
        out, done = [], 0
        for start, end in _joined(hits):
            out += [run[done:start], MASK]
            done = end
        return "".join([*out, run[done:]])


def _joined(hits: list[int]) -> Iterator[tuple[int, int]]:
    """Spans of characters that the hits cover, overlapping ones as one."""
    start, end = hits[0], hits[0] + GRAM
    for at in hits[1:]:
        if at > end:
            yield start, end
            start = at
        end = at + GRAM
    yield start, end


def _parts(text: str) -> Iterator[str]:
    """The secret, without the blanks around it, and the two halves of an authorization token."""
    yield text
    yield text.strip()
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return
    user, colon, password = decoded.partition(":")
    if colon and user.isalnum():
        yield decoded
        yield password


def _forms(text: str) -> set[str]:
    """How the text may be written out whole."""
    raw = text.encode("utf-8", "surrogatepass")
    forms = {
        text,
        text[::-1],
        quote(text, safe=""),
        quote(text, safe="").lower(),
        quote(text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(text))[3:-3],
        html.escape(text),
        repr(text)[1:-1],
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        *_aligned(raw),
        *(form.translate(_URL_SAFE) for form in _aligned(raw)),
    }
    return {form for form in forms if len(form) >= _SHORT}


def _aligned(raw: bytes) -> Iterator[str]:
    """What base64 of the bytes looks like inside a longer text: 0, 1 or 2 bytes stood before."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # The first and the last character also depend on the neighbours.
        yield encoded[0 if before == 0 else before + 1 : -1]


def _grams(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogatepass")
    for form in (text, text[::-1], *_aligned(raw)):
        plain = form.translate(_PLAIN)
        for at in range(len(plain) - GRAM + 1):
            piece = plain[at : at + GRAM]
            # A run of one letter would mask ordinary text, a run of digits account IDs, which
            # test endpoints put into their tokens.
            if len(set(piece)) >= _VARIED and not piece.isdigit():
                yield piece
