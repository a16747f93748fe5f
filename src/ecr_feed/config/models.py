"""The feeds file as frozen models. Secrets are never values in it, only names and paths.

The descriptions and examples here appear in the JSON schema and in error messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from ecr_feed.config.credentials import Credentials, CredentialsTable, LoginTable, Table
from ecr_feed.config.values import (
    AccountId,
    Hours,
    PackageId,
    Platform,
    Text,
    Url,
    not_blank,
    wrong,
)
from ecr_feed.config.words import quote, slug_of


class Package(Table):
    """A package that deployments take from the feed."""

    id: PackageId = Field(
        description="The package ID: the repository's full name.", examples=["team/app"]
    )
    tag: Text | None = Field(
        default=None, description="A version that must exist.", examples=["1.4.2"]
    )
    platform: Platform | None = Field(
        default=None,
        description="The platform of the machines that pull it.",
        examples=["linux/amd64"],
    )


def _package(value: object) -> object:
    """A plain string is a package with only an ID."""
    if isinstance(value, str):
        return {"id": not_blank(value)}
    if isinstance(value, Mapping | Package):
        return value
    raise wrong('a package ID in quotes, such as "team/app", or { id = "team/app" }')


_EXAMPLE_PACKAGES: Final[list[Any]] = ["team/app", "team/worker"]


class _Named(Table):
    """What both kinds of feed have."""

    name: Text = Field(description="The feed's name in Octopus.", examples=["Production ECR"])
    region: Text = Field(description="The AWS region of the feed.", examples=["eu-west-1"])
    account: AccountId | None = Field(
        default=None,
        description="The account whose registry is expected, 12 digits in quotes.",
        examples=["123456789012"],
    )
    endpoint_url: Url | None = Field(
        default=None,
        description="An AWS-compatible endpoint to use instead of AWS.",
        examples=["http://localhost:5000"],
    )

    @property
    def slug(self) -> str:
        """The name as it stands in test IDs: `[a-z0-9-]`."""
        return slug_of(self.name)


class Feed(_Named):
    """An ECR feed of Octopus Deploy."""

    packages: tuple[
        Annotated[Package, BeforeValidator(_package, json_schema_input_type=PackageId | Package)],
        ...,
    ] = Field(
        strict=False,
        json_schema_extra={"minItems": 1, "uniqueItems": True},
        description="The packages that deployments take from the feed.",
        examples=[_EXAMPLE_PACKAGES],
    )
    credentials: CredentialsTable = Field(
        description="The credentials that Octopus will use.", examples=[{"profile": "octopus-ecr"}]
    )
    pulls: bool = Field(
        default=False,
        description="Deployment targets pull with the feed's own credentials.",
        examples=[True],
    )
    min_token_hours: Hours | None = Field(
        default=None,
        description="Hours that an authorization token must still be valid when it is read.",
        examples=[2],
    )
    longest_deployment_hours: Hours | None = Field(
        default=None, description="How long a deployment may take, in hours.", examples=[3]
    )
    registry_endpoint: Url | None = Field(
        default=None,
        description="The registry's HTTP API, where endpoint_url is not AWS.",
        examples=["http://localhost:5001"],
    )
    deep: bool = Field(
        default=False, description="Also read manifests and layers of each tag.", examples=[True]
    )

    @field_validator("packages")
    @classmethod
    def _distinct(cls, packages: tuple[Package, ...]) -> tuple[Package, ...]:
        if not packages:
            raise wrong('at least one package ID, such as "team/app"')
        first: dict[str, int] = {}
        for number, package in enumerate(packages, start=1):
            if package.id in first:
                found = f"{quote(package.id)} as items {first[package.id]} and {number}"
                raise wrong("each package ID once", found)
            first[package.id] = number
        return packages


class DockerFeed(_Named):
    """A Docker feed of an older Octopus, set up from a `docker login` line."""

    login: LoginTable = Field(
        description="The login that the feed uses in Octopus.", examples=[{"file": "login.txt"}]
    )
    reset_hours: Hours | None = Field(
        default=None, description="Hours between two replacements of the password.", examples=[8]
    )
    reset_command: Text | None = Field(
        default=None,
        description="The command that fetches the new password.",
        examples=["aws ecr get-login-password --region ap-southeast-1"],
    )


class FeedsFile(Table):
    """The feeds file: what the checks judge, and with which credentials."""

    model_config = ConfigDict(
        title="Feeds file of ecr-feed-checks",
        json_schema_extra={"anyOf": [{"required": ["feed"]}, {"required": ["docker_feed"]}]},
    )
    auditor: CredentialsTable | None = Field(
        default=None,
        description="The auditor's credentials, for rules that read IAM.",
        examples=[{"profile": "audit"}],
    )
    feed: tuple[Feed, ...] = Field(
        default=(), strict=False, description="ECR feeds, one [[feed]] each."
    )
    docker_feed: tuple[DockerFeed, ...] = Field(
        default=(), strict=False, description="Legacy Docker feeds, one [[docker_feed]] each."
    )


@dataclass(frozen=True, slots=True)
class Suite:
    """What a run judges. `path` is None and `sha256` "" where no file was read."""

    auditor: Credentials | None
    feeds: tuple[Feed, ...]
    docker_feeds: tuple[DockerFeed, ...]
    path: Path | None = None
    sha256: str = ""
