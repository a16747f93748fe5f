"""The feeds file and the one-feed options -> typed, frozen models."""

from ecr_feed.config.context import StatedKey
from ecr_feed.config.credentials import (
    Credentials,
    EnvCredentials,
    KeyCredentials,
    LoginFields,
    LoginFile,
    OidcCredentials,
    ProfileCredentials,
    WorkerCredentials,
)
from ecr_feed.config.errors import ConfigError
from ecr_feed.config.load import from_tables, load, one_feed, with_context
from ecr_feed.config.models import DockerFeed, Feed, Package, Suite, schema, slug_of
from ecr_feed.config.sources import check_sources, read_login

__all__ = [
    "ConfigError",
    "Credentials",
    "DockerFeed",
    "EnvCredentials",
    "Feed",
    "KeyCredentials",
    "LoginFields",
    "LoginFile",
    "OidcCredentials",
    "Package",
    "ProfileCredentials",
    "StatedKey",
    "Suite",
    "WorkerCredentials",
    "check_sources",
    "from_tables",
    "load",
    "one_feed",
    "read_login",
    "schema",
    "slug_of",
    "with_context",
]
