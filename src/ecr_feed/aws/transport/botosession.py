"""A botocore session for one set of credentials. Imported only when a client is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
from ecr_feed.aws.transport.principals import Principals
from ecr_feed.aws.transport.retries import THROTTLED_ATTEMPTS

# Providers of the machine's own credentials, which botocore would use for a profile without keys.
# (A profile that names them by `credential_source` is not affected.)
_AMBIENT: Final = ("ec2-credentials-file", "boto-config", "container-role", "iam-role")
# A test endpoint must not receive the token of a real login.
_LOGINS: Final = frozenset({"sso", "sso-oidc", "signin"})
_NO_PROFILE: Final = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of every client: timeouts in seconds, and how many threads may call at once."""

    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    threads: int = 48


@dataclass(slots=True)
class SessionExpiries:
    """When temporary credentials expire, by access key ID, as AWS's responses say."""

    known: dict[str, datetime] = field(default_factory=dict)

    def record(self, parsed: Mapping[str, Any], **_: object) -> None:
        """Handle `after-call` of AssumeRole* and of SSO's GetRoleCredentials."""
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
    """A botocore session whose clients all get our configuration and, if set, our endpoint.

    botocore also makes its clients for credentials by `create_client`, so a test endpoint receives
    the AssumeRole call of a profile as well.
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
        self.principals = Principals()
        self.register_component("data_loader", bundled_data())
        # For clients that botocore makes itself, such as the STS client of an assumed role.
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
            kwargs.setdefault("verify", True)  # not AWS_CA_BUNDLE
        return super().create_client(service_name, *args, **kwargs)


def utc(value: Any) -> datetime:
    """A timestamp of AWS's in UTC.

    Numbers are converted here, since botocore's conversion takes a quarter of a call's time.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    parsed: datetime = parse_timestamp(value)
    return parsed.astimezone(UTC)


def configuration(settings: Settings, backend: Backend, *, unsigned: bool = False) -> Config:
    """The configuration of every client; that of the embedded account ignores the environment."""
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
        # Rate limiting would only delay calls to the embedded account.
        retries={
            "mode": "standard" if backend.embedded else "adaptive",
            "total_max_attempts": THROTTLED_ATTEMPTS,
        },
        **extra,
    )


@cache
def bundled_data() -> Any:
    """A loader of botocore's own service data, without what ~/.aws/models adds."""
    loader = botocore.loaders.Loader
    return loader([loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def set_key(session: FeedSession, key: SigningKey) -> None:
    """Make a session sign with this key."""
    token = key.session_token
    session.set_credentials(
        key.access_key_id, key.secret.reveal(), None if token is None else token.reveal()
    )


def _variables(
    backend: Backend, profile: str | None, worker: bool
) -> dict[str, tuple[Any, Any, Any, Any]]:
    """Overrides of botocore's variable table (config key, environment variable, default, type)."""
    if backend.embedded:
        table = botocore.session.Session.SESSION_VARIABLES
        variables: dict[str, tuple[Any, Any, Any, Any]] = {
            name: (None, None, default, convert) for name, (_, _, default, convert) in table.items()
        }
        for name in ("config_file", "credentials_file"):
            variables[name] = (None, None, os.devnull, None)
        return variables
    if worker or profile is not None:
        return {}
    return {"profile": _NO_PROFILE}  # AWS_PROFILE is the machine's, not this feed's
