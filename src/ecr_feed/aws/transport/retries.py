"""How often a failed call is retried: less than botocore would, depending on the failure.

botocore has one limit for all kinds of failure. Here a throttled call gets the ten attempts that
the client is configured with, a server error five, a connection error two. An operation that was
throttled in a region for a minute, without one success, is given up by all its callers. The handler
runs before botocore's own, which decides whatever is not decided here (backoff times, the adaptive
rate limit).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ecr_feed.aws.transport import error_codes
from ecr_feed.aws.transport.readonly import SERVICES

THROTTLED_ATTEMPTS: Final = 10
SERVER_ATTEMPTS: Final = 5
CONNECTION_ATTEMPTS: Final = 2
GIVE_UP_SECONDS: Final = 60.0
_LONGEST_BACKOFF: Final = 20.0


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt that had a response."""

    status: int
    code: str
    number: int  # from 1
    key: tuple[str, str, str]  # service, region, operation


class Retries:
    """Handles botocore's `needs-retry` event.

    Returns a delay in seconds, False (no further attempt) or None (botocore decides). With `waits`
    False, for the embedded account, the number of attempts is the same and the delays are 0.
    """

    def __init__(
        self, *, waits: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._waits = waits
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._throttled_since: dict[tuple[str, str, str], float] = {}

    def install(self, events: Any) -> None:
        """Register before clients are made; per service, to run before botocore's handler."""
        for service in sorted(SERVICES):
            events.register_first(f"needs-retry.{service}", self.needs_retry)

    def needs_retry(
        self,
        response: tuple[Any, Mapping[str, Any]] | None,
        operation: Any,
        attempts: int,
        caught_exception: BaseException | None,
        request_dict: Mapping[str, Any],
        **_: object,
    ) -> float | bool | None:
        """The decision on one attempt; the arguments are the event's."""
        if caught_exception is not None:
            return self._after_connection_error(caught_exception, attempts)
        if response is None:
            return None
        http, parsed = response
        error = parsed.get("Error")
        code = error_codes.bare_code(error.get("Code")) if isinstance(error, Mapping) else ""
        context = request_dict.get("context") or {}
        key = (
            operation.service_model.service_id.hyphenize(),
            str(context.get("client_region")),
            operation.name,
        )
        return self._after_response(_Attempt(http.status_code, code, attempts, key))

    def _after_connection_error(self, error: BaseException, attempts: int) -> float | bool | None:
        from botocore.exceptions import ConnectionError as NoConnection
        from botocore.exceptions import HTTPClientError

        if not isinstance(error, (NoConnection, HTTPClientError)):
            return None
        if attempts >= CONNECTION_ATTEMPTS:
            return False
        return None if self._waits else 0.0

    def _after_response(self, attempt: _Attempt) -> float | bool | None:
        if attempt.code in error_codes.THROTTLED or attempt.code == "429":
            return self._after_throttling(attempt)
        with self._lock:
            self._throttled_since.pop(attempt.key, None)
        if attempt.status >= 500:
            if attempt.number >= SERVER_ATTEMPTS:
                return False
            return None if self._waits else 0.0
        return None

    def _after_throttling(self, attempt: _Attempt) -> float | bool | None:
        now = self._monotonic()
        with self._lock:
            since = self._throttled_since.setdefault(attempt.key, now)
        if attempt.number >= THROTTLED_ATTEMPTS or now - since > GIVE_UP_SECONDS:
            return False
        if not self._waits:
            return 0.0
        if attempt.code not in error_codes.BOTOCORE_MISSES:
            return None
        longest: float = min(2.0 ** (attempt.number - 1), _LONGEST_BACKOFF)
        return random.uniform(0.0, longest)
