"""A feeds file, an account file's tables or the one-feed options -> a `Suite`, or `ConfigError`.

Nothing here calls AWS; variables and login files are read in `sources`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from ecr_feed.config.context import StatedKey, overridden, stated_keys
from ecr_feed.config.credentials import CREDENTIAL_KINDS, LOGIN_KINDS, Table
from ecr_feed.config.errors import ConfigError, Loc, explain, explain_option, explain_options, place
from ecr_feed.config.models import DockerFeed, Feed, FeedsFile, Package, Suite
from ecr_feed.config.read import parse, read
from ecr_feed.config.wording import is_secret, quote, secret_key
from ecr_feed.text.files import FEEDS, Files

_MODELS: Final[tuple[type[Table], ...]] = (
    *(FeedsFile, Feed, DockerFeed, Package),
    *CREDENTIAL_KINDS.values(),
    *LOGIN_KINDS.values(),
)
_KNOWN: Final = frozenset(key for model in _MODELS for key in model.model_fields)
_OPTIONS: Final = {
    "region": "--aws-region",
    "packages": "--package",
    "endpoint_url": "--aws-endpoint-url",
    "account": "--account",
    "credentials": "--aws-profile",
}


def load(name: str | Path, *, labels: bool = False, files: Files | None = None) -> Suite:
    """Read a feeds file. `labels` also allows `credentials = { key = "LABEL" }` (account files).

    Paths in it resolve from its own folder, or from the reader's where it is piped. Raises
    ConfigError for every mistake in it.
    """
    files = files or Files()
    file, text = read(name, FEEDS, files)
    base = files.here if file.path is None else file.path.parent
    return from_tables(
        parse(text, file.source),
        base=base.absolute(),
        source=file.source,
        labels=labels,
    )


def from_tables(
    tables: Mapping[str, Any],
    *,
    base: Path,
    source: str,
    labels: bool = False,
) -> Suite:
    """The `auditor`, `feed` and `docker_feed` tables, as TOML gives them -> a Suite.

    `source` names them in errors, `base` is where relative paths start. Raises ConfigError.
    """
    _refuse_secrets(tables, source)
    try:
        file = FeedsFile.model_validate(tables, context={"base": base, "labels": labels})
    except ValidationError as error:
        raise explain(error, tables, source) from None
    if not file.feed and not file.docker_feed:
        raise ConfigError(f"{source}: found no feed, expected [[feed]] or [[docker_feed]].")
    _refuse_twins(file, tables, source)
    return Suite(file.auditor, file.feed, file.docker_feed)


def one_feed(
    region: str,
    packages: Sequence[str],
    profile: str | None,
    endpoint_url: str | None,
    account: str | None = None,
    *,
    pulls: bool = False,
) -> Suite:
    """The feed of the one-feed options, named `ECR REGION`; `account` is the expected one.

    Without a profile the machine's own credentials are used, as for `worker = true`. Raises
    ConfigError that names the option.
    """
    feed: dict[str, Any] = {
        "name": f"ECR {region}",
        "region": region,
        "packages": list(packages),
        "credentials": {"worker": True} if profile is None else {"profile": profile},
        "pulls": pulls,
    }
    if endpoint_url is not None:
        feed["endpoint_url"] = endpoint_url
    if account is not None:
        feed["account"] = account
    try:
        return Suite(None, (Feed.model_validate(feed),), ())
    except ValidationError as error:
        raise explain_options(error, _OPTIONS) from None


def with_context(suite: Suite, options: Sequence[str]) -> Suite:
    """The suite whose feeds state what `--context KEY=VALUE` says, in place of the file's values.

    A key that is given twice has both values. Raises ConfigError that names the option.
    """
    if not options:
        return suite
    if not suite.feeds:
        raise ConfigError(
            "--context: found no [[feed]] that it could be stated for, expected one; the rules "
            "about a [[docker_feed]] evaluate no policy."
        )
    stated = _options_context(options)
    feeds = (
        feed.model_copy(update={"context": overridden(feed.context, stated)})
        for feed in suite.feeds
    )
    return replace(suite, feeds=tuple(feeds))


def _options_context(options: Sequence[str]) -> tuple[StatedKey, ...]:
    table: dict[str, list[str]] = {}
    for option in options:
        key, equals, value = option.partition("=")
        secret = is_secret(option)
        if secret or not (equals and key.strip() and value.strip()):
            found = "a text that looks like a secret" if secret else quote(option)
            raise ConfigError(
                f"--context: found {found}, expected KEY=VALUE, such as aws:SourceVpce=vpce-0123."
            )
        table.setdefault(key, []).append(value)
    try:
        return stated_keys(table)
    except PydanticCustomError as error:
        raise explain_option(error, "--context") from None


def _refuse_secrets(tables: Mapping[str, Any], source: str) -> None:
    for loc, value in _items(tables):
        named = len(loc) < 2 or loc[-2] != "context"  # aws:TokenIssueTime is not a secret
        if (named and secret_key(str(loc[-1]), _KNOWN)) or (
            isinstance(value, str) and is_secret(value)
        ):
            raise ConfigError(
                f"{source}: {place(loc, tables)}: found what looks like a secret, expected "
                "only names: of a profile, an environment variable or a file "
                '(credentials = { profile = "NAME" } or { env_prefix = "PREFIX_" }; '
                'login = { file = "login.txt" } or password_env = "VARIABLE").'
            )


def _items(value: object, loc: Loc = ()) -> Iterator[tuple[Loc, object]]:
    """The path and value of every key and every item of a list, at every depth."""
    inner: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, Mapping):
        inner = ((str(key), item) for key, item in value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for step, item in inner:
        yield (*loc, step), item
        yield from _items(item, (*loc, step))


def _refuse_twins(file: FeedsFile, tables: Mapping[str, Any], source: str) -> None:
    """Refuse two feeds with one name, or with names that are the same in test IDs."""
    seen: dict[str, tuple[str, Loc]] = {}
    named: Iterator[tuple[Loc, Feed | DockerFeed]] = chain(
        ((("feed", index), feed) for index, feed in enumerate(file.feed)),
        ((("docker_feed", index), feed) for index, feed in enumerate(file.docker_feed)),
    )
    for loc, feed in named:
        name, first = seen.setdefault(feed.slug, (feed.name, loc))
        if first == loc:
            continue
        here, there = place((*loc, "name"), tables), place((*first, "name"), tables)
        if name == feed.name:
            raise ConfigError(
                f"{source}: {here}: found {quote(name)}, which is the name of {there} already; "
                "expected a different name for each feed."
            )
        raise ConfigError(
            f"{source}: {here}: found {quote(feed.name)}, which differs from {there} "
            f"({quote(name)}) only in ways that test IDs do not show (both are {feed.slug}); "
            "expected names that differ in letters or digits."
        )
