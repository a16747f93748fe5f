"""The record of every call that was sent: the evidence that the suite only reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ecr_feed.aws.transport import error_codes
from ecr_feed.aws.transport.failures import date_of
from ecr_feed.aws.transport.readonly import GuardError
from ecr_feed.aws.transport.response import sanitize
from ecr_feed.facts.aws import Call

_STARTED: Final = "ecr_feed.started"
# Errors before a request is sent: no credentials to sign with, or invalid parameters.
_NOT_SENT: Final = frozenset(
    {
        "NoCredentialsError",
        "NoAuthTokenError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
        "MetadataRetrievalError",
        "InvalidConfigError",
        "ProfileNotFound",
        "SSOError",
        "LoginError",
        "ParamValidationError",
    }
)


class CallLog:
    """Thread-safe list of `Call`s, without parameters, headers and secrets.

    `on_call` is called after each one, in the thread that made the call.
    """

    def __init__(self, on_call: Callable[[], None] = lambda: None) -> None:
        self._on_call = on_call
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._offsets: list[timedelta] = []
        self._last = threading.local()

    def add(self, call: Call) -> None:
        """Append one call."""
        self._last.call = call
        with self._lock:
            self._calls.append(call)
        self._on_call()

    def drain(self) -> list[Call]:
        """The calls since the last drain, in the order of their responses; removes them."""
        with self._lock:
            calls, self._calls = self._calls, []
        return calls

    def peek(self) -> tuple[Call, ...]:
        """The calls since the last drain; keeps them."""
        with self._lock:
            return tuple(self._calls)

    def forget_last(self) -> None:
        """Forget this thread's last call: its next one may fail before it is recorded."""
        self._last.call = None

    def last(self) -> Call | None:
        """The last call of this thread."""
        call = getattr(self._last, "call", None)
        return call if isinstance(call, Call) else None

    def add_offset(self, offset: timedelta) -> None:
        """Record one measurement of this machine's clock minus AWS's."""
        with self._lock:
            self._offsets.append(offset)

    def clock_offset(self) -> timedelta | None:
        """The median of the measurements; None where no response had a usable Date."""
        with self._lock:
            ordered = sorted(self._offsets)
        return ordered[len(ordered) // 2] if ordered else None


class CallRecorder:
    """Writes each operation of a session's clients into a `CallLog`.

    It handles the session's events, so it also records the calls of botocore's own credential
    providers.
    """

    def __init__(self, log: CallLog, now: Any) -> None:
        self._log = log
        self._now = now

    def install(self, events: Any) -> None:
        """Register on a session's event emitter, before its clients are made."""
        events.register("before-call", self._before)
        events.register_first("after-call", self._after)
        events.register_first("after-call-error", self._failed)

    def _before(self, context: dict[str, Any], **_: object) -> None:
        context[_STARTED] = time.perf_counter()

    def _after(
        self,
        http_response: Any,
        parsed: Mapping[str, Any],
        model: Any,
        context: Mapping[str, Any],
        **_: Any,
    ) -> None:
        metadata: Mapping[str, Any] = parsed.get("ResponseMetadata") or {}
        fault: object = parsed.get("Error")
        code = error_codes.bare_code(fault.get("Code")) if isinstance(fault, Mapping) else ""
        failed = http_response.status_code >= 300
        date = date_of(metadata)
        if date is not None:
            now: datetime = self._now()
            self._log.add_offset(now - date)
        self._write(
            model.service_model.service_id.hyphenize(),
            model.name,
            context,
            status=http_response.status_code,
            request_id=sanitize(metadata.get("RequestId")),
            code=(code or "?") if failed else "",
        )

    def _failed(
        self, exception: BaseException, context: Mapping[str, Any], event_name: str, **_: Any
    ) -> None:
        names = {kind.__name__ for kind in type(exception).__mro__}
        # A ClientError here comes from a credential provider's call, which has its own record.
        if isinstance(exception, GuardError) or names & _NOT_SENT or "ClientError" in names:
            return
        parts = event_name.split(".")
        self._write(parts[1], parts[2], context, status=0, code=type(exception).__name__)

    def _write(
        self,
        service: str,
        operation: str,
        context: Mapping[str, Any],
        *,
        status: int,
        request_id: str = "",
        code: str = "",
    ) -> None:
        retries = context.get("retries") or {}
        started = context.get(_STARTED)
        self._log.add(
            Call(
                service=service,
                operation=operation,
                region=str(context.get("client_region") or ""),
                status=status,
                attempts=int(retries.get("attempt", 1)),
                latency=0.0 if started is None else time.perf_counter() - started,
                request_id=request_id,
                code=code,
            )
        )
