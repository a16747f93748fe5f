"""Repositories and images out of ECR's answers, each checked to be of the registry that was asked.

What is of another account, region or repository is malformed here: it says nothing of the feed's.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ecr_feed.aws.transport.response import ResponseReader
from ecr_feed.facts.aws import Image, Repository
from ecr_feed.naming import partition_of

_ARN: Final = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):ecr:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})"
    r":repository/(?P<name>.+)"
)
# ECR's own pattern admits any algorithm; images have one of these two.
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_BLANK: Final = re.compile(r"\s")


class AskedRegistry:
    """The registry that calls are made to: the caller's own, in one region.

    `account` is the caller's, "" where it is unknown: then the first answer that names one decides.
    """

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self._lock = threading.Lock()

    def check(self, read: ResponseReader, item: Mapping[str, Any], repository: str = "") -> None:
        """Raise ReadError where `registryId` or `repositoryName` is there and is another's."""
        account = read.maybe(item, "registryId", str)
        if account is not None:
            self._check_account(read, account)
        name = read.maybe(item, "repositoryName", str)
        if repository and name not in (None, repository):
            raise read.wrong(f"the answer is about repository {name}, asked was {repository}")

    def check_arn(self, read: ResponseReader, arn: str, name: str) -> None:
        """Raise ReadError unless the ARN is that of the repository in this registry."""
        parts = _ARN.fullmatch(arn)
        if parts is None:
            raise read.wrong(f"{arn!r} is not the ARN of a repository")
        if parts["name"] != name:
            raise read.wrong(f"repository {name} has the ARN of another, {arn}")
        if (parts["partition"], parts["region"]) != (partition_of(self.region), self.region):
            raise read.wrong(f"{arn} is not in {self.region}, where it was asked for")
        self._check_account(read, parts["account"])

    def _check_account(self, read: ResponseReader, account: str) -> None:
        with self._lock:
            self.account = self.account or account
        if account != self.account:
            raise read.wrong(
                f"the answer is of registry {account}, asked was {self.account}: the credentials "
                "changed during the run, or something other than ECR answered"
            )


def read_repositories(
    read: ResponseReader, page: Mapping[str, Any], asked: AskedRegistry
) -> list[Repository]:
    """The repositories of one answer of DescribeRepositories, each name once."""
    found = [_repository(read, item, asked) for item in read.items(page, "repositories")]
    _require_once(read, (each.name for each in found), "repository")
    return found


def _repository(read: ResponseReader, item: Mapping[str, Any], asked: AskedRegistry) -> Repository:
    exclusions = item.get("imageTagMutabilityExclusionFilters")
    filters = [] if exclusions is None else read.items(item, "imageTagMutabilityExclusionFilters")
    name = read.require(item, "repositoryName", str)
    arn = read.require(item, "repositoryArn", str)
    asked.check(read, item)
    asked.check_arn(read, arn, name)
    return Repository(
        name=name,
        arn=arn,
        registry_id=read.text(item, "registryId"),
        tag_mutability=read.text(item, "imageTagMutability", "MUTABLE"),
        mutability_exclusions=tuple(read.text(one, "filter") for one in filters),
    )


def read_images(
    read: ResponseReader, page: Mapping[str, Any], asked: AskedRegistry, repository: str
) -> list[Image]:
    """The images of one answer of DescribeImages, each digest once."""
    found: list[Image] = []
    for item in read.items(page, "imageDetails"):
        asked.check(read, item, repository)
        found.append(_image(read, item))
    _require_once(read, (each.digest for each in found), "image")
    _require_once(read, (tag for each in found for tag in each.tags), "tag")
    return found


def _image(read: ResponseReader, item: Mapping[str, Any]) -> Image:
    tags = read.texts(item, "imageTags")
    for tag in tags:
        require_tag(read, tag)
    return Image(
        digest=require_digest(read, item),
        tags=tags,
        pushed_at=read.time(item, "imagePushedAt"),
        media_type=read.text(item, "imageManifestMediaType"),
        artifact_media_type=read.text(item, "artifactMediaType"),
        last_pulled_at=read.time(item, "lastRecordedPullTime"),
        subject_digest=read.text(item, "subjectManifestDigest"),
        status=read.maybe(item, "imageStatus", str) or "ACTIVE",
    )


def require_digest(read: ResponseReader, item: Mapping[str, Any]) -> str:
    """The item's `imageDigest`, which must be a digest. Raises ReadError."""
    digest = read.require(item, "imageDigest", str)
    if _DIGEST.fullmatch(digest) is None:
        raise read.wrong("imageDigest is not a digest")
    return digest


def require_tag(read: ResponseReader, tag: str) -> None:
    """Raise ReadError for a text that is not a tag: empty, or with a blank in it."""
    if not tag or _BLANK.search(tag):
        raise read.wrong("a tag is empty or has a blank in it")


def _require_once(read: ResponseReader, names: Iterable[str], what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise read.wrong(f"the answer has {what} {twice[0]} twice")
