"""The state of ECR's registries, and the context of an ECR call."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from ecr_feed.embedded.identity.callers import ApiCaller, TokenBook
from ecr_feed.embedded.protocol.botocore_data import known_partition
from ecr_feed.embedded.protocol.wire import Params, Result, ServiceError
from ecr_feed.naming import RegistryHost


def digest_of(data: bytes) -> str:
    """The content's digest, as `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(slots=True)
class StoredImage:
    """One manifest, kept byte for byte. `status` is ACTIVE, ARCHIVED or ACTIVATING."""

    digest: str
    manifest: str
    media_type: str
    size: int
    pushed_at: datetime
    artifact_type: str = ""
    subject: str = ""
    status: str = "ACTIVE"
    last_pull: datetime | None = None
    archived_at: datetime | None = None
    activated_at: datetime | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The manifest, decoded."""
        found: dict[str, Any] = json.loads(self.manifest)
        return found


@dataclass(slots=True)
class Upload:
    """A layer upload in progress."""

    data: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class StoredRepository:
    """One repository. `policy`, `lifecycle`: the JSON texts as stored; "" where there is none."""

    name: str
    arn: str
    account: str
    uri: str
    created_at: datetime
    mutability: str = "MUTABLE"
    exclusions: tuple[str, ...] = ()
    scan_on_push: bool = False
    encryption: dict[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})
    resource_tags: dict[str, str] = field(default_factory=dict)
    policy: str = ""
    lifecycle: str = ""
    images: dict[str, StoredImage] = field(default_factory=dict)  # by digest
    tags: dict[str, str] = field(default_factory=dict)  # tag -> digest
    layers: dict[str, bytes] = field(default_factory=dict, repr=False)  # by digest
    uploads: dict[str, Upload] = field(default_factory=dict)

    def find(self, *, tag: str = "", digest: str = "") -> StoredImage | None:
        """The image of a tag, or of a digest; None where there is none."""
        return self.images.get(self.tags.get(tag, "") if tag else digest)

    def tags_of(self, digest: str) -> list[str]:
        """Every tag of an image, oldest first."""
        return [tag for tag, target in self.tags.items() if target == digest]

    def immutable(self, tag: str) -> bool:
        """Whether an existing tag cannot be moved, exclusion filters included."""
        excluded = any(_wildcard(pattern).fullmatch(tag) for pattern in self.exclusions)
        if self.mutability == "MUTABLE_WITH_EXCLUSION":
            return excluded
        return self.mutability.startswith("IMMUTABLE") and not excluded


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    """An ECR filter as a regular expression: `*` is any text, the rest is literal."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


@dataclass(slots=True)
class StoredRegistry:
    """One account's private registry in one region."""

    account: str
    region: str
    repositories: dict[str, StoredRepository] = field(default_factory=dict)
    policy: str = ""
    policy_scope: str = "V2"  # of a new registry; V1 where nobody switched it
    cache_rules: dict[str, dict[str, Any]] = field(default_factory=dict)  # by prefix
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)  # by prefix

    @property
    def host(self) -> str:
        """The registry's host name."""
        return RegistryHost.for_(self.account, self.region).host

    def arn(self, name: str) -> str:
        """The ARN of a repository of that name, whether it exists or not."""
        partition = known_partition(self.region) or "aws"
        return f"arn:{partition}:ecr:{self.region}:{self.account}:repository/{name}"

    def create(self, name: str, now: datetime) -> StoredRepository:
        """Add an empty repository, in place of any of that name."""
        made = StoredRepository(name, self.arn(name), self.account, f"{self.host}/{name}", now)
        self.repositories[name] = made
        return made


@dataclass(slots=True)
class StoredRegistries:
    """All registries of all accounts, each created on first use."""

    found: dict[tuple[str, str], StoredRegistry] = field(default_factory=dict)

    def get(self, account: str, region: str) -> StoredRegistry:
        """The registry of an account in a region."""
        return self.found.setdefault((account, region), StoredRegistry(account, region))


@dataclass(frozen=True, slots=True)
class EcrCall:
    """One ECR call: caller, region, time and the state it uses."""

    registries: StoredRegistries
    tokens: TokenBook
    caller: ApiCaller
    region: str
    now: datetime

    def registry(self, params: Params) -> StoredRegistry:
        """The registry that `registryId` names; the caller's own by default."""
        return self.registries.get(params.get("registryId") or self.caller.account, self.region)

    def repository(self, params: Params) -> StoredRepository:
        """The repository that `repositoryName` names, or RepositoryNotFoundException."""
        return named(self.registry(params), params["repositoryName"])


def named(registry: StoredRegistry, name: str) -> StoredRepository:
    """A repository by name, or RepositoryNotFoundException in AWS's words."""
    found = registry.repositories.get(name)
    if found is None:
        raise ServiceError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id "
            f"'{registry.account}'",
        )
    return found


def image_missing(repository: StoredRepository, image_id: Params) -> ServiceError:
    """ImageNotFoundException as DescribeImages words it."""
    said = "{imageDigest:'%s', imageTag:'%s'}" % (  # noqa: UP031 - braces are AWS's own text
        image_id.get("imageDigest", "null"),
        image_id.get("imageTag", "null"),
    )
    return ServiceError(
        "ImageNotFoundException",
        f"The image with imageId {said} does not exist within the repository with name "
        f"'{repository.name}' in the registry with id '{repository.account}'",
    )


def find_image(repository: StoredRepository, image_id: Params) -> StoredImage | None:
    """The image of an imageId; tag and digest, if both are given, must both match."""
    tag, digest = image_id.get("imageTag", ""), image_id.get("imageDigest", "")
    found = repository.find(tag=tag, digest=digest)
    return None if found and tag and digest and found.digest != digest else found


def shown(repository: StoredRepository, image: StoredImage, tag: str) -> Result:
    """The Image structure of BatchGetImage and PutImage, with the requested tag."""
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {}),
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }


def invalid(message: str) -> ServiceError:
    """InvalidParameterException."""
    return ServiceError("InvalidParameterException", message)
