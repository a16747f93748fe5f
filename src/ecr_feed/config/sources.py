"""The variables and files that a feeds file names: do they exist, and a login file's content.

The environment is an argument. `ecr_feed.aws` looks up the profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecr_feed.config.credentials import (
    Credentials,
    EnvCredentials,
    LoginFile,
    OidcCredentials,
)
from ecr_feed.config.errors import ConfigError
from ecr_feed.config.models import DockerFeed, Suite
from ecr_feed.config.wording import quote
from ecr_feed.facts.aws import Secret
from ecr_feed.login_line import LoginParts, LoginText
from ecr_feed.text.files import LOGIN, TOKEN, FileError, FileKind, read_file


def check_sources(suite: Suite, environ: Mapping[str, str]) -> None:
    """Raise ConfigError for the first variable that is not set or file that cannot be read."""
    if suite.auditor is not None:
        _check_credentials(suite.auditor, "auditor", environ)
    for feed in suite.feeds:
        _check_credentials(feed.credentials, f"feed {quote(feed.name)}, credentials", environ)
    for docker_feed in suite.docker_feeds:
        read_login(docker_feed, environ)


def read_login(docker_feed: DockerFeed, environ: Mapping[str, str]) -> LoginText | LoginParts:
    """What the feed's login names, secrets wrapped. Raises ConfigError where it does not exist."""
    login = docker_feed.login
    where = f"docker_feed {quote(docker_feed.name)}, login"
    if isinstance(login, LoginFile):
        return LoginText(_read(login.file, LOGIN, f"{where}.file"))
    password = _value(login.password_env, f"{where}.password_env", environ)
    return LoginParts(login.username, Secret(password), login.url)


def _check_credentials(credentials: Credentials, where: str, environ: Mapping[str, str]) -> None:
    if isinstance(credentials, EnvCredentials):
        for name in credentials.variables[:2]:
            _value(name, f"{where}.env_prefix", environ)
    elif isinstance(credentials, OidcCredentials) and credentials.token_file is not None:
        _read(credentials.token_file, TOKEN, f"{where}.token_file")


def _value(name: str, where: str, environ: Mapping[str, str]) -> str:
    """The value of an environment variable, which is neither empty nor blank."""
    if environ.get(name, "").strip():
        return environ[name]
    state = "empty" if name in environ else "not set"
    raise ConfigError(
        f"{where}: the environment variable {name} is {state}; expected the secret in it."
    )


def _read(path: Path, kind: FileKind, where: str) -> bytes:
    """A regular file only: it is read again where its content is needed."""
    try:
        return read_file(path, kind).data
    except FileError as error:
        raise ConfigError(f"{where}: {error}") from None
