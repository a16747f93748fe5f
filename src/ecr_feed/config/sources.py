"""The variables and files that a feeds file names: do they exist, and a login file's content.

The environment is an argument. `ecr_feed.aws` looks up the profiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ecr_feed.config.credentials import (
    Credentials,
    EnvCredentials,
    LoginFile,
    OidcCredentials,
)
from ecr_feed.config.errors import ConfigError
from ecr_feed.config.models import DockerFeed, Suite
from ecr_feed.config.words import quote
from ecr_feed.facts.aws import Secret
from ecr_feed.login_line import LoginParts, LoginText
from ecr_feed.text.files import LOGIN, TOKEN, FileError, Kind, read_file


def check_sources(suite: Suite, environ: Mapping[str, str]) -> None:
    """Raise ConfigError for the first variable that is not set or file that cannot be read."""
    for problem in _problems(suite, environ):
        raise ConfigError(problem)


def read_login(docker_feed: DockerFeed, environ: Mapping[str, str]) -> LoginText | LoginParts:
    """What the feed's login names, secrets wrapped. Raises ConfigError where it does not exist."""
    login = docker_feed.login
    where = f"docker_feed {quote(docker_feed.name)}"
    if isinstance(login, LoginFile):
        return LoginText(_read(login.file, LOGIN, f"{where}, login.file"))
    if problem := _unset(login.password_env, f"{where}, login.password_env", environ):
        raise ConfigError(problem)
    return LoginParts(login.username, Secret(environ[login.password_env]), login.url)


def _problems(suite: Suite, environ: Mapping[str, str]) -> Iterator[str]:
    named = [(f"feed {quote(feed.name)}, credentials", feed.credentials) for feed in suite.feeds]
    if suite.auditor is not None:
        named.insert(0, ("auditor", suite.auditor))
    for where, credentials in named:
        yield from _credential_problems(where, credentials, environ)
    for docker_feed in suite.docker_feeds:
        try:
            read_login(docker_feed, environ)
        except ConfigError as error:
            yield str(error)


def _credential_problems(
    where: str, credentials: Credentials, environ: Mapping[str, str]
) -> Iterator[str]:
    if isinstance(credentials, EnvCredentials):
        for name in (credentials.access_key_id, credentials.secret_access_key):
            if problem := _unset(name, f"{where}.env_prefix", environ):
                yield problem
    elif isinstance(credentials, OidcCredentials) and credentials.token_file is not None:
        try:
            _read(credentials.token_file, TOKEN, f"{where}.token_file")
        except ConfigError as error:
            yield str(error)


def _unset(name: str, where: str, environ: Mapping[str, str]) -> str | None:
    if environ.get(name, "").strip():
        return None
    state = "empty" if name in environ else "not set"
    return f"{where}: the environment variable {name} is {state}; expected the secret in it."


def _read(path: Path, kind: Kind, where: str) -> bytes:
    """Only a regular file: it is read again when its content is needed."""
    try:
        return read_file(path, kind).data
    except FileError as error:
        raise ConfigError(f"{where}: {error}") from None
