"""One botocore session for one set of credentials. Imported only when a client is to be made."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import botocore.loaders
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.utils import parse_timestamp

from ecr_feed import __version__
from ecr_feed.aws.transport.backend import Backend, SigningKey
from ecr_feed.aws.transport.retries import THROTTLED_ATTEMPTS

# Providers that find credentials nobody named: the machine's own. A profile without keys would
# fall through to them. (`credential_source` in a profile names them, and is not affected.)
_AMBIENT: Final = ("ec2-credentials-file", "boto-config", "container-role", "iam-role")
# A test endpoint is not shown the token of somebody's real login.
_LOGINS: Final = frozenset({"sso", "sso-oidc", "signin"})
_NO_PROFILE: Final = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Settings:
    """What every client states. Seconds; `threads` is how many may call at once."""

    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    threads: int = 48


@dataclass(slots=True)
class SessionExpiries:
    """When temporary credentials end, by access key ID, as the exchanges' answers say."""

    known: dict[str, datetime] = field(default_factory=dict)

    def see(self, parsed: Mapping[str, Any], **_: object) -> None:
        """Handler of `after-call`: AssumeRole* and SSO's GetRoleCredentials."""
        self._keep(parsed.get("Credentials"), "AccessKeyId", "Expiration")
        self._keep(parsed.get("roleCredentials"), "accessKeyId", "expiration")

    def _keep(self, credentials: object, key: str, when: str) -> None:
        if not isinstance(credentials, Mapping):
            return
        name, end = credentials.get(key), credentials.get(when)
        if isinstance(end, int):  # SSO: milliseconds since the epoch
            end = datetime.fromtimestamp(end / 1000, UTC)
        if isinstance(name, str) and isinstance(end, datetime):
            self.known[name] = end


class FeedSession(botocore.session.Session):  # type: ignore[misc] # botocore has no types
    """A botocore session whose clients all get our configuration and, if set, one endpoint.

    botocore makes clients of its own for credentials; they come through `create_client` too, so
    that a test endpoint receives the AssumeRole of a profile as well.
    """

    def __init__(
        self,
        backend: Backend,
        config: Config,
        region: str,
        *,
        profile: str | None = None,
        worker: bool = False,
    ) -> None:
        super().__init__(profile=profile, session_vars=_variables(backend, profile, worker))
        self._feed_backend = backend
        self._feed_config = config
        self.register_component("data_loader", bundled_data())
        # For the clients that botocore makes for itself: an assumed role's STS.
        self.set_config_variable("region", region)
        self.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=utc)
        if profile is not None:
            resolver = self.get_component("credential_provider")
            for name in _AMBIENT:
                resolver.remove(name)

    @property
    def events(self) -> Any:
        """The emitter that every client's copy is made from."""
        return self.get_component("event_emitter")

    def create_client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Botocore's `create_client` with the suite's configuration and endpoint."""
        given = kwargs.pop("config", None)
        kwargs["config"] = self._feed_config if given is None else self._feed_config.merge(given)
        endpoint = self._feed_backend.endpoint_url
        if endpoint is not None and service_name not in _LOGINS:
            kwargs["endpoint_url"] = kwargs.get("endpoint_url") or endpoint
        if self._feed_backend.embedded:
            kwargs.setdefault("verify", True)  # AWS_CA_BUNDLE stays outside
        return super().create_client(service_name, *args, **kwargs)


def utc(value: Any) -> datetime:
    """AWS's timestamps in UTC; numbers without dateutil's local zone (a quarter of a call)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    parsed: datetime = parse_timestamp(value)
    return parsed.astimezone(UTC)


def configuration(settings: Settings, backend: Backend, *, unsigned: bool = False) -> Config:
    """The configuration of every client. The embedded account takes none from the environment."""
    extra: dict[str, Any] = {}
    if backend.embedded:
        extra = {
            "ignore_configured_endpoint_urls": True,
            "proxies": {},
            "use_fips_endpoint": False,
            "use_dualstack_endpoint": False,
            "defaults_mode": "legacy",
        }
    if unsigned:
        extra["signature_version"] = UNSIGNED
    return Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.threads + 2,
        user_agent_extra=f"ecr-feed-checks/{__version__}",
        # The embedded account needs no rate limiter: nothing there is saved by waiting.
        retries={
            "mode": "standard" if backend.embedded else "adaptive",
            "total_max_attempts": THROTTLED_ATTEMPTS,
        },
        **extra,
    )


@cache
def bundled_data() -> Any:
    """The service data that came with botocore, without what ~/.aws/models adds; read once."""
    loader = botocore.loaders.Loader
    return loader([loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def static(session: FeedSession, key: SigningKey) -> None:
    """Give a session fixed credentials."""
    token = key.session_token
    session.set_credentials(
        key.access_key_id, key.secret.reveal(), None if token is None else token.reveal()
    )


def hook(session: FeedSession, installers: tuple[Callable[[Any], None], ...]) -> FeedSession:
    """Let each installer register on the session's events; before its first client."""
    for install in installers:
        install(session.events)
    return session


def _variables(
    backend: Backend, profile: str | None, worker: bool
) -> dict[str, tuple[Any, Any, Any, Any]]:
    """Overrides of botocore's variable table (config key, environment variable, default, type)."""
    if backend.embedded:
        table = botocore.session.Session.SESSION_VARIABLES
        outside: dict[str, tuple[Any, Any, Any, Any]] = {
            name: (None, None, default, convert) for name, (_, _, default, convert) in table.items()
        }
        for name in ("config_file", "credentials_file"):
            outside[name] = (None, None, os.devnull, None)
        return outside
    if worker or profile is not None:
        return {}
    return {"profile": _NO_PROFILE}  # AWS_PROFILE belongs to the machine, not to this feed
