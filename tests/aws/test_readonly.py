from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.aws.transport import readonly
from ecr_feed.aws.transport.readonly import CREDENTIAL_CALLS, READS, GuardError
from ecr_feed.config import KeyCredentials
from tests.aws.fake import FakeAws
from tests.aws.helpers import embedded

CREDENTIALS = KeyCredentials(key="feed")
READING = ("BatchGet", "Describe", "Get", "List", "Simulate")


def boto_client(fake: FakeAws, service: str) -> Any:
    session = embedded(fake).new_session("eu-west-1")
    session.set_credentials("AKIAEXAMPLEEXAMPLE01", "secret")
    return session.create_client(service, region_name="eu-west-1")


def test_each_read_is_a_read_by_its_name() -> None:
    assert [op for ops in READS.values() for op in ops if not op.startswith(READING)] == []


def test_every_listed_operation_exists() -> None:
    fake = FakeAws()
    for service in readonly.SERVICES:
        known = set(boto_client(fake, service).meta.service_model.operation_names)
        listed = READS.get(service, frozenset()) | CREDENTIAL_CALLS.get(service, frozenset())
        assert listed <= known


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ecr", "create_repository", {"repositoryName": "team/app"}),
        ("ecr", "batch_get_image", {"repositoryName": "team/app", "imageIds": [{"imageTag": "1"}]}),
        ("ecr", "start_lifecycle_policy_preview", {"repositoryName": "team/app"}),
        ("iam", "create_access_key", {}),
        ("sts", "get_session_token", {}),
        ("s3", "list_buckets", {}),
        ("ec2", "describe_regions", {}),
    ],
)
def test_what_is_not_listed_never_leaves(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    fake = FakeAws()
    with pytest.raises(GuardError, match="not on the list of reads"):
        getattr(boto_client(fake, service), operation)(**parameters)
    assert not fake.seen


def test_paginators_and_presigned_urls_are_guarded_too() -> None:
    fake = FakeAws()
    ecr = boto_client(fake, "ecr")
    with pytest.raises(GuardError):
        list(boto_client(fake, "s3").get_paginator("list_objects_v2").paginate(Bucket="bucket"))
    with pytest.raises(GuardError):
        ecr.generate_presigned_url("delete_repository", {"repositoryName": "team/app"})
    assert not fake.seen


def test_the_guard_is_not_swallowed_by_the_client() -> None:
    fake = FakeAws()
    client = embedded(fake).client(CREDENTIALS, "ecr", "eu-west-1")
    with pytest.raises(GuardError):
        client.call("DeleteRepository", repositoryName="team/app")


def test_a_refused_call_is_not_recorded() -> None:
    fake = FakeAws()
    sessions = embedded(fake)
    with pytest.raises(GuardError):
        sessions.client(CREDENTIALS, "ecr", "eu-west-1").call(
            "DeleteRepository", repositoryName="team/app"
        )
    assert sessions.log.drain() == []
