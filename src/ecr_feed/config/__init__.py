"""The feeds file and the one-feed options -> typed, frozen models."""

from ecr_feed.config.credentials import (
    AnyCredentials,
    EnvCredentials,
    KeyCredentials,
    LoginFields,
    LoginFile,
    OidcCredentials,
    ProfileCredentials,
    WorkerCredentials,
)
from ecr_feed.config.errors import ConfigError
from ecr_feed.config.load import from_tables, load, one_feed
from ecr_feed.config.models import DockerFeed, Feed, Package, Suite
from ecr_feed.config.slug import slug_of

__all__ = [
    "AnyCredentials",
    "ConfigError",
    "DockerFeed",
    "EnvCredentials",
    "Feed",
    "KeyCredentials",
    "LoginFields",
    "LoginFile",
    "OidcCredentials",
    "Package",
    "ProfileCredentials",
    "Suite",
    "WorkerCredentials",
    "from_tables",
    "load",
    "one_feed",
    "slug_of",
]
