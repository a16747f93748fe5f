"""An OIDC token as STS reads it: the claims of a JWT, without its signature."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecr_feed.embedded.wire import ServiceError


@dataclass(frozen=True, slots=True)
class WebToken:
    """The claims that matter. `audience` is `azp` where the token has one, as in AWS."""

    issuer: str
    subject: str
    audience: str
    expires: datetime

    @property
    def host(self) -> str:
        """The issuer without its scheme: what providers and condition keys are named after."""
        return self.issuer.removeprefix("https://")

    @property
    def context(self) -> dict[str, str]:
        """The `HOST:claim` condition keys."""
        return {f"{self.host}:sub": self.subject, f"{self.host}:aud": self.audience}

    def check_life(self, now: datetime) -> None:
        """Raise ExpiredTokenException for a token whose time is over."""
        if now >= self.expires:
            text = (
                f"Token expired: current date/time {int(now.timestamp())} must be before the "
                f"expiration date/time {int(self.expires.timestamp())}"
            )
            raise ServiceError("ExpiredTokenException", text)


def read_web_token(text: str) -> WebToken:
    """The token's claims; InvalidIdentityToken for what is no JWT or lacks a claim."""
    claims = _claims(text)
    audience = claims.get("azp") or claims.get("aud")
    if isinstance(audience, list):
        audience = audience[0] if audience else ""
    wanted = (claims.get("iss"), claims.get("sub"), audience)
    if not all(isinstance(each, str) and each for each in wanted) or "exp" not in claims:
        raise _invalid("Missing a required claim: iss, sub, aud or exp")
    try:
        expires = datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (TypeError, ValueError, OverflowError):
        raise _invalid("The exp claim is not a time") from None
    return WebToken(str(claims["iss"]), str(claims["sub"]), str(audience), expires)


def _claims(text: str) -> dict[str, Any]:
    parts = text.split(".")
    if len(parts) != 3:
        raise _invalid("The ID Token provided is not a valid JWT.")
    body = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(base64.urlsafe_b64decode(body))
    except (ValueError, binascii.Error):
        raise _invalid("The ID Token provided is not a valid JWT.") from None
    if not isinstance(claims, dict):
        raise _invalid("The ID Token provided is not a valid JWT.")
    return claims


def _invalid(text: str) -> ServiceError:
    return ServiceError("InvalidIdentityToken", text)
