"""AWS Signature Version 4, computed independently of botocore's signer.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from ecr_feed.embedded.protocol.operation_calls import Scope
from ecr_feed.embedded.protocol.wire import ServiceError, WireRequest

TOLERANCE: Final = timedelta(minutes=15)
_PARTS = re.compile(r"SignedHeaders=([^,\s]+).*Signature=([0-9a-f]{64})")
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)


def check_signature(
    request: WireRequest, scope: Scope, secret: str, now: datetime, code: str
) -> None:
    """Raise `code` where the signature is not the secret's, or the clock more than 15 min off."""
    found = _PARTS.search(request.headers.get("authorization", ""))
    stamp = request.headers.get("x-amz-date", "")
    if not found or not stamp:
        raise ServiceError("IncompleteSignature", "Authorization header requires all its parts.")
    _check_clock(stamp, now, code)
    expected = _signature(request, scope, secret, stamp, found.group(1))
    if not hmac.compare_digest(expected, found.group(2)):
        raise ServiceError(code, _MISMATCH, 403 if code == "SignatureDoesNotMatch" else 400)


def _check_clock(stamp: str, now: datetime, code: str) -> None:
    try:
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ServiceError(
            "IncompleteSignature", "Date must be in ISO-8601 basic format."
        ) from None
    status = 403 if code == "SignatureDoesNotMatch" else 400
    early, late, at = now - TOLERANCE, now + TOLERANCE, _basic(now)
    if signed < early:
        text = f"Signature expired: {stamp} is now earlier than {_basic(early)} ({at} - 15 min.)"
        raise ServiceError(code, text, status)
    if signed > late:
        text = (
            f"Signature not yet current: {stamp} is still later than {_basic(late)} "
            f"({at} + 15 min.)"
        )
        raise ServiceError(code, text, status)


def _basic(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _signature(request: WireRequest, scope: Scope, secret: str, stamp: str, signed: str) -> str:
    canonical = "\n".join(
        (
            request.method,
            _path(request),
            _query(request),
            *(
                f"{name}:{' '.join(request.headers.get(name, '').split())}"
                for name in signed.split(";")
            ),
            "",
            signed,
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    terms = f"{scope.date}/{scope.region}/{scope.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{terms}\n{digest}"
    key = _signing_key(secret, scope.date, scope.region, scope.service)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _path(request: WireRequest) -> str:
    path = request.path
    normal = posixpath.normpath(path) + ("/" if path.endswith("/") and path != "/" else "")
    return quote(re.sub("/+", "/", normal), safe="/~")


def _query(request: WireRequest) -> str:
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    encoded = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in pairs)
    return "&".join(f"{k}={v}" for k, v in encoded)
