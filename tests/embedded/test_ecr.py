"""ECR beyond what a feed reads: pushes, tags, storage classes, settings."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.embedded.ecr.registry_state import StoredRepository
from tests.embedded.world import ACCOUNT, OTHER, REGION, World, refused, rows, world
from tests.support.properties import costly

KIND = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def made() -> World:
    return world(
        """
        [[repository]]
        name = "team/app"
        images = [
          { tags = ["1.0.0"], age_days = 40, pulled_days = 3 },
          { tags = ["1.0.0.sig"], subject = "1.0.0", artifact_type = "application/vnd.sig" },
          { tags = ["docker"], media = "docker" },
        ]
        """
    )


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def push(ecr: Any, data: bytes, *, part: int = 0) -> str:
    """Upload a layer in parts of a size (0: whole)."""
    name = {"repositoryName": "team/app"}
    begun = ecr.initiate_layer_upload(**name)
    size = part or len(data)
    for start in range(0, len(data), size):
        blob = data[start : start + size]
        ecr.upload_layer_part(
            **name,
            uploadId=begun["uploadId"],
            partFirstByte=start,
            partLastByte=start + len(blob) - 1,
            layerPartBlob=blob,
        )
    layer = digest(data)
    ecr.complete_layer_upload(**name, uploadId=begun["uploadId"], layerDigests=[layer])
    return layer


def manifest(layer: str, size: int, **more: Any) -> str:
    blob = {"mediaType": "application/octet-stream", "digest": layer, "size": size}
    document = {"schemaVersion": 2, "mediaType": KIND, "config": blob, "layers": [], **more}
    return json.dumps(document)


def test_a_push_in_parts_is_what_comes_back(made: World) -> None:
    ecr = made.client("ecr")
    data = bytes(range(256)) * 40
    layer = push(ecr, data, part=1000)
    text = manifest(layer, len(data))
    put = ecr.put_image(repositoryName="team/app", imageManifest=text, imageTag="new")
    assert put["image"]["imageId"]["imageDigest"] == digest(text.encode())
    got = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "new"}])
    assert got["images"][0]["imageManifest"] == text
    assert made.core.registry(ACCOUNT, REGION).repositories["team/app"].layers[layer] == data


def test_layers_that_do_not_fit_are_refused(made: World) -> None:
    ecr, name = made.client("ecr"), {"repositoryName": "team/app"}
    layer = push(ecr, b"one")
    begun = ecr.initiate_layer_upload(**name)["uploadId"]
    part = {"uploadId": begun, "layerPartBlob": b"xx"}
    said = refused(ecr.upload_layer_part, **name, **part, partFirstByte=5, partLastByte=6)
    assert said[0] == "InvalidLayerPartException"
    said = refused(
        ecr.complete_layer_upload, **name, uploadId=begun, layerDigests=[f"sha256:{'0' * 64}"]
    )
    assert said[0] == "EmptyUploadException"
    ecr.upload_layer_part(**name, **part, partFirstByte=0, partLastByte=1)
    said = refused(
        ecr.complete_layer_upload, **name, uploadId=begun, layerDigests=[f"sha256:{'0' * 64}"]
    )
    assert said[0] == "InvalidLayerException"
    unknown = part | {"uploadId": str(uuid.uuid4())}
    said = refused(ecr.upload_layer_part, **name, **unknown, partFirstByte=0, partLastByte=1)
    assert said[0] == "UploadNotFoundException"
    again = ecr.initiate_layer_upload(**name)["uploadId"]
    ecr.upload_layer_part(
        **name, uploadId=again, layerPartBlob=b"one", partFirstByte=0, partLastByte=2
    )
    said = refused(ecr.complete_layer_upload, **name, uploadId=again, layerDigests=[layer])
    assert said[0] == "LayerAlreadyExistsException"


def test_an_index_needs_its_children(made: World) -> None:
    ecr = made.client("ecr")
    child = {"mediaType": KIND, "digest": f"sha256:{'0' * 64}", "size": 1}
    text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]})
    said = refused(ecr.put_image, repositoryName="team/app", imageManifest=text, imageTag="i")
    assert said[0] == "ReferencedImagesNotFoundException"


@pytest.mark.parametrize("tag", ["8.7.3+a", "-x", ".x", "a/b", "x" * 129])
def test_tags_have_a_grammar(made: World, tag: str) -> None:
    ecr = made.client("ecr")
    text = manifest(push(ecr, b"one"), 3)
    said = refused(ecr.put_image, repositoryName="team/app", imageManifest=text, imageTag=tag)
    assert said[0] == "InvalidParameterException"


def test_ages_pulls_and_media_types_are_told(made: World) -> None:
    ecr, now = made.client("ecr"), made.core.now()
    found = {
        row["imageTags"][0]: row
        for row in rows(ecr, "describe_images", "imageDetails", repositoryName="team/app")
    }
    old = found["1.0.0"]
    assert abs(now - old["imagePushedAt"] - timedelta(days=40)) < timedelta(minutes=5)
    assert abs(now - old["lastRecordedPullTime"] - timedelta(days=3)) < timedelta(minutes=5)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    assert found["docker"]["imageManifestMediaType"] == kind
    assert found["1.0.0.sig"]["subjectManifestDigest"] == old["imageDigest"]


def test_archiving_hides_and_reviving_shows(made: World) -> None:
    ecr, name = made.client("ecr"), {"repositoryName": "team/app"}
    image = {"imageTag": "1.0.0"}
    done = ecr.update_image_storage_class(**name, imageId=image, targetStorageClass="ARCHIVE")
    assert done["imageStatus"] == "ARCHIVED"
    assert ecr.batch_get_image(**name, imageIds=[image])["failures"]
    archived = ecr.list_images(**name, filter={"imageStatus": "ARCHIVED"})["imageIds"]
    assert [row["imageTag"] for row in archived] == ["1.0.0"]
    ecr.update_image_storage_class(**name, imageId=image, targetStorageClass="STANDARD")
    assert ecr.batch_get_image(**name, imageIds=[image])["images"]
    said = refused(
        ecr.update_image_storage_class,
        **name,
        imageId={"imageTag": "none"},
        targetStorageClass="ARCHIVE",
    )
    assert said[0] == "ImageNotFoundException"


def test_deleting_a_tag_keeps_the_image_while_it_has_another(made: World) -> None:
    ecr, name = made.client("ecr"), {"repositoryName": "team/app"}
    text = manifest(push(ecr, b"one"), 3)
    for tag in ("a", "b"):
        ecr.put_image(**name, imageManifest=text, imageTag=tag)
    ecr.batch_delete_image(**name, imageIds=[{"imageTag": "a"}])
    assert ecr.describe_images(**name, imageIds=[{"imageTag": "b"}])["imageDetails"]
    ecr.batch_delete_image(**name, imageIds=[{"imageDigest": digest(text.encode())}])
    said = refused(ecr.describe_images, **name, imageIds=[{"imageTag": "b"}])
    assert said[0] == "ImageNotFoundException"
    said = refused(ecr.delete_repository, **name)
    assert said[0] == "RepositoryNotEmptyException"
    ecr.delete_repository(**name, force=True)
    assert refused(ecr.list_images, **name)[0] == "RepositoryNotFoundException"


def test_repository_policies_take_no_resource_and_no_token(made: World) -> None:
    ecr, name = made.client("ecr"), {"repositoryName": "team/app"}
    base: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"}
    for statement in (
        {**base, "Resource": "*"},
        {**base, "Action": "ecr:GetAuthorizationToken"},
        {k: v for k, v in base.items() if k != "Principal"},
    ):
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        said = refused(ecr.set_repository_policy, **name, policyText=text)
        assert said[0] == "InvalidParameterException"
    text = json.dumps({"Version": "2012-10-17", "Statement": base})
    ecr.set_repository_policy(**name, policyText=text)
    assert ecr.get_repository_policy(**name)["policyText"] == text
    ecr.delete_repository_policy(**name)
    assert refused(ecr.get_repository_policy, **name)[0] == "RepositoryPolicyNotFoundException"


def test_settings_and_tags_of_a_repository(made: World) -> None:
    ecr, name = made.client("ecr"), {"repositoryName": "team/strict"}
    kind = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}
    assert refused(ecr.create_repository, **name, **kind)[0] == "InvalidParameterException"
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    ecr.create_repository(**name, **kind, imageTagMutabilityExclusionFilters=filters)
    row = ecr.describe_repositories(repositoryNames=["team/strict"])["repositories"][0]
    assert row["imageTagMutabilityExclusionFilters"] == filters
    arn = {"resourceArn": row["repositoryArn"]}
    ecr.tag_resource(**arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ecr.tag_resource(**arn, tags=[{"Key": "a", "Value": "3"}])
    tags = {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(**arn)["tags"]}
    assert tags == {"a": "3", "b": "2"}


def test_tokens_are_for_the_registries_asked_for(made: World) -> None:
    ecr = made.client("ecr")
    data = ecr.get_authorization_token(registryIds=[ACCOUNT, OTHER])["authorizationData"]
    hosts = [row["proxyEndpoint"] for row in data]
    assert hosts == [f"https://{a}.dkr.ecr.{REGION}.amazonaws.com" for a in (ACCOUNT, OTHER)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(0, 150))
@costly()
def test_pages_of_any_size_hold_every_row_once(sizes: list[int], count: int) -> None:
    ecr = PAGED.client("ecr")
    registry = PAGED.core.registry(ACCOUNT, REGION)
    registry.repositories.clear()
    for n in range(count):
        registry.create(f"r/{n}", PAGED.core.now())
    seen: list[str] = []
    token: dict[str, str] = {}
    turn = 0
    while True:
        page = ecr.describe_repositories(maxResults=sizes[turn % len(sizes)], **token)
        seen += [row["repositoryName"] for row in page["repositories"]]
        if "nextToken" not in page:
            break
        token, turn = {"nextToken": page["nextToken"]}, turn + 1
    assert seen == [f"r/{n}" for n in range(count)]


PAGED = world()


def test_rows_behind_a_token_stay_as_they_were() -> None:
    made = world('[[repository]]\nname = "r{n}x"\ncount = 30')
    ecr = made.client("ecr")
    first = ecr.describe_repositories(maxResults=10)
    made.core.registry(ACCOUNT, REGION).repositories.clear()
    rest = ecr.describe_repositories(maxResults=1000, nextToken=first["nextToken"])
    assert len(rest["repositories"]) == 20


@pytest.mark.parametrize(
    ("mutability", "exclusions", "tag", "immutable"),
    [
        ("MUTABLE", (), "x", False),
        ("IMMUTABLE", (), "x", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), "dev-1", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), "1.0", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*", "release-*"), "v1", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*", "release-*"), "dev", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("a[b]",), "ab", True),  # `[` is literal
    ],
)
def test_which_tags_are_immutable(
    mutability: str, exclusions: tuple[str, ...], tag: str, immutable: bool
) -> None:
    now = PAGED.core.now()
    repository = StoredRepository("a", "arn", ACCOUNT, "uri", now, mutability, exclusions)
    assert repository.immutable(tag) is immutable
