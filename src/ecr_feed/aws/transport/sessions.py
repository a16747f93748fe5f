"""Every client of the suite is made here: configured, guarded, recorded, kept for the run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ecr_feed.aws.transport import readonly
from ecr_feed.aws.transport.backend import AWS, Backend
from ecr_feed.aws.transport.call_log import CallLog, CallRecorder
from ecr_feed.aws.transport.client import Client, Hosts, utcnow
from ecr_feed.aws.transport.credential_sessions import session_for
from ecr_feed.aws.transport.failures import CallContext, to_failure
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
    """What is known of the credentials that a session holds; never the secret."""

    access_key_id: str
    expires_at: datetime | None
    source: str


class Sessions:
    """Makes each client once per (credentials, service, region, endpoint) and keeps it.

    Clients are to be asked for before threads start; asking is safe from any thread. `environ` is
    where `env_prefix` credentials are read; botocore itself reads os.environ.
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
        self._hosts = Hosts()
        self._lock = threading.RLock()
        self._cells: dict[object, Once[Any]] = {}
        self._clients: dict[object, Client] = {}
        self._expiries: Any = None

    @property
    def threads(self) -> int:
        """How many reads may be under way at once."""
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
        """The client; raises ReadError where there are no credentials to make one with.

        `endpoint_url` is the feed's own; without one the backend's, then AWS_ENDPOINT_URL_*,
        AWS_ENDPOINT_URL and the profile's `endpoint_url` and `services` count, as in the AWS CLI.
        `via` is the region whose STS gives an OIDC feed its session; by default `region`.
        """
        via = (via or region) if isinstance(credentials, OidcCredentials) else ""
        key = (credentials, via, endpoint_url, service, region)
        with self._lock:
            if key not in self._clients:
                try:
                    session = self._session(credentials, via or region, endpoint_url)
                    self._learn(session)
                    boto = session.create_client(
                        service, region_name=region, endpoint_url=endpoint_url
                    )
                except ReadError:
                    raise
                except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
                    raise _no_session(error, region) from None
                self._clients[key] = self.client_from(boto, service, region)
            return self._clients[key]

    def _learn(self, session: FeedSession) -> None:
        """Tell whoever redacts what must not be seen: the credentials that the session holds."""
        found = session.get_credentials()
        frozen = None if found is None else found.get_frozen_credentials()
        for text in () if frozen is None else (frozen.secret_key, frozen.token):
            if text:
                self.on_secret(Secret(text))

    def close(self) -> None:
        """Close every client's connections; the facts that were read stay."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    def shared(self, key: object, read: Callable[[], T]) -> Once[T]:
        """The run's one cell under this key: feeds with the same credentials read once."""
        with self._lock:
            cell: Once[T] = self._cells.setdefault(key, Once(read))
            return cell

    def session_credentials(
        self, credentials: Credentials, region: str, endpoint_url: str | None = None
    ) -> SessionCredentials:
        """The key that the credentials resolve to; asks nobody once a call was made with it.

        Raises ReadError where they cannot be had.
        """
        session = self._session(credentials, region, endpoint_url)
        try:
            found = session.get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
            raise _no_session(error, region) from None
        if frozen is None:
            return SessionCredentials("", None, credentials.source)
        method = str(getattr(found, "method", "") or "")
        named = isinstance(credentials, (ProfileCredentials, WorkerCredentials))
        return SessionCredentials(
            frozen.access_key,
            self._expiries.known.get(frozen.access_key) or self._told(credentials, method),
            f"{credentials.source} ({method})" if named and method else credentials.source,
        )

    def _told(self, credentials: Credentials, method: str) -> datetime | None:
        """AWS_CREDENTIAL_EXPIRATION, which tools that export a session set beside it."""
        if isinstance(credentials, EnvCredentials):
            text = self.environ.get(credentials.env_prefix + "AWS_CREDENTIAL_EXPIRATION", "")
        elif isinstance(credentials, WorkerCredentials) and method == "env":
            text = self.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
        else:
            return self._seeded(credentials)
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            return None
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)

    def _seeded(self, credentials: Credentials) -> datetime | None:
        """When the embedded account's own temporary key ends."""
        key = self.backend.keys.get(label_of(credentials))
        return None if key is None else key.expires_at

    def client_from(self, boto: Any, service: str, region: str) -> Client:
        """A botocore client behind the suite's own way of calling."""
        return Client(
            boto, service=service, region=region, log=self.log, hosts=self._hosts, now=self.now
        )

    def _session(
        self, credentials: Credentials, region: str, endpoint_url: str | None
    ) -> FeedSession:
        """The botocore session of the credentials; raises ReadError."""
        by_region = region if isinstance(credentials, OidcCredentials) else ""
        key = ("session", credentials, by_region, endpoint_url)

        def read() -> FeedSession:
            try:
                return session_for(self, credentials, region, endpoint_url)
            except ReadError:
                raise
            except Exception as error:  # noqa: BLE001 - classified, raised as ReadError
                raise _no_session(error, region) from None

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
        """A botocore session without credentials yet: guarded, recorded, patient."""
        from ecr_feed.aws.transport.botosession import (
            FeedSession,
            SessionExpiries,
            configuration,
            hook,
        )

        backend = self.backend
        if endpoint_url is not None:
            backend = replace(backend, endpoint_url=endpoint_url)
        config = configuration(self.settings, backend, unsigned=unsigned)
        session = FeedSession(backend, config, region, profile=profile, worker=worker)
        if self._expiries is None:
            self._expiries = SessionExpiries()
        expiries, answer = self._expiries, backend.answer
        installers = (
            readonly.install,
            CallRecorder(self.log, self.now).install,
            Retries(waits=not backend.embedded).install,
            lambda events: events.register("after-call", expiries.see),
        )
        hook(session, installers)
        if answer is not None:
            session.events.register_first("before-send", answer)
        return session


def _no_session(error: Exception, region: str) -> ReadError:
    return ReadError(to_failure(error, CallContext("sts", "GetCallerIdentity", region)))
