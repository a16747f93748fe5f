"""A client of one service in one region: calls return the parsed response or raise ReadError."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.aws.transport.failures import CallContext, malformed_failure, to_failure
from ecr_feed.aws.transport.principals import Principals
from ecr_feed.aws.transport.readonly import GuardError
from ecr_feed.facts.aws import Failure, ReadError, Trouble

# An endpoint whose page tokens never end is stopped here. ECR's quota is 100,000 repositories.
MOST_PAGES: Final = 2000


def utcnow() -> datetime:
    """This machine's time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Host:
    responded: bool = False
    unreachable: Failure | None = None


@dataclass(slots=True)
class HostStates:
    """Which hosts responded: one that never did is called once, not by every caller again."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def unreachable(self, host: str) -> Failure | None:
        """The failure of the first call, for a host that never responded."""
        with self._lock:
            return self._hosts.setdefault(host, _Host()).unreachable

    def record_response(self, host: str) -> None:
        """The host sent a response, whatever its status."""
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            state.responded, state.unreachable = True, None

    def record_failure(self, host: str, failure: Failure) -> None:
        """The host sent no response. After a lost connection, further calls still try it."""
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            silent = failure.trouble.unreachable and failure.trouble != Trouble.RESET
            if silent and not state.responded:
                state.unreachable = failure


class Client:
    """Calls AWS operations for the readers; every call goes through here.

    `principals` are those of the session, and `who` asks STS who it is now; without `who` the
    caller is not checked.
    """

    def __init__(
        self,
        boto: Any,
        *,
        service: str,
        region: str,
        log: CallLog,
        hosts: HostStates,
        now: Callable[[], datetime] = utcnow,
        principals: Principals | None = None,
        who: Callable[[], str] | None = None,
        login: str = "",
        by_auditor: bool = False,
    ) -> None:
        self.service = service
        self.region = region
        self.host = urlsplit(str(boto.meta.endpoint_url)).netloc
        self._boto = boto
        self._log = log
        self._hosts = hosts
        self._now = now
        self._principals = principals
        self._who = who
        self._login = login
        self._by_auditor = by_auditor
        self._methods = {api: name for name, api in boto.meta.method_to_api_mapping.items()}

    def context(self, operation: str) -> CallContext:
        """A call of this client, to describe its failure with."""
        return CallContext(
            self.service,
            operation,
            self.region,
            host=self.host,
            login=self._login,
            by_auditor=self._by_auditor,
        )

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The parsed response of an operation, by its API name. Raises ReadError."""
        silent = self._hosts.unreachable(self.host)
        if silent is not None:
            context = self.context(operation)
            raise ReadError(
                replace(
                    silent,
                    operation=operation,
                    service=self.service,
                    by_auditor=context.by_auditor,
                )
            )
        method = getattr(self._boto, self._methods[operation])
        self._log.forget_last()
        try:
            answer = method(**parameters)
        except GuardError:
            raise
        except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
            failed = self._failure(error, operation)
            if failed.failure.code and failed.failure.operation == operation:
                self._check_principal(operation)
            raise failed from None
        self._check_principal(operation)
        self._hosts.record_response(self.host)
        if not isinstance(answer, dict):
            raise self.malformed(operation, "the answer is not an object")
        return answer

    def learn_principal(self, arn: str) -> None:
        """Keep who STS says the caller of this thread's last call is.

        Raises ReadError where it said somebody else before.
        """
        if self._principals is not None:
            self._principals.learn(self.context("GetCallerIdentity"), arn)

    def _check_principal(self, operation: str) -> None:
        """Raise ReadError where the answer is to another principal than the first one."""
        if self._principals is not None and self._who is not None:
            self._principals.check(self.context(operation), self._who)

    def close(self) -> None:
        """Close the connections."""
        self._boto.close()

    def malformed(self, operation: str, message: str) -> ReadError:
        """The error for a response that lacks something it must contain."""
        last = self._log.last()
        request_id = last.request_id if last and last.operation == operation else ""
        return ReadError(malformed_failure(self.context(operation), message, request_id))

    def pages(
        self,
        operation: str,
        *,
        request_key: str = "nextToken",
        response_key: str = "nextToken",
        **parameters: Any,
    ) -> Iterator[dict[str, Any]]:
        """Every page of a list, each requested with the token of the one before.

        Raises ReadError; a token that repeats, or is not a text, is MALFORMED.
        """
        seen: set[str] = set()
        token: object = None
        for _ in range(MOST_PAGES):
            page = self.call(
                operation, **parameters, **({} if token is None else {request_key: token})
            )
            yield page
            token = page.get(response_key)
            if token is None:
                return
            if not isinstance(token, str) or not token or token in seen:
                raise self.malformed(operation, f"the list loops: its {response_key} repeats")
            seen.add(token)
        raise self.malformed(operation, f"the list has more than {MOST_PAGES} pages")

    def _failure(self, error: Exception, operation: str) -> ReadError:
        last = self._log.last()
        attempts = last.attempts if last and last.operation == operation else 1
        context = replace(self.context(operation), attempts=attempts, now=self._now())
        failure = to_failure(error, context)
        if failure.code and not failure.trouble.unreachable and failure.operation == operation:
            self._hosts.record_response(self.host)
        elif failure.operation == operation:
            self._hosts.record_failure(self.host, failure)
        return ReadError(failure)
