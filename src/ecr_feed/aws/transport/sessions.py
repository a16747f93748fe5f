"""Makes every client of the suite: configured, guarded, recorded, and kept for the run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ecr_feed.aws.transport import answer_shape, readonly
from ecr_feed.aws.transport.backend import AWS, Backend
from ecr_feed.aws.transport.call_log import CallLog, CallRecorder
from ecr_feed.aws.transport.client import Client, HostStates, utcnow
from ecr_feed.aws.transport.credential_sessions import session_for
from ecr_feed.aws.transport.failures import CallContext, to_failure
from ecr_feed.aws.transport.principals import Principals
from ecr_feed.aws.transport.profiles import login_command
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.aws.transport.retries import Retries
from ecr_feed.config import (
    Credentials,
    EnvCredentials,
    OidcCredentials,
    ProfileCredentials,
    WorkerCredentials,
)
from ecr_feed.config.credentials import label_of
from ecr_feed.facts.aws import ReadError, Secret
from ecr_feed.once import Once

if TYPE_CHECKING:
    from ecr_feed.aws.transport.botosession import FeedSession, Settings


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """The key that a session signs with, without its secret.

    `expires_at` is None for a long-term key and where the expiry is unknown; `source` says how the
    credentials were obtained, such as "profile octopus (sso)".
    """

    access_key_id: str
    expires_at: datetime | None
    source: str


class Sessions:
    """Makes each client once per (credentials, service, region, endpoint) and keeps it.

    Safe to use from several threads. `environ` is where `env_prefix` credentials are read; botocore
    itself reads os.environ. `on_secret` is called with each secret that the sessions hold.
    """

    def __init__(
        self,
        *,
        auditor: Credentials | None = None,
        backend: Backend = AWS,
        log: CallLog | None = None,
        settings: Settings | None = None,
        now: Callable[[], datetime] = utcnow,
        environ: Mapping[str, str] | None = None,
        on_secret: Callable[[Secret], None] = lambda secret: None,
    ) -> None:
        self.auditor = auditor
        self.backend = backend
        self.log = CallLog() if log is None else log
        self.now = now
        self.on_secret = on_secret
        self._settings = settings
        self.environ = os.environ if environ is None else environ
        self._hosts = HostStates()
        self._lock = threading.RLock()
        self._facts: dict[object, Once[Any]] = {}
        self._clients: dict[object, Client] = {}
        self._expiries: Any = None

    @property
    def threads(self) -> int:
        """How many reads may run at once."""
        return self.settings.threads

    @property
    def settings(self) -> Settings:
        """Timeouts and threads of every client."""
        if self._settings is None:
            from ecr_feed.aws.transport.botosession import Settings

            self._settings = Settings()
        return self._settings

    def client(
        self,
        credentials: Credentials,
        service: str,
        region: str,
        endpoint_url: str | None = None,
        *,
        via: str = "",
    ) -> Client:
        """The client; raises ReadError where the credentials cannot be obtained.

        `endpoint_url` is the feed's own. Without one, the backend's is used, else those of
        AWS_ENDPOINT_URL_*, AWS_ENDPOINT_URL and the profile, as in the AWS CLI. `via` is the region
        whose STS gives an OIDC feed its session; by default `region`.
        """
        via = (via or region) if isinstance(credentials, OidcCredentials) else ""
        key = (credentials, via, endpoint_url, service, region)
        with self._lock:
            if key not in self._clients:
                session = self._session(credentials, via or region, endpoint_url)
                try:
                    self._report_secrets(session)
                    boto = session.create_client(
                        service, region_name=region, endpoint_url=endpoint_url
                    )
                except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
                    raise self._session_error(error, credentials, region, session) from None
                self._clients[key] = self.client_from(
                    boto,
                    service,
                    region,
                    principals=session.principals,
                    who=None
                    if service == "sts"
                    else lambda: self._who(credentials, region, endpoint_url, via),
                    login=_login(credentials, session),
                    by_auditor=credentials == self.auditor,
                )
            return self._clients[key]

    def _who(
        self, credentials: Credentials, region: str, endpoint_url: str | None, via: str
    ) -> str:
        """The ARN of whoever the credentials are now. Raises ReadError."""
        client = self.client(credentials, "sts", region, endpoint_url, via=via)
        operation = "GetCallerIdentity"
        return ResponseReader(client, operation).require(client.call(operation), "Arn", str)

    def _report_secrets(self, session: FeedSession) -> None:
        """Pass the secrets that the session holds to `on_secret`, to be redacted."""
        found = session.get_credentials()
        frozen = None if found is None else found.get_frozen_credentials()
        for text in () if frozen is None else (frozen.secret_key, frozen.token):
            if text:
                self.on_secret(Secret(text))

    def close(self) -> None:
        """Close the connections of every client; facts that were read stay."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    def shared(self, key: object, read: Callable[[], T]) -> Once[T]:
        """The run's one fact under this key, so that feeds with the same credentials share it."""
        with self._lock:
            fact: Once[T] = self._facts.setdefault(key, Once(read))
            return fact

    def session_credentials(
        self, credentials: Credentials, region: str, endpoint_url: str | None = None
    ) -> SessionCredentials:
        """The key that the credentials resolve to; makes no call after one was made with it.

        Raises ReadError where they cannot be obtained.
        """
        session = self._session(credentials, region, endpoint_url)
        try:
            found = session.get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
            raise self._session_error(error, credentials, region, session) from None
        if frozen is None:
            return SessionCredentials("", None, credentials.source)
        method = str(getattr(found, "method", "") or "")
        named = isinstance(credentials, (ProfileCredentials, WorkerCredentials))
        return SessionCredentials(
            frozen.access_key,
            self._expiries.known.get(frozen.access_key) or self._stated_expiry(credentials, method),
            f"{credentials.source} ({method})" if named and method else credentials.source,
        )

    def _stated_expiry(self, credentials: Credentials, method: str) -> datetime | None:
        """AWS_CREDENTIAL_EXPIRATION, which tools that export a session set as well."""
        if isinstance(credentials, EnvCredentials):
            text = self.environ.get(credentials.env_prefix + "AWS_CREDENTIAL_EXPIRATION", "")
        elif isinstance(credentials, WorkerCredentials) and method == "env":
            text = self.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
        else:
            return self._embedded_expiry(credentials)
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            return None
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)

    def _embedded_expiry(self, credentials: Credentials) -> datetime | None:
        """When a temporary key of the embedded account expires."""
        key = self.backend.keys.get(label_of(credentials))
        return None if key is None else key.expires_at

    def client_from(
        self,
        boto: Any,
        service: str,
        region: str,
        *,
        principals: Principals | None = None,
        who: Callable[[], str] | None = None,
        login: str = "",
        by_auditor: bool = False,
    ) -> Client:
        """The suite's client around a botocore client.

        `principals`, `who`: see `Client`; `login`, `by_auditor`: see `Failure`.
        """
        return Client(
            boto,
            service=service,
            region=region,
            log=self.log,
            hosts=self._hosts,
            now=self.now,
            principals=principals,
            who=who,
            login=login,
            by_auditor=by_auditor,
        )

    def _session_error(
        self,
        error: Exception,
        credentials: Credentials,
        region: str,
        session: FeedSession | None = None,
    ) -> ReadError:
        """The error of credentials that could not be obtained."""
        context = CallContext(
            "sts",
            "GetCallerIdentity",
            region,
            login="" if session is None else _login(credentials, session),
            by_auditor=credentials == self.auditor,
        )
        return ReadError(to_failure(error, context))

    def _session(
        self, credentials: Credentials, region: str, endpoint_url: str | None
    ) -> FeedSession:
        """The botocore session of the credentials; raises ReadError."""
        by_region = region if isinstance(credentials, OidcCredentials) else ""
        key = ("session", credentials, by_region, endpoint_url)

        def read() -> FeedSession:
            try:
                return session_for(self, credentials, region, endpoint_url)
            except ReadError as error:
                auditor = credentials == self.auditor
                raise ReadError(replace(error.failure, by_auditor=auditor)) from None
            except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
                raise self._session_error(error, credentials, region) from None

        return self.shared(key, read).get()

    def new_session(
        self,
        region: str,
        endpoint_url: str | None = None,
        *,
        profile: str | None = None,
        worker: bool = False,
        unsigned: bool = False,
    ) -> FeedSession:
        """A botocore session without credentials yet, guarded and recorded, with our retries."""
        from ecr_feed.aws.transport.botosession import (
            FeedSession,
            SessionExpiries,
            configuration,
        )

        backend = self.backend
        if endpoint_url is not None:
            backend = replace(backend, endpoint_url=endpoint_url)
        config = configuration(self.settings, backend, unsigned=unsigned)
        session = FeedSession(backend, config, region, profile=profile, worker=worker)
        if self._expiries is None:
            self._expiries = SessionExpiries()
        readonly.install(session.events)
        answer_shape.install(session.events)
        session.principals.install(session.events)
        CallRecorder(self.log, self.now).install(session.events)
        Retries(waits=not backend.embedded).install(session.events)
        session.events.register("after-call", self._expiries.record)
        if backend.answer is not None:
            session.events.register_first("before-send", backend.answer)
        return session


def _login(credentials: Credentials, session: FeedSession) -> str:
    """The command that renews the login behind the credentials; "" for those without a profile."""
    profiled = isinstance(credentials, (ProfileCredentials, WorkerCredentials))
    return login_command(session) if profiled else ""
