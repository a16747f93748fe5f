"""Who calls: access keys, sessions and registry tokens, and how AWS refuses invalid ones.

Codes and texts: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ecr_feed.embedded.protocol.operation_calls import ApiCall, Scope
from ecr_feed.embedded.protocol.signature import check_signature
from ecr_feed.embedded.protocol.wire import ServiceError

_QUERY = ("iam", "sts")
_OWNER: Final = "OWNER"


@dataclass(slots=True)
class StoredKey:
    """A user's long-lived key. `status` is Active or Inactive."""

    key_id: str
    secret: str = field(repr=False)
    account: str
    user: str
    created: datetime
    status: str = "Active"
    last_used: tuple[datetime, str, str] | None = None  # when, service, region


@dataclass(slots=True)
class Session:
    """Temporary credentials. `arn` is the session's own, `issuer` the role or user behind it."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    account: str
    arn: str
    user_id: str
    issuer: str
    issued: datetime
    expires: datetime
    kind: str = "role"  # role, or user (GetSessionToken)
    policies: tuple[str, ...] = ()  # session policy documents, as JSON text
    tags: Mapping[str, str] = field(default_factory=dict)
    web: Mapping[str, str] = field(default_factory=dict)  # context keys of a web identity


@dataclass(frozen=True, slots=True)
class ApiCaller:
    """An authenticated principal, or an unsigned one (`kind` "anonymous", no account)."""

    kind: str  # root, user, role or anonymous
    account: str
    arn: str
    name: str = ""  # the user's or role's name
    user_id: str = ""
    key_id: str = ""
    session: Session | None = None
    unrestricted: bool = False  # no policy applies


ANONYMOUS: Final = ApiCaller("anonymous", "", "anonymous")


def new_key_id(prefix: str, account: str) -> str:
    """An access key ID in AWS's format; it encodes the account, as real ones do."""
    head = ((1 << 47) | (int(account) << 7) | secrets.randbits(7)).to_bytes(6, "big")
    return prefix + base64.b32encode(head + secrets.token_bytes(4)).decode()


def new_secret() -> str:
    """A secret access key: 40 characters."""
    return base64.b64encode(secrets.token_bytes(30)).decode()


@dataclass(slots=True)
class KeyRing:
    """Every key and session of every account, by key ID."""

    keys: dict[str, StoredKey] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    root_secret: str = field(default_factory=new_secret, repr=False)  # of every account's root
    owner_secret: str = field(default_factory=new_secret, repr=False)  # see `owner_key`

    def of_user(self, account: str, user: str) -> list[StoredKey]:
        """A user's keys, oldest first."""
        return [k for k in self.keys.values() if (k.account, k.user) == (account, user)]

    def create(self, account: str, user: str, now: datetime) -> StoredKey:
        """A new active key; AWS allows two a user."""
        if len(self.of_user(account, user)) >= 2:
            text = "Cannot exceed quota for AccessKeysPerUser: 2"
            raise ServiceError("LimitExceeded", text, 409)
        key = StoredKey(new_key_id("AKIA", account), new_secret(), account, user, now)
        self.keys[key.key_id] = key
        return key

    def find(self, account: str, key_id: str, user: str = "") -> StoredKey:
        """A key of the account (and user); NoSuchEntity otherwise."""
        key = self.keys.get(key_id)
        if key is None or key.account != account or (user and key.user != user):
            text = f"The Access Key with id {key_id} cannot be found."
            raise ServiceError("NoSuchEntity", text, 404)
        return key

    def start(self, session: Session) -> Session:
        """Store a session."""
        self.sessions[session.key_id] = session
        return session

    def secret_of(self, call: ApiCall, scope: Scope, now: datetime) -> str:
        """The secret that the request must be signed with. Raises ServiceError for invalid keys."""
        if is_root(scope.key_id):
            return self.root_secret
        if owned_by(scope.key_id):
            return self.owner_secret
        if session := self.sessions.get(scope.key_id):
            _check_session(call, session, now)
            return session.secret
        key = self.keys.get(scope.key_id)
        if key is None or key.status != "Active":
            raise unknown_key(call.service)
        return key.secret

    def use(self, call: ApiCall, scope: Scope, now: datetime) -> None:
        """Record when and where a key was last used."""
        if key := self.keys.get(scope.key_id):
            key.last_used = (now, call.service, call.region)


def owner_key(account: str) -> str:
    """The key ID of the account's owner: root, and not limited by SCPs or RCPs.

    The seeder signs with it, and so does the auditor of a planned account.
    """
    return f"{_OWNER}{account}"


def owned_by(key_id: str) -> str:
    """The account of an owner's key ID; "" for any other."""
    account = key_id.removeprefix(_OWNER)
    return account if account != key_id and is_root(account) else ""


def is_root(key_id: str) -> bool:
    """A 12-digit key ID is that account's root user."""
    return len(key_id) == 12 and key_id.isdigit()


def _check_session(call: ApiCall, session: Session, now: datetime) -> None:
    token = call.request.headers.get("x-amz-security-token", "")
    if not secrets.compare_digest(token.encode(), session.token.encode()):
        raise unknown_key(call.service)
    if now >= session.expires:
        if call.service in _QUERY:
            text = "The security token included in the request is expired"
            raise ServiceError("ExpiredToken", text, 403)
        text = "The security token included in the request is expired"
        raise ServiceError("ExpiredTokenException", text)


def unknown_key(service: str) -> ServiceError:
    """The one error for a key that is unknown, deleted or inactive, and for a disabled region."""
    if service in _QUERY:
        text = "The security token included in the request is invalid."
        return ServiceError("InvalidClientTokenId", text, 403)
    text = "The security token included in the request is invalid."
    return ServiceError("UnrecognizedClientException", text)


def unsigned(service: str) -> ServiceError:
    """The error for a request without an Authorization header."""
    if service in _QUERY:
        text = "Request is missing Authentication Token"
        return ServiceError("MissingAuthenticationToken", text, 403)
    return ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")


def verify(ring: KeyRing, call: ApiCall, now: datetime, signed_by: datetime) -> None:
    """Check key, session and signature; raises ServiceError with the code for the protocol."""
    if call.scope is None:
        raise unsigned(call.service)
    secret = ring.secret_of(call, call.scope, now)
    code = "SignatureDoesNotMatch" if call.service in _QUERY else "InvalidSignatureException"
    check_signature(call.request, call.scope, secret, signed_by, code)
    ring.use(call, call.scope, now)


def session_token() -> str:
    """An opaque session token of a realistic length."""
    return "IQoJb3JpZ2luX2Vj" + base64.b64encode(secrets.token_bytes(384)).decode()


TOKEN_LIFETIME: Final = timedelta(hours=12)
TOKEN_USER: Final = "AWS"


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """The caller that a token was issued to, and the one registry it is for."""

    caller: ApiCaller
    account: str
    region: str
    expires_at: datetime


@dataclass(slots=True)
class TokenBook:
    """The issued tokens, by the hash of their password."""

    issued: dict[str, TokenHolder] = field(default_factory=dict)

    def issue(
        self, caller: ApiCaller, account: str, region: str, now: datetime
    ) -> tuple[str, datetime]:
        """A new token (base64 of `AWS:` and the password) and when it expires."""
        expires = (now + TOKEN_LIFETIME).replace(microsecond=(now.microsecond // 1000) * 1000)
        password = _password(expires)
        self.issued[_hash(password)] = TokenHolder(caller, account, region, expires)
        return base64.b64encode(f"{TOKEN_USER}:{password}".encode()).decode(), expires

    def holder(self, password: str) -> TokenHolder | None:
        """The holder of a password, expired or not; None for one that was never issued."""
        return self.issued.get(_hash(password))


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


# The form (base64 of a JSON object) is not documented; clients store and forward it, and its length
# has broken some of them.
def _password(expires: datetime) -> str:
    document = {
        "payload": base64.b64encode(secrets.token_bytes(1190)).decode(),
        "datakey": base64.b64encode(secrets.token_bytes(168)).decode(),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": int(expires.timestamp()),
    }
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()
