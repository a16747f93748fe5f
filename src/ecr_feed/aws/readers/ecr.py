"""The token and the images, and the permission that each call of the feed proves or disproves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from ecr_feed.aws.readers.registry_items import (
    AskedRegistry,
    read_images,
    read_repositories,
    require_digest,
    require_tag,
)
from ecr_feed.aws.transport import access_denied, error_codes
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.failures import date_of
from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import (
    Answer,
    AuthorizationToken,
    Failure,
    Image,
    Permission,
    ReadError,
    Secret,
    Trouble,
)

PAGE: Final = 1000  # results that ECR returns at most
MOST_NAMES: Final = 100  # repository names that DescribeRepositories takes at most
ACTION_DESCRIBE: Final = "ecr:DescribeRepositories"
ACTION_IMAGES: Final = "ecr:DescribeImages"
ACTION_LIST: Final = "ecr:ListImages"
ACTION_TOKEN: Final = "ecr:GetAuthorizationToken"
NO_REPOSITORY: Final = "RepositoryNotFoundException"
"""The error code by which ECR says that a repository does not exist."""


def probed(action: str, resource: str) -> Permission:
    """The call succeeded, so the action is allowed."""
    return Permission(action, resource, Answer.ALLOWED, "the call succeeded", "probe")


def denied(action: str, resource: str, failure: Failure) -> Permission:
    """The call was denied; the reason is AWS's message."""
    message = access_denied.parse_denial(failure.message)
    return Permission(
        action,
        message.resource or resource,
        Answer.DENIED,
        failure.message or failure.code,
        "probe",
        evidence={
            "code": failure.code,
            "request_id": failure.request_id,
            "user": message.user,
            "resource": message.resource,
            "policy_type": message.layer,
            "explicit": message.explicit,
            "policy_arn": message.policy_arn,
        },
        failure=failure,
    )


def no_repository(action: str, resource: str, failure: Failure | None) -> Permission:
    """Undetermined, since the repository does not exist."""
    return Permission(
        action, resource, Answer.UNDETERMINED, "no repository to ask about", "probe", {}, failure
    )


def contradiction(failure: Failure, but: str) -> Failure:
    """The failure of a read whose answer another answer contradicts; `but` says what that one is.

    Which of the two is true is not known.
    """
    said = "; but ".join(part for part in (failure.message, but) if part)
    return replace(failure, trouble=Trouble.CONTRADICTION, message=said)


def read_token(client: Client, now: Callable[[], datetime]) -> AuthorizationToken:
    """ecr:GetAuthorizationToken without registryIds; the first entry, which Octopus uses too."""
    operation = "GetAuthorizationToken"
    answer = client.call(operation)
    read = ResponseReader(client, operation)
    entries = read.items(answer, "authorizationData")
    if not entries:
        raise read.wrong("authorizationData is empty")
    first = entries[0]
    return AuthorizationToken(
        token=Secret(read.require(first, "authorizationToken", str)),
        expires_at=read.require(first, "expiresAt", datetime),
        proxy_endpoint=read.require(first, "proxyEndpoint", str),
        fetched_at=date_of(answer.get("ResponseMetadata") or {}) or now().astimezone(UTC),
    )


class ImageReader:
    """Reads the images of repositories, archived ones included where the endpoint supports that.

    Without `filter.imageStatus` ECR returns ACTIVE images only. Where the endpoint rejects that
    parameter it is left out, and `active_only` is True from then on.
    """

    def __init__(self, client: Client, asked: AskedRegistry) -> None:
        self.client = client
        self._asked = asked
        self.active_only = False

    def images(self, repository: str) -> tuple[Image, ...]:
        """Every page of DescribeImages; one `Image` per digest, in the order received."""
        if not self.active_only:
            try:
                return self._read(repository, {"filter": {"imageStatus": "ANY"}})
            except ReadError as error:
                if error.failure.code not in error_codes.INVALID_PARAMETER:
                    raise
        images = self._read(repository, {})
        # Set after a success only: the first call may have failed for another parameter.
        self.active_only = True
        return images

    def _read(self, repository: str, parameters: Mapping[str, Any]) -> tuple[Image, ...]:
        operation = "DescribeImages"
        read = ResponseReader(self.client, operation)
        images: dict[str, Image] = {}
        for page in self.client.pages(
            operation, repositoryName=repository, maxResults=PAGE, **parameters
        ):
            for image in read_images(read, page, self._asked, repository):
                if images.setdefault(image.digest, image) != image:
                    raise read.wrong(f"two pages contradict each other about {image.digest}")
        return tuple(images.values())


def probe_list(client: Client, repository: str) -> None:
    """ListImages with one result, only to see whether it is allowed. Raises ReadError."""
    operation = "ListImages"
    read = ResponseReader(client, operation)
    answer = client.call(operation, repositoryName=repository, maxResults=1)
    for item in read.items(answer, "imageIds"):
        require_digest(read, item)
        if (tag := read.maybe(item, "imageTag", str)) is not None:
            require_tag(read, tag)


def probe_unnamed_list(client: Client, asked: AskedRegistry) -> Permission:
    """Whether DescribeRepositories is allowed without names: one small page. Raises ReadError."""
    operation = "DescribeRepositories"
    try:
        answer = client.call(operation, maxResults=1)
        read_repositories(ResponseReader(client, operation), answer, asked)
    except ReadError as error:
        if error.failure.trouble == Trouble.DENIED:
            return denied(ACTION_DESCRIBE, "repository/*", error.failure)
        raise
    return probed(ACTION_DESCRIBE, "repository/*")
