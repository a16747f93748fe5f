"""The feeds file as frozen models, and its JSON schema.

Secrets are never values in the file, only names and paths. The descriptions and examples here
appear in the JSON schema and in error messages.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from ecr_feed.config.context import StatedKeys
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
from ecr_feed.config.wording import quote


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


_LONGEST_SLUG: Final = 60
_EXAMPLE_PACKAGES: Final[list[Any]] = ["team/app", "team/worker"]


def slug_of(name: str) -> str:
    """`[a-z0-9-]`, no dash at an end, never empty, at most 60 characters.

    Accents fall away. Where letters of another script would be lost, or the name is long, a short
    hash of the name stands in for them, so that two such names stay apart.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[\u0300-\u036f]", "", plain)).strip("-")
    lost = any(not letter.isascii() and letter.isalnum() for letter in plain)
    if slug and not lost and len(slug) <= _LONGEST_SLUG:
        return slug
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug[: _LONGEST_SLUG - 9].rstrip('-') or 'feed'}-{digest}"


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
    context: StatedKeys = Field(
        default=(),
        description="Condition keys that no document shows, with the value that the feed's "
        "requests have, or a list of those that they may have. The report lists them as assumed.",
        examples=[{"aws:SourceVpce": "vpce-0123"}],
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
    """What a run judges."""

    auditor: Credentials | None
    feeds: tuple[Feed, ...]
    docker_feeds: tuple[DockerFeed, ...]


_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NULL: Final = {"type": "null"}


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a feeds file (TOML read as JSON), a title and description per key.

    It cannot say all that the models do: that names and package IDs are distinct, for one.
    """
    made: dict[str, Any] = _without_null(FeedsFile.model_json_schema(mode="validation"))
    return {"$schema": _DIALECT, **made}


def schema_text() -> str:
    """The schema as `fixtures/feeds.schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _without_null(part: Any) -> Any:
    """TOML has no null: what may be left out is only left out."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _without_null(value) for key, value in part.items()}
    if _NULL in kept.get("anyOf", []):
        kept.pop("default", None)
        choices = [choice for choice in kept.pop("anyOf") if choice != _NULL]
        return {**choices[0], **kept} if len(choices) == 1 else {"anyOf": choices, **kept}
    return kept
