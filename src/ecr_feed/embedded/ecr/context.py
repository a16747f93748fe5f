"""What an ECR handler is given, and the look-ups that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecr_feed.embedded.callers import Caller
from ecr_feed.embedded.ecr.state import Image, Registries, Registry, Repository
from ecr_feed.embedded.tokens import TokenBook
from ecr_feed.embedded.wire import ServiceError

Params = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """One ECR call: who, where, when, and the state it works on."""

    registries: Registries
    tokens: TokenBook
    caller: Caller
    region: str
    now: datetime

    def registry(self, params: Params) -> Registry:
        """The registry that `registryId` names; the caller's own by default."""
        return self.registries.get(params.get("registryId") or self.caller.account, self.region)

    def repository(self, params: Params) -> Repository:
        """The repository that `repositoryName` names, or RepositoryNotFoundException."""
        return named(self.registry(params), params["repositoryName"])


def named(registry: Registry, name: str) -> Repository:
    """A repository by name, or RepositoryNotFoundException in AWS's words."""
    found = registry.repositories.get(name)
    if found is None:
        raise ServiceError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id "
            f"'{registry.account}'",
        )
    return found


def image_missing(repository: Repository, image_id: Params) -> ServiceError:
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


def find_image(repository: Repository, image_id: Params) -> Image | None:
    """The image of an imageId; where both tag and digest are given, both must be its own."""
    tag, digest = image_id.get("imageTag", ""), image_id.get("imageDigest", "")
    found = repository.find(tag=tag, digest=digest)
    return None if found and tag and digest and found.digest != digest else found


def shown(repository: Repository, image: Image, tag: str) -> Result:
    """The Image structure of BatchGetImage and PutImage, under the tag that was asked for."""
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
