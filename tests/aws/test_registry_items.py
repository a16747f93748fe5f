"""A fact of another registry, and an item without what it must have, is malformed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import Failure, Image, Trouble
from tests.aws.fake import ACCOUNT, FakeAws, Reply, identity, ok, repository
from tests.aws.helpers import account, embedded, failure_of

APP = "team/app"
OTHER = "210987654321"
ONE = f"sha256:{'1' * 64}"
TWO = f"sha256:{'2' * 64}"


def described(**changed: object) -> Failure | None:
    """What is said of a repository that is described with these changes."""
    fake = FakeAws({APP: 1})
    fake.replies["DescribeRepositories"] = lambda _: ok(
        {"repositories": [_without_none({**repository(APP), **changed})]}
    )
    judged = account(fake)
    if judged.inventory().failed:
        return failure_of(judged.inventory().repository, APP)
    return None


def _without_none(item: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in item.items() if value is not None}


@pytest.mark.parametrize(
    "changed",
    [
        {"registryId": OTHER},
        {"registryId": 123456789012},
        {"registryId": ["123456789012"]},
        {"repositoryArn": f"arn:aws:ecr:eu-west-1:{OTHER}:repository/{APP}"},
        {"repositoryArn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{APP}"},
        {"repositoryArn": f"arn:aws-cn:ecr:eu-west-1:{ACCOUNT}:repository/{APP}"},
        {"repositoryArn": f"arn:aws:ecr-public:eu-west-1:{ACCOUNT}:repository/{APP}"},
        {"repositoryArn": f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team/api"},
        {"repositoryArn": f"arn:aws:ecr:eu-west-1:{ACCOUNT}:{APP}"},
        {"repositoryArn": f"arn:aws:ecr:eu-west-1:12345:repository/{APP}"},
        {"repositoryArn": APP},
        {"repositoryArn": None},
        {"repositoryName": None},
        {"imageTagMutability": ["MUTABLE"]},
    ],
    ids=str,
)
def test_a_repository_of_another_registry_is_malformed(changed: Mapping[str, object]) -> None:
    failure = described(**changed)
    assert failure is not None
    assert failure.trouble == Trouble.MALFORMED


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"createdAt": None},
        {"registryId": None},
        {"repositoryUri": None},
        {"imageTagMutability": "MUTABLE", "encryptionConfiguration": {"encryptionType": "AES256"}},
    ],
    ids=str,
)
def test_a_repository_as_ecr_describes_it(changed: Mapping[str, object]) -> None:
    assert described(**changed) is None


def test_a_repository_that_was_not_asked_for_is_malformed() -> None:
    fake = FakeAws({APP: 1})
    fake.replies["DescribeRepositories"] = lambda _: ok(
        {"repositories": [repository(APP), repository("team/api")]}
    )
    failure = failure_of(account(fake).inventory().repository, APP)
    assert "team/api, which was not asked for" in failure.message


def test_a_repository_that_is_there_twice_is_malformed() -> None:
    fake = FakeAws({APP: 1})
    fake.replies["DescribeRepositories"] = lambda _: ok({"repositories": [repository(APP)] * 2})
    assert "twice" in failure_of(account(fake).inventory().repository, APP).message


def images(*items: Mapping[str, object]) -> Account:
    fake = FakeAws({APP: 1})
    fake.replies["DescribeImages"] = lambda _: ok({"imageDetails": list(items)})
    return account(fake)


@pytest.mark.parametrize(
    "items",
    [
        [{"imageDigest": ONE, "imageTags": "1.0.0"}],
        [{"imageDigest": ONE, "imageTags": [""]}],
        [{"imageDigest": ONE, "imageTags": ["1.0 .0"]}],
        [{"imageDigest": ONE, "imageTags": [1]}],
        [{"imageDigest": ONE, "imageTags": ["1.0.0", "1.0.0"]}],
        [{"imageDigest": ONE, "imageTags": ["1"]}, {"imageDigest": ONE, "imageTags": ["2"]}],
        [{"imageDigest": ONE, "imageTags": ["1"]}, {"imageDigest": TWO, "imageTags": ["1"]}],
        [{"imageTags": ["1.0.0"]}],
        [{"imageDigest": "1" * 64, "imageTags": ["1.0.0"]}],
        [{"imageDigest": "sha256:1", "imageTags": ["1.0.0"]}],
        [{"imageDigest": ONE.upper(), "imageTags": ["1.0.0"]}],
        [{"imageDigest": ONE, "imageTags": ["1.0.0"], "registryId": OTHER}],
        [{"imageDigest": ONE, "imageTags": ["1.0.0"], "repositoryName": "team/api"}],
        [{"imageDigest": ONE, "imageTags": ["1.0.0"], "imageStatus": ""}],
        [{"imageDigest": ONE, "imageTags": ["1.0.0"], "imageStatus": 1}],
        [None],
    ],
    ids=str,
)
def test_an_image_without_what_it_must_have_is_malformed(items: list[Any]) -> None:
    assert failure_of(images(*items).images, APP).trouble == Trouble.MALFORMED


def test_images_as_ecr_lists_them() -> None:
    read = images(
        {"imageDigest": ONE, "imageTags": ["1.0.0", "latest"], "registryId": ACCOUNT},
        {"imageDigest": TWO, "repositoryName": APP},
    ).images(APP)
    assert read == (Image(ONE, ("1.0.0", "latest")), Image(TWO))


@pytest.mark.parametrize(
    "item", [{}, {"imageDigest": "none"}, {"imageDigest": ONE, "imageTag": ""}, {"imageTag": "1"}]
)
def test_a_list_of_images_without_digests_proves_nothing(item: Mapping[str, object]) -> None:
    fake = FakeAws({APP: 1})
    fake.replies["ListImages"] = lambda _: ok({"imageIds": [item]})
    failure = failure_of(account(fake).permission, "ecr:ListImages", APP)
    assert failure.trouble == Trouble.MALFORMED


@pytest.mark.parametrize(
    ("operation", "answer", "read"),
    [
        ("GetRepositoryPolicy", {"policyText": "{}", "registryId": OTHER}, "repository_policy"),
        (
            "GetRepositoryPolicy",
            {"policyText": "{}", "repositoryName": "team/api"},
            "repository_policy",
        ),
        (
            "GetLifecyclePolicy",
            {"lifecyclePolicyText": "{}", "registryId": OTHER},
            "lifecycle_policy",
        ),
        ("GetRegistryPolicy", {"policyText": "{}", "registryId": OTHER}, "registry_policy"),
        (
            "DescribePullThroughCacheRules",
            {"pullThroughCacheRules": [{"ecrRepositoryPrefix": "hub", "registryId": OTHER}]},
            "cache_rules",
        ),
        (
            "DescribeRepositoryCreationTemplates",
            {"repositoryCreationTemplates": [], "registryId": OTHER},
            "creation_templates",
        ),
        ("ListTagsForResource", {"tags": [{"Key": "team"}]}, "repository_tags"),
        (
            "ListTagsForResource",
            {"tags": [{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}]},
            "repository_tags",
        ),
    ],
)
def test_a_document_of_another_registry_is_malformed(
    operation: str, answer: Mapping[str, object], read: str
) -> None:
    fake = FakeAws(replies={operation: lambda _: ok(answer)})
    reader = DocumentReader(
        embedded(fake), KeyCredentials(key="feed"), "eu-west-1", account=ACCOUNT
    )
    takes_one = read in ("repository_policy", "lifecycle_policy", "repository_tags")
    failure = failure_of(getattr(reader, read), *((APP,) if takes_one else ()))
    assert (failure.operation, failure.trouble) == (operation, Trouble.MALFORMED)


def test_without_sts_the_first_answer_says_which_registry_is_read() -> None:
    fake = FakeAws({APP: 1, "team/api": 1})
    fake.replies["GetCallerIdentity"] = lambda _: Reply(500, b"")
    fake.replies["DescribeImages team/api"] = lambda _: ok(
        {"imageDetails": [{"imageDigest": ONE, "registryId": OTHER}]}
    )
    judged = account(fake, APP, "team/api")
    assert judged.images(APP)
    assert OTHER in failure_of(judged.images, "team/api").message


@pytest.mark.parametrize(
    "said",
    [
        identity(f"arn:aws:iam::{OTHER}:user/octopus"),
        Reply(200, identity().body.replace(ACCOUNT.encode(), b"12345")),
        Reply(200, identity().body.replace(b"arn:aws:iam::", b"")),
    ],
)
def test_an_identity_that_contradicts_itself_is_malformed(said: Reply) -> None:
    fake = FakeAws(replies={"GetCallerIdentity": lambda _: said})
    assert failure_of(account(fake).identity).trouble == Trouble.MALFORMED
