"""Values of another type than the model's are malformed: botocore would make something of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import Trouble
from ecr_feed.facts.iam import Principal
from tests.aws.fake import ACCOUNT, FakeAws, Reply, ok
from tests.aws.helpers import account, embedded, failure_of

DIGEST = "sha256:" + "0" * 64
IMAGE = {"imageDigest": DIGEST, "imageTags": ["1.0"], "imagePushedAt": 1_700_000_000.5}


def images_of(item: object) -> Any:
    fake = FakeAws({"team/app": 1})
    fake.replies["DescribeImages"] = lambda asked: ok({"imageDetails": item})
    return lambda: account(fake).images("team/app")


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ("none", "imageDetails is a text, not a list"),
        ({"0": IMAGE}, "imageDetails is an object, not a list"),
        (["one"], "imageDetails is a text, not an object"),
        ([None], "imageDetails has an item that is null"),
        ([{**IMAGE, "imageTags": "1.0"}], "imageTags is a text, not a list"),
        ([{**IMAGE, "imageTags": {"a": 1}}], "imageTags is an object, not a list"),
        ([{**IMAGE, "imageTags": [1.0]}], "imageTags is a number, not a text"),
        ([{**IMAGE, "imageDigest": [DIGEST]}], "imageDigest is a list, not a text"),
        ([{**IMAGE, "imagePushedAt": True}], "imagePushedAt is true or false, not a time"),
        ([{**IMAGE, "imageSizeInBytes": "9"}], "imageSizeInBytes is a text, not a number"),
    ],
)
def test_json_of_another_type(details: object, says: str) -> None:
    failure = failure_of(images_of(details))
    assert failure.trouble is Trouble.MALFORMED
    assert says in failure.message


@pytest.mark.parametrize(
    "item", [IMAGE, {**IMAGE, "imageSizeInBytes": 9.0}, {**IMAGE, "new": [{"of": 1}]}]
)
def test_json_as_the_model_has_it(item: object) -> None:
    assert images_of([item])()[0].tags == ("1.0",)


USER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/x", ACCOUNT, "x")
KEY = (
    "<member><UserName>x</UserName><AccessKeyId>AKIAEXAMPLEEXAMPLE01</AccessKeyId>"
    "<Status>Active</Status><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
)


def wrapped(operation: str, body: str) -> Reply:
    text = (
        f"<{operation}Response><{operation}Result>{body}</{operation}Result></{operation}Response>"
    )
    return Reply(200, text.encode(), {"x-amzn-requestid": "req-1"})


def keys_of(
    body: str, used: str = "<ServiceName>N/A</ServiceName>", owner: str = "x"
) -> Callable[[], Any]:
    fake = FakeAws()
    fake.replies = {
        "ListAccessKeys": lambda asked: wrapped(
            "ListAccessKeys", f"<IsTruncated>false</IsTruncated>{body}"
        ),
        "GetAccessKeyLastUsed": lambda asked: wrapped(
            "GetAccessKeyLastUsed",
            f"<UserName>{owner}</UserName><AccessKeyLastUsed>{used}</AccessKeyLastUsed>",
        ),
    }
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), "eu-west-1")
    return lambda: audit.access_keys(USER, "AKIAEXAMPLEEXAMPLE01")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<AccessKeyMetadata>none</AccessKeyMetadata>", "is a text, not a list"),
        (f"<AccessKeyMetadata>{KEY[8:-9]}</AccessKeyMetadata>", "is an object, not a list"),
        (
            f"<AccessKeyMetadata>{KEY}</AccessKeyMetadata><AccessKeyMetadata/>",
            "AccessKeyMetadata is there twice",
        ),
        ("<AccessKeyMetadata><member>x</member></AccessKeyMetadata>", "not an object"),
        (
            f"<AccessKeyMetadata>{KEY.replace('Active', '<a>1</a>')}</AccessKeyMetadata>",
            "Status is an object, not a text",
        ),
        ("", "no AccessKeyMetadata"),
        (f"<AccessKeyMetadata>{KEY.replace('Active', 'On')}</AccessKeyMetadata>", "Status"),
        (f"<AccessKeyMetadata>{KEY.replace('>x<', '>y<')}</AccessKeyMetadata>", "another user"),
        (f"<AccessKeyMetadata>{KEY.replace('CreateDate', 'Date')}</AccessKeyMetadata>", "CreateD"),
    ],
)
def test_xml_of_another_type(body: str, says: str) -> None:
    failure = failure_of(keys_of(body))
    assert failure.trouble is Trouble.MALFORMED
    assert says in failure.message


@pytest.mark.parametrize(
    ("used", "read"),
    [
        ("<ServiceName>N/A</ServiceName>", True),
        ("<ServiceName>ecr</ServiceName><LastUsedDate>2026-01-02T00:00:00Z</LastUsedDate>", True),
        ("<ServiceName>ecr</ServiceName>", False),
        ("<ServiceName>N/A</ServiceName><LastUsedDate>2026-01-02T00:00:00Z</LastUsedDate>", False),
        ("", False),
    ],
)
def test_a_key_that_was_used_has_a_date(used: str, read: bool) -> None:
    (key,) = keys_of(f"<AccessKeyMetadata>{KEY}</AccessKeyMetadata>", used)()
    assert (key.unread == ()) is read
    assert all(failure.trouble is Trouble.MALFORMED for failure in key.unread)


def test_the_last_use_of_another_users_key() -> None:
    (key,) = keys_of(f"<AccessKeyMetadata>{KEY}</AccessKeyMetadata>", owner="y")()
    assert [failure.trouble for failure in key.unread] == [Trouble.MALFORMED]


ENTITY = f"<UserName>x</UserName><Arn>arn:aws:iam::{ACCOUNT}:user/x</Arn>"
BOUNDARY = "<PermissionsBoundary>{}</PermissionsBoundary>"
TAG = "<Tags><member>{}</member></Tags>"
NONE = "<IsTruncated>false</IsTruncated><{0}/>"


def user_of(entity: str, **lists: str) -> Principal:
    fake = FakeAws()
    listed = {
        "ListUserPolicies": NONE.format("PolicyNames"),
        "ListAttachedUserPolicies": NONE.format("AttachedPolicies"),
        "ListGroupsForUser": NONE.format("Groups"),
        **lists,
    }
    fake.replies = {
        operation: lambda asked, body=body: wrapped(asked.operation, body)  # type: ignore[misc] # a default binds the loop's value
        for operation, body in {"GetUser": f"<User>{entity}</User>", **listed}.items()
    }
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), "eu-west-1")
    return audit.principal(USER.arn)


@pytest.mark.parametrize(
    ("entity", "boundary_unread", "says"),
    [
        (ENTITY, False, ""),
        (ENTITY + "<Tags/>", False, ""),
        (ENTITY + TAG.format("<Key>k</Key><Value/>"), False, ""),
        (ENTITY + TAG.format("<Key>k</Key>"), False, "Value"),
        (ENTITY + TAG.format("<Value>v</Value>"), False, "Key"),
        (ENTITY + "<Tags>k=v</Tags>", True, "Tags is a text"),
        (ENTITY + BOUNDARY.format(""), True, "PermissionsBoundaryArn"),
        (ENTITY + BOUNDARY.format("<PermissionsBoundaryArn/>"), True, "PermissionsBoundaryArn"),
        (ENTITY.replace("Arn>", "No>"), True, "Arn"),
        (ENTITY.replace("UserName>", "No>"), True, "UserName"),
        (ENTITY.replace(">x<", ">y<"), True, "another user"),
        (ENTITY.replace(ACCOUNT, "9" * 12), True, "another user"),
        (ENTITY.replace("user/x", "user/team/x"), True, "another user"),
    ],
)
def test_a_user_without_what_it_must_have(entity: str, boundary_unread: bool, says: str) -> None:
    user = user_of(entity)
    assert user.boundary_unread is boundary_unread
    assert bool(user.unread) is bool(says)
    assert all(failure.trouble is Trouble.MALFORMED for failure in user.unread)
    assert says in json.dumps([failure.message for failure in user.unread])


@pytest.mark.parametrize(
    "body",
    [
        "<PolicyNames/>",
        "<IsTruncated>true</IsTruncated><PolicyNames/>",
        "<IsTruncated>false</IsTruncated><Marker>m</Marker><PolicyNames/>",
        "<IsTruncated>false</IsTruncated>",
        "<IsTruncated>false</IsTruncated><PolicyNames>none</PolicyNames>",
    ],
)
def test_a_list_that_may_not_be_whole(body: str) -> None:
    (failure,) = user_of(ENTITY, ListUserPolicies=body).unread
    assert failure.trouble is Trouble.MALFORMED


@pytest.mark.parametrize(("version", "read"), [("v2", True), ("v1", False)])
def test_only_the_default_version_of_a_policy_is_in_force(version: str, read: bool) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/p"
    attached = f"<member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member>"
    user = user_of(
        ENTITY,
        ListAttachedUserPolicies=(
            f"<IsTruncated>false</IsTruncated><AttachedPolicies>{attached}</AttachedPolicies>"
        ),
        GetPolicy=(
            f"<Policy><Arn>{arn}</Arn><PolicyName>p</PolicyName>"
            "<DefaultVersionId>v2</DefaultVersionId></Policy>"
        ),
        GetPolicyVersion=(
            f"<PolicyVersion><VersionId>{version}</VersionId><Document>{{}}</Document>"
            "</PolicyVersion>"
        ),
    )
    assert bool(user.policies) is read
    assert [failure.trouble for failure in user.unread] == ([] if read else [Trouble.MALFORMED])
