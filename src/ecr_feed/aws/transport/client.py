"""A service in a region, as one set of credentials sees it: calls answer or raise ReadError."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.aws.transport.failures import CallContext, malformed, to_failure
from ecr_feed.aws.transport.readonly import GuardError
from ecr_feed.facts.aws import Failure, ReadError, Trouble

# A page token that is always new would be followed for ever. ECR's quota is 100,000 repositories.
MOST_PAGES: Final = 2000


def utcnow() -> datetime:
    """This machine's time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Host:
    answered: bool = False
    dead: Failure | None = None


@dataclass(slots=True)
class Hosts:
    """What is known of each host: one that never answered is not waited for by every caller."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def dead(self, host: str) -> Failure | None:
        """How the host was found unreachable, if it never answered anything."""
        with self._lock:
            return self._hosts.setdefault(host, _Host()).dead

    def answered(self, host: str) -> None:
        """An answer came, of whatever kind."""
        with self._lock:
            known = self._hosts.setdefault(host, _Host())
            known.answered, known.dead = True, None

    def failed(self, host: str, failure: Failure) -> None:
        """No answer came. A connection that was lost is quick to try again, and is tried."""
        with self._lock:
            known = self._hosts.setdefault(host, _Host())
            gone = failure.trouble.unreachable and failure.trouble != Trouble.RESET
            if gone and not known.answered:
                known.dead = failure


class Client:
    """The one way from a reader to an AWS operation."""

    def __init__(
        self,
        boto: Any,
        *,
        service: str,
        region: str,
        log: CallLog,
        hosts: Hosts,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self.service = service
        self.region = region
        self.host = urlsplit(str(boto.meta.endpoint_url)).netloc
        self._boto = boto
        self._log = log
        self._hosts = hosts
        self._now = now
        self._methods = {api: name for name, api in boto.meta.method_to_api_mapping.items()}

    def context(self, operation: str) -> CallContext:
        """A call of this client, for whoever finds its answer wanting."""
        return CallContext(self.service, operation, self.region, host=self.host)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The parsed answer of an operation by its API name; raises ReadError, classified."""
        dead = self._hosts.dead(self.host)
        if dead is not None:
            raise ReadError(replace(dead, operation=operation, service=self.service))
        method = getattr(self._boto, self._methods[operation])
        self._log.forget_last()
        try:
            answer = method(**parameters)
        except GuardError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a client raises is classified, kept
            raise self._failure(error, operation) from None
        self._hosts.answered(self.host)
        if not isinstance(answer, dict):
            raise self.malformed(operation, "the answer is not an object")
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._boto.close()

    def malformed(self, operation: str, message: str) -> ReadError:
        """The error for an answer that came and lacks what it must have."""
        last = self._log.last()
        request_id = last.request_id if last and last.operation == operation else ""
        return ReadError(malformed(self.context(operation), message, request_id))

    def pages(
        self,
        operation: str,
        *,
        asks: str = "nextToken",
        says: str = "nextToken",
        **parameters: Any,
    ) -> Iterator[dict[str, Any]]:
        """Every page of a list. A token seen before is malformed."""
        seen: set[str] = set()
        token: object = None
        for _ in range(MOST_PAGES):
            page = self.call(operation, **parameters, **({} if token is None else {asks: token}))
            yield page
            token = page.get(says)
            if token is None:
                return
            if not isinstance(token, str) or not token or token in seen:
                raise self.malformed(operation, f"the list loops: its {says} repeats")
            seen.add(token)
        raise self.malformed(operation, f"the list has more than {MOST_PAGES} pages")

    def _failure(self, error: Exception, operation: str) -> ReadError:
        last = self._log.last()
        attempts = last.attempts if last and last.operation == operation else 1
        failure = to_failure(
            error,
            CallContext(self.service, operation, self.region, attempts, self.host, self._now()),
        )
        if failure.code and not failure.trouble.unreachable and failure.operation == operation:
            self._hosts.answered(self.host)
        elif failure.operation == operation:
            self._hosts.failed(self.host, failure)
        return ReadError(failure)
