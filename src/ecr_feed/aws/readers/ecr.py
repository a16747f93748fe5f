"""Images and the token, read with the feed's credentials, and what each call proves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

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


def probed(action: str, resource: str) -> Permission:
    """The call was made and answered."""
    return Permission(action, resource, Answer.ALLOWED, "the call succeeded", "probe")


def denied(action: str, resource: str, failure: Failure) -> Permission:
    """The call was made and denied, in AWS's own words."""
    said = access_denied.parse_denial(failure.message)
    return Permission(
        action,
        said.resource or resource,
        Answer.DENIED,
        failure.message or failure.code,
        "probe",
        evidence={
            "code": failure.code,
            "request_id": failure.request_id,
            "user": said.user,
            "resource": said.resource,
            "policy_type": said.layer,
            "explicit": said.explicit,
            "policy_arn": said.policy_arn,
        },
        failure=failure,
    )


def no_repository(action: str, resource: str, failure: Failure | None) -> Permission:
    """Nothing to probe on: the repository does not exist."""
    return Permission(
        action, resource, Answer.UNDETERMINED, "no repository to ask about", "probe", {}, failure
    )


PAGE: Final = 1000
MOST_NAMES: Final = 100
ACTION_DESCRIBE: Final = "ecr:DescribeRepositories"
ACTION_IMAGES: Final = "ecr:DescribeImages"
ACTION_LIST: Final = "ecr:ListImages"
ACTION_TOKEN: Final = "ecr:GetAuthorizationToken"


def read_token(client: Client, now: Callable[[], datetime]) -> AuthorizationToken:
    """ecr:GetAuthorizationToken without registryIds; the first entry, as Octopus takes it."""
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
    """Reads the images of repositories, archived ones included where the endpoint knows them.

    Without `filter.imageStatus` ECR answers ACTIVE images only. An endpoint that refuses the
    parameter is asked without it, and `active_only` says so from then on.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.active_only = False

    def images(self, repository: str) -> tuple[Image, ...]:
        """Every page of DescribeImages; one `Image` per digest, in the order of the answers."""
        if not self.active_only:
            try:
                return self._read(repository, {"filter": {"imageStatus": "ANY"}})
            except ReadError as error:
                if error.failure.code not in error_codes.INVALID_PARAMETER:
                    raise
        images = self._read(repository, {})
        # Only now: the other call may have been refused for another of its parameters.
        self.active_only = True
        return images

    def _read(self, repository: str, parameters: Mapping[str, Any]) -> tuple[Image, ...]:
        operation = "DescribeImages"
        read = ResponseReader(self._client, operation)
        images: dict[str, Image] = {}
        for page in self._client.pages(
            operation, repositoryName=repository, maxResults=PAGE, **parameters
        ):
            for item in read.items(page, "imageDetails"):
                image = read_image(read, item)
                images.setdefault(image.digest, image)
        return tuple(images.values())


def read_image(read: ResponseReader, item: Mapping[str, Any]) -> Image:
    """One item of DescribeImages."""
    return Image(
        digest=read.require(item, "imageDigest", str),
        tags=read.texts(item, "imageTags"),
        pushed_at=read.time(item, "imagePushedAt"),
        media_type=read.text(item, "imageManifestMediaType"),
        artifact_media_type=read.text(item, "artifactMediaType"),
        last_pulled_at=read.time(item, "lastRecordedPullTime"),
        subject_digest=read.text(item, "subjectManifestDigest"),
        status=read.text(item, "imageStatus", "ACTIVE"),
    )


def probe_list(client: Client, repository: str) -> None:
    """ListImages with one result: only whether it is answered matters. Raises ReadError."""
    answer = client.call("ListImages", repositoryName=repository, maxResults=1)
    ResponseReader(client, "ListImages").items(answer, "imageIds")


def probe_unnamed_list(client: Client) -> Permission:
    """Whether DescribeRepositories is allowed without names: one small page. Raises ReadError."""
    operation = "DescribeRepositories"
    try:
        answer = client.call(operation, maxResults=1)
        ResponseReader(client, operation).items(answer, "repositories")
    except ReadError as error:
        if error.failure.trouble == Trouble.DENIED:
            return denied(ACTION_DESCRIBE, "repository/*", error.failure)
        raise
    return probed(ACTION_DESCRIBE, "repository/*")
