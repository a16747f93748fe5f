"""When a failed attempt is worth another: bounded, so that no run waits for what will not come.

botocore counts attempts alike for every kind of failure. Here a throttled call gets the ten
attempts that the client is configured with, a server fault five, a connection fault two; and an
operation that was throttled for a minute without a single success in its region is given up by
all its callers at once. Hooked before botocore's own handler, which keeps every decision that is
not taken here (backoff times, the adaptive rate limit).
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
class _Failed:
    """One failed attempt, as the event tells it."""

    status: int  # 0: no answer came
    code: str
    attempts: int
    key: tuple[str, str, str]  # service, region, operation


class Retries:
    """Answers botocore's `needs-retry` event: a delay in seconds, False (give up), None (yours).

    `waits` False is for the embedded account: the same number of attempts, without the waiting.
    """

    def __init__(
        self, *, waits: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._waits = waits
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._throttled_since: dict[tuple[str, str, str], float] = {}

    def install(self, events: Any) -> None:
        """Register before the clients are made: per service, since the more specific goes first."""
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
            return self._connection(caught_exception, attempts)
        if response is None:
            return None
        http, parsed = response
        fault = parsed.get("Error")
        code = error_codes.bare_code(fault.get("Code")) if isinstance(fault, Mapping) else ""
        context = request_dict.get("context") or {}
        key = (
            operation.service_model.service_id.hyphenize(),
            str(context.get("client_region")),
            operation.name,
        )
        return self._answered(_Failed(http.status_code, code, attempts, key))

    def _connection(self, error: BaseException, attempts: int) -> float | bool | None:
        from botocore.exceptions import ConnectionError as NoConnection
        from botocore.exceptions import HTTPClientError

        if not isinstance(error, (NoConnection, HTTPClientError)):
            return None
        if attempts >= CONNECTION_ATTEMPTS:
            return False
        return None if self._waits else 0.0

    def _answered(self, failed: _Failed) -> float | bool | None:
        if failed.code in error_codes.THROTTLED or failed.code == "429":
            return self._throttled(failed)
        with self._lock:
            self._throttled_since.pop(failed.key, None)
        if failed.status >= 500:
            if failed.attempts >= SERVER_ATTEMPTS:
                return False
            return None if self._waits else 0.0
        return None

    def _throttled(self, failed: _Failed) -> float | bool | None:
        now = self._monotonic()
        with self._lock:
            since = self._throttled_since.setdefault(failed.key, now)
        if failed.attempts >= THROTTLED_ATTEMPTS or now - since > GIVE_UP_SECONDS:
            return False
        if not self._waits:
            return 0.0
        if failed.code not in error_codes.BOTOCORE_MISSES:
            return None
        longest: float = min(2.0 ** (failed.attempts - 1), _LONGEST_BACKOFF)
        return random.uniform(0.0, longest)
