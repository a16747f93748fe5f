"""Patterns of secrets that were not registered as such."""

from __future__ import annotations

import re
from typing import Final

from ecr_feed.facts import MASK

# The keys of a mapping whose text value is a secret, whatever it looks like.
SENSITIVE_KEY: Final = re.compile(
    r"(?i)(aws[_-]?)?(secret([_-]?access)?[_-]?key|(session|security|authorization|access|refresh|id"
    r"|identity|web[_-]?identity)[_-]?token|token|secret|client[_-]?secret|passw(or)?d|passphrase"
    r"|authorization|api[_-]?key|x-octopus-apikey)"
)

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
