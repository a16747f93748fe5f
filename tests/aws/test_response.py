from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.aws.readers.ecr import ImageReader, probe_list, read_token
from ecr_feed.aws.readers.registry_items import AskedRegistry
from ecr_feed.aws.readers.repositories import read_inventory
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.response import LIMIT, sanitize
from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import ReadError, Trouble
from tests.aws.fake import ACCOUNT, FakeAws, ReceivedCall, Reply, ok
from tests.aws.helpers import embedded

KEYS = st.sampled_from(
    [
        "repositories",
        "repositoryName",
        "repositoryArn",
        "createdAt",
        "imageScanningConfiguration",
        "encryptionConfiguration",
        "imageTagMutabilityExclusionFilters",
        "imageDetails",
        "imageDigest",
        "imageTags",
        "imageSizeInBytes",
        "imagePushedAt",
        "imageIds",
        "authorizationData",
        "authorizationToken",
        "expiresAt",
        "proxyEndpoint",
        "nextToken",
        "__type",
        "message",
    ]
)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "team/app", "sha256:1", "2026-11-01T00:00:00Z", "not a time"])
)
BODY = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
FAKE = FakeAws()
ANSWER: dict[str, Reply] = {}


def script(call: ReceivedCall) -> Reply:
    return ANSWER["now"]


FAKE.replies = dict.fromkeys(
    ("GetAuthorizationToken", "DescribeImages", "ListImages", "DescribeRepositories"), script
)
CLIENT: Client = embedded(FAKE).client(KeyCredentials(key="feed"), "ecr", "eu-west-1")


def trouble(read: Callable[[], object]) -> Trouble | None:
    try:
        read()
    except ReadError as error:
        return error.failure.trouble
    return None


def asked() -> AskedRegistry:
    return AskedRegistry(ACCOUNT, "eu-west-1")


def listed(client: Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        found = read_inventory(client, ["team/app"], pool, asked())
    found.repository("team/app")


@given(body=BODY)
def test_any_json_is_a_record_or_malformed(body: Any) -> None:
    ANSWER["now"] = ok(body)
    for read in (
        lambda: read_token(CLIENT, lambda: datetime.now(UTC)),
        lambda: ImageReader(CLIENT, asked()).images("team/app"),
        lambda: probe_list(CLIENT, "team/app"),
        lambda: listed(CLIENT),
    ):
        assert trouble(read) in (None, Trouble.MALFORMED)


@given(body=st.binary(max_size=60))
def test_any_bytes_are_malformed(body: bytes) -> None:
    ANSWER["now"] = Reply(200, body)
    assert trouble(lambda: read_token(CLIENT, lambda: datetime.now(UTC))) == Trouble.MALFORMED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key AKIAABCDEFGHIJKLMNOP is gone", "key AKIA***MNOP is gone"),
        ("http://me:pass@proxy:8080 said no", "http://***@proxy:8080 said no"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.abc refused", "token *** refused"),
        ("a" * 80, "***"),
        ("password=hunter2, x", "password=***, x"),
        ("two\n lines\x1b[31m", "two lines [31m"),
        (
            "on resource: arn:aws:ecr:eu-west-1:123456789012:repository/" + "team/app" * 12,
            "on resource: arn:aws:ecr:eu-west-1:123456789012:repository/" + "team/app" * 12,
        ),
        (None, ""),
        (7, ""),
    ],
)
def test_words(text: object, shown: str) -> None:
    assert sanitize(text) == shown


@given(st.text())
def test_one_bounded_printable_line(text: str) -> None:
    shown = sanitize(text)
    assert shown.isprintable()
    assert len(shown) <= LIMIT
    assert sanitize(shown) == shown
