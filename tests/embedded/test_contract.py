"""Facts of ECR that the embedded account stands for, through every entry point."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.embedded.entry_points import EntryPoint
from tests.embedded.world import ACCOUNT, OTHER, REGION, refused, rows


def test_the_first_page_holds_100_rows_and_the_rest_follow(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    first = ecr.describe_repositories()
    assert len(first["repositories"]) == 100
    assert first["nextToken"]
    names = [row["repositoryName"] for row in rows(ecr, "describe_repositories", "repositories")]
    assert len(names) == len(set(names)) >= 254


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_pages_are_as_large_as_asked(entry: EntryPoint, size: int) -> None:
    page = entry.client("ecr").describe_repositories(maxResults=size)
    assert len(page["repositories"]) == min(size, 254)
    assert ("nextToken" in page) == (size < 254)


def test_a_token_is_opaque_and_good_for_its_question_only(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    token = ecr.describe_repositories(maxResults=3)["nextToken"]
    assert not token.isdigit()
    once = ecr.describe_repositories(maxResults=3, nextToken=token)["repositories"]
    again = ecr.describe_repositories(maxResults=3, nextToken=token)["repositories"]
    assert once == again
    for wrong in ("x", token[:-1]):
        said = refused(ecr.describe_repositories, nextToken=wrong)
        assert said[0] == "InvalidParameterException"
    said = refused(ecr.list_images, repositoryName="team/app", nextToken=token)
    assert said[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    "params",
    [
        {"repositoryNames": [f"many/r{n}" for n in range(101)]},
        {"maxResults": 1001},
        {"repositoryNames": ["UPPER"]},
        {"repositoryNames": ["a" * 257]},
        {"repositoryNames": ["team/app"], "maxResults": 10},
        {"repositoryNames": ["team/app"], "nextToken": "x"},
        {"registryId": "123"},
    ],
    ids=["101 names", "page", "case", "length", "names+page", "names+token", "registry"],
)
def test_what_botocore_lets_through_is_refused(
    entry: EntryPoint, params: dict[str, object]
) -> None:
    said = refused(entry.client("ecr").describe_repositories, **params)
    assert said[::2] == ("InvalidParameterException", 400)


def test_images_named_exclude_paging_and_are_100_at_most(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    image = {"imageTag": "1.0.0"}
    for params in (
        {"imageIds": [image], "maxResults": 5},
        {"imageIds": [{"imageTag": f"t{n}"} for n in range(101)]},
    ):
        said = refused(ecr.describe_images, repositoryName="team/app", **params)
        assert said[0] == "InvalidParameterException"


@pytest.mark.parametrize("name", ["a--b/c__d", "x__y", "a---b", "a.b_c/d-e", "0/1", "ab"])
def test_names_that_aws_allows_work(entry: EntryPoint, name: str) -> None:
    ecr = entry.client("ecr")
    if name != "a--b/c__d":
        ecr.create_repository(repositoryName=name)
    row = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    assert row["repositoryArn"] == f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
    assert row["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}"
    if name != "a--b/c__d":
        ecr.delete_repository(repositoryName=name)


@pytest.mark.parametrize("name", ["A/b", "a__", "-a", "a..b", "a___b", "a//b", "a/", "é" * 3])
def test_names_that_aws_refuses_are_refused(entry: EntryPoint, name: str) -> None:
    said = refused(entry.client("ecr").create_repository, repositoryName=name)
    assert said[0] == "InvalidParameterException"


def test_one_missing_name_fails_the_whole_batch(entry: EntryPoint) -> None:
    said = refused(
        entry.client("ecr").describe_repositories, repositoryNames=["team/app", "team/none"]
    )
    assert said[::2] == ("RepositoryNotFoundException", 400)
    assert "'team/none'" in said[1]
    assert f"'{ACCOUNT}'" in said[1]


def test_none_has_its_own_code(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    name = {"repositoryName": "team/app"}
    assert refused(ecr.get_repository_policy, **name)[0] == "RepositoryPolicyNotFoundException"
    assert refused(ecr.get_lifecycle_policy, **name)[0] == "LifecyclePolicyNotFoundException"
    assert refused(ecr.get_registry_policy)[0] == "RegistryPolicyNotFoundException"
    said = refused(ecr.describe_images, **name, imageIds=[{"imageTag": "9.9"}])
    assert said[0] == "ImageNotFoundException"


def test_list_images_has_a_row_per_tag_and_archived_ones_are_not_active(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    name = {"repositoryName": "team/app"}
    listed = rows(ecr, "list_images", "imageIds", **name)
    assert sorted(row.get("imageTag", "") for row in listed) == ["", "1.0.0", "1.1.0", "latest"]
    tagged = rows(ecr, "list_images", "imageIds", **name, filter={"tagStatus": "TAGGED"})
    assert len(tagged) == 3
    untagged = rows(ecr, "list_images", "imageIds", **name, filter={"tagStatus": "UNTAGGED"})
    assert [set(row) for row in untagged] == [{"imageDigest"}]
    any_status = {"imageStatus": "ANY"}
    details = rows(ecr, "describe_images", "imageDetails", **name, filter=any_status)
    assert sorted(row["imageStatus"] for row in details) == ["ACTIVE"] * 3 + ["ARCHIVED"]
    assert len(rows(ecr, "describe_images", "imageDetails", **name)) == 3


def test_an_image_has_one_detail_with_all_its_tags(entry: EntryPoint) -> None:
    detail = entry.client("ecr").describe_images(
        repositoryName="team/app", imageIds=[{"imageTag": "latest"}]
    )["imageDetails"]
    assert [sorted(row["imageTags"]) for row in detail] == [["1.0.0", "latest"]]
    assert detail[0]["imageManifestMediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert detail[0]["imageSizeInBytes"] > 100
    assert "lastRecordedPullTime" not in detail[0]


def test_a_digest_is_the_sha256_of_the_manifest(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    for tag in ("2.0.0",):
        image = ecr.batch_get_image(repositoryName="team/multi", imageIds=[{"imageTag": tag}])
        got = image["images"][0]
        digest = hashlib.sha256(got["imageManifest"].encode()).hexdigest()
        assert got["imageId"] == {"imageDigest": f"sha256:{digest}", "imageTag": tag}
        platforms = [m["platform"] for m in json.loads(got["imageManifest"])["manifests"]]
        assert [p["architecture"] for p in platforms] == ["amd64", "arm64", "unknown"]


def test_what_cannot_be_had_is_a_failure_in_a_200(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    one = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "1.0.0"}])
    digest = one["imageDetails"][0]["imageDigest"]
    ids = [
        {"imageTag": "latest"},
        {"imageTag": "9.9"},
        {"imageDigest": "sha256:abc"},
        {"imageDigest": digest, "imageTag": "1.1.0"},
        {"imageTag": "0.9.0"},
        {},
    ]
    said = ecr.batch_get_image(repositoryName="team/app", imageIds=ids)
    assert [image["imageId"]["imageTag"] for image in said["images"]] == ["latest"]
    assert [failure["failureCode"] for failure in said["failures"]] == [
        "ImageNotFound",
        "InvalidImageDigest",
        "ImageTagDoesNotMatchDigest",
        "ImageNotFound",
        "MissingDigestAndTag",
    ]
    docker = ["application/vnd.docker.distribution.manifest.v2+json"]
    said = ecr.batch_get_image(
        repositoryName="team/app", imageIds=ids[:1], acceptedMediaTypes=docker
    )
    assert [failure["failureCode"] for failure in said["failures"]] == ["ImageNotFound"]


def test_layers_are_kept_and_checked(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    got = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "1.1.0"}])
    layer = json.loads(got["images"][0]["imageManifest"])["layers"][0]
    absent = f"sha256:{'0' * 64}"
    said = ecr.batch_check_layer_availability(
        repositoryName="team/app", layerDigests=[layer["digest"], absent, "no digest"]
    )
    assert [row["layerAvailability"] for row in said["layers"]] == ["AVAILABLE", "UNAVAILABLE"]
    assert said["layers"][0]["layerSize"] == layer["size"]
    assert said["failures"][0]["failureCode"] == "InvalidLayerDigest"
    link = ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=layer["digest"])
    assert link["downloadUrl"].startswith(f"https://prod-{REGION}-starport-layer-bucket.s3.")
    said = refused(ecr.get_download_url_for_layer, repositoryName="team/app", layerDigest=absent)
    assert said[0] == "LayersNotFoundException"


def test_a_manifest_needs_its_layers_and_its_own_digest(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    blob = {"mediaType": "x", "digest": f"sha256:{'0' * 64}", "size": 1}
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": blob, "layers": []}
    put = {"repositoryName": "team/app", "imageManifest": json.dumps(manifest)}
    assert refused(ecr.put_image, **put)[0] == "LayersNotFoundException"
    said = refused(ecr.put_image, **put, imageDigest=f"sha256:{'1' * 64}")
    assert said[0] == "ImageDigestDoesNotMatchException"
    said = refused(ecr.put_image, repositoryName="team/app", imageManifest="{not json")
    assert said[0] == "InvalidParameterException"


def test_immutable_tags_stay_but_for_the_excluded(entry: EntryPoint) -> None:
    ecr = entry.client("ecr")
    name = {"repositoryName": "team/frozen"}
    got = ecr.batch_get_image(**name, imageIds=[{"imageTag": "1.0.0"}])["images"][0]
    said = refused(ecr.put_image, **name, imageManifest=got["imageManifest"], imageTag="1.0.0")
    assert said[0] == "ImageAlreadyExistsException"
    other = got["imageManifest"] + "\n"  # another digest, the same layers
    said = refused(ecr.put_image, **name, imageManifest=other, imageTag="1.0.0")
    assert said[0] == "ImageTagAlreadyExistsException"
    put = ecr.put_image(**name, imageManifest=other, imageTag="latest")["image"]
    assert put["imageId"]["imageDigest"] != got["imageId"]["imageDigest"]


def test_the_token_is_aws_and_a_password_for_12_hours(entry: EntryPoint) -> None:
    data = entry.client("ecr", "reader").get_authorization_token()["authorizationData"]
    assert len(data) == 1
    user, _, password = base64.b64decode(data[0]["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    assert 2293 <= len(password) <= 2714
    assert password.startswith("eyJwYXlsb2FkIjoi")
    inside = json.loads(base64.b64decode(password))
    assert set(inside) == {"payload", "datakey", "version", "type", "expiration"}
    left = data[0]["expiresAt"] - datetime.now(UTC)
    assert abs(left - timedelta(hours=12)) < timedelta(minutes=5)
    assert data[0]["proxyEndpoint"] == f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def test_denials_name_user_action_resource_and_reason(entry: EntryPoint) -> None:
    ecr = entry.client("ecr", "reader")
    arn = f"arn:aws:iam::{ACCOUNT}:user/ci/reader"
    stem = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
    for call, params, action, resource in (
        (ecr.describe_images, {"repositoryName": "team/multi"}, "DescribeImages", "team/multi"),
        (ecr.describe_repositories, {}, "DescribeRepositories", "*"),
        (ecr.batch_get_image, {"repositoryName": "team/app", "imageIds": [{"imageTag": "x"}]},
         "BatchGetImage", "team/app"),
    ):  # fmt: skip
        said = refused(call, **params)
        assert said[::2] == ("AccessDeniedException", 400)
        assert said[1] == (
            f"User: {arn} is not authorized to perform: ecr:{action} on resource: {stem}/"
            f"{resource} because no identity-based policy allows the ecr:{action} action"
        )


def test_a_scoped_grant_lets_named_calls_through_and_no_list(entry: EntryPoint) -> None:
    ecr = entry.client("ecr", "reader")
    assert ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]
    names = ["team/app", "team/multi"]
    assert refused(ecr.describe_repositories, repositoryNames=names)[0] == "AccessDeniedException"
    assert entry.client("ecr", "lister").describe_repositories()["repositories"]


def test_the_token_has_no_resource(entry: EntryPoint) -> None:
    said = refused(entry.client("ecr", "lister").get_authorization_token)
    assert said[0] == "AccessDeniedException"
    assert "on resource: * because" in said[1]


@pytest.mark.parametrize(
    ("label", "ecr", "sts"),
    [
        ("inactive", "UnrecognizedClientException", "InvalidClientTokenId"),
        ("wrong", "InvalidSignatureException", "SignatureDoesNotMatch"),
    ],
)
def test_bad_keys(entry: EntryPoint, label: str, ecr: str, sts: str) -> None:
    assert refused(entry.client("ecr", label).describe_repositories)[0] == ecr
    assert refused(entry.client("sts", label).get_caller_identity)[0] == sts


def test_another_registry_is_another_account(entry: EntryPoint) -> None:
    said = refused(entry.client("ecr", "lister").describe_repositories, registryId=OTHER)
    assert said[0] == "AccessDeniedException"
    assert f":{OTHER}:repository/*" in said[1]
    own = entry.client("ecr").describe_repositories(registryId=ACCOUNT, maxResults=1)
    assert own["repositories"][0]["registryId"] == ACCOUNT


def test_errors_carry_a_request_id_and_the_date(entry: EntryPoint) -> None:
    said = entry.client("sts").get_caller_identity()["ResponseMetadata"]
    assert said["RequestId"]
    assert said["HTTPHeaders"]["date"].endswith("GMT")
