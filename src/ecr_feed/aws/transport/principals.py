"""Notices that a session's credentials became another principal's during the run.

Credentials of a process, a role or an instance are refreshed; the new key may be another
principal's or another account's. What the two read is not to be mixed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Final

from ecr_feed.aws.transport.failures import CallContext
from ecr_feed.aws.transport.response import sanitize
from ecr_feed.facts.aws import ReadError, Trouble

CHANGED: Final = "CredentialsChanged"
_KEY: Final = re.compile(r"Credential=([^/,\s]+)/")
_SESSION: Final = re.compile(r"(arn:[^:]*:sts::[0-9]*:assumed-role/[^/]+)/.*", re.DOTALL)


class Principals:
    """Whose keys sign the requests of one session. Thread-safe.

    The first key's principal is the session's. A request that another key signed is taken only
    where STS says that this key is of the same principal; sessions of one role are one principal.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signed = threading.local()
        self._first = ""
        self._known: dict[str, str] = {}

    def install(self, events: Any) -> None:
        """Register on a session's event emitter, before its clients are made."""
        events.register_first("before-send", self._before_send)

    def _before_send(self, request: Any, **_: object) -> None:
        found = _KEY.search(_text(request.headers.get("Authorization")))
        self._signed.key = found[1] if found else ""

    def learn(self, context: CallContext, arn: str) -> None:
        """Keep that this thread's last request was signed by a key of this principal.

        Raises ReadError where an earlier answer named another one.
        """
        key = self._key()
        with self._lock:
            self._first = self._first or key
            known = self._known.setdefault(key, arn)
        self._require_same(context, known, arn)
        self._require_same(context, self._known.get(self._first, arn), arn)

    def check(self, context: CallContext, ask: Callable[[], str]) -> None:
        """Raise ReadError where this thread's last request was signed by another principal.

        `ask` returns the ARN of whoever the session is now, from STS; it is called once for each
        new key. It may raise ReadError: then it is unknown whose key it is.
        """
        key = self._key()
        with self._lock:
            self._first = self._first or key
            if key in ("", self._first):
                return
            known = self._known.get(key)
        if known is None:
            self._signed.key = key
            known = ask()
            with self._lock:
                self._known[key] = known
        first = self._known.get(self._first, "")
        self._require_same(context, first or f"the key …{self._first[-4:]}", known)

    def _key(self) -> str:
        key = getattr(self._signed, "key", "")
        return key if isinstance(key, str) else ""

    @staticmethod
    def _require_same(context: CallContext, first: str, now: str) -> None:
        if principal_of(first) != principal_of(now):
            message = f"the credentials changed during the run from {first} to {now}"
            raise ReadError(context.failure(Trouble.OTHER, CHANGED, sanitize(message)))


def principal_of(arn: str) -> str:
    """The ARN without the session's name, for a role's session."""
    found = _SESSION.fullmatch(arn)
    return found[1] if found else arn


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
