"""Authorization tokens as ECR makes them, remembered so that the registry can tell whose they are.

The password's form (base64 of a JSON with payload, datakey, version, type, expiration) is not
documented; it is kept because clients store and forward it, and its length has broken some of them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ecr_feed.embedded.identity.callers import Caller

LIFETIME: Final = timedelta(hours=12)
USER: Final = "AWS"


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whose token a password is: the caller it was made for, and the one registry it opens."""

    caller: Caller
    account: str
    region: str
    expires_at: datetime


@dataclass(slots=True)
class TokenBook:
    """Tokens handed out, by the hash of their password."""

    issued: dict[str, TokenHolder] = field(default_factory=dict)

    def issue(
        self, caller: Caller, account: str, region: str, now: datetime
    ) -> tuple[str, datetime]:
        """A new token (base64 of `AWS:` and the password) and when it expires."""
        expires = (now + LIFETIME).replace(microsecond=(now.microsecond // 1000) * 1000)
        password = _password(expires)
        self.issued[_key(password)] = TokenHolder(caller, account, region, expires)
        return base64.b64encode(f"{USER}:{password}".encode()).decode(), expires

    def holder(self, password: str) -> TokenHolder | None:
        """Whose password it is, expired or not; None where nobody was ever given it."""
        return self.issued.get(_key(password))


def _key(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _password(expires: datetime) -> str:
    document = {
        "payload": base64.b64encode(secrets.token_bytes(1190)).decode(),
        "datakey": base64.b64encode(secrets.token_bytes(168)).decode(),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": int(expires.timestamp()),
    }
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()
