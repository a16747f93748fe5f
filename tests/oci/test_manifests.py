import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.oci import manifests
from ecr_feed.oci.manifests import (
    ManifestError,
    ManifestKind,
    digest_of,
    is_digest,
    parse_config,
    parse_manifest,
)
from ecr_feed.oci.platforms import Platform
from ecr_feed.oci.pull import choose_image

D = "sha256:" + "a" * 64


def image(**more: object) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": manifests.OCI_MANIFEST,
        "config": {"mediaType": manifests.OCI_CONFIG, "digest": D, "size": 2},
        "layers": [{"mediaType": "x", "digest": D, "size": 3}],
        **more,
    }


def index(*platforms: object, **more: object) -> dict[str, object]:
    children = [
        {
            "mediaType": manifests.OCI_MANIFEST,
            "digest": f"sha256:{at:064x}",
            "size": 1,
            "platform": platform,
        }
        for at, platform in enumerate(platforms)
    ]
    return {"schemaVersion": 2, "mediaType": manifests.OCI_INDEX, "manifests": children, **more}


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def linux(architecture: str, variant: str = "") -> dict[str, str]:
    return {"os": "linux", "architecture": architecture, "variant": variant}


def test_an_image() -> None:
    body = raw(image())
    found = parse_manifest(body, manifests.OCI_MANIFEST + "; charset=utf-8")
    assert (found.kind, found.media_type) == (ManifestKind.IMAGE, manifests.OCI_MANIFEST)
    assert found.digest == "sha256:" + hashlib.sha256(body).hexdigest()
    assert found.config is not None
    assert found.config.size == 2
    assert [layer.size for layer in found.layers] == [3]


def test_the_type_comes_from_the_answer_where_the_document_has_none() -> None:
    document = image()
    del document["mediaType"]
    assert (
        parse_manifest(raw(document), manifests.DOCKER_SCHEMA_2).media_type
        == manifests.DOCKER_SCHEMA_2
    )
    assert parse_manifest(raw(document), "application/json").media_type == manifests.OCI_MANIFEST


def test_an_artifact_is_what_has_no_image_config() -> None:
    helm = image(
        config={"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": D, "size": 2}
    )
    found = parse_manifest(raw(helm))
    assert (found.kind, found.artifact_type) == (
        ManifestKind.ARTIFACT,
        "application/vnd.cncf.helm.config.v1+json",
    )


@pytest.mark.parametrize(
    ("document", "content_type", "says"),
    [
        (image(manifests=[]), "", "two ways"),
        (index(layers=[]), "", "two ways"),
        (image(), manifests.OCI_INDEX, "the document says"),
        (image(config=None), "", "config is missing"),
        (image(layers=None), "", "layers is missing"),
        (image(layers=[{"digest": "sha256:x", "size": 1}]), "", "has no digest"),
        (image(layers=[{"digest": D, "size": -1}]), "", "has no size"),
        (image(layers=[{"digest": D, "size": True}]), "", "has no size"),
        (image(mediaType=5), "", "not a text"),
        (image(mediaType="text/plain"), "", "unknown manifest type"),
        ({"schemaVersion": 1}, "", "without fsLayers"),
        ({"schemaVersion": 1, "fsLayers": [{}]}, "", "has no digest"),
        ({"schemaVersion": 1, "fsLayers": [{"blobSum": D}], "signatures": []}, "", "signature"),
        ({}, "", "unknown manifest type"),
        ([], "", "not a JSON object"),
    ],
)
def test_what_is_no_manifest(document: object, content_type: str, says: str) -> None:
    with pytest.raises(ManifestError, match=says):
        parse_manifest(raw(document), content_type)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(ManifestError, match="not JSON"):
        parse_manifest(body)


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.dictionaries(
            st.sampled_from(
                [
                    "schemaVersion",
                    "mediaType",
                    "config",
                    "layers",
                    "manifests",
                    "digest",
                    "size",
                    "platform",
                    "fsLayers",
                ]
            ),
            inner | st.lists(inner, max_size=2),
            max_size=4,
        ),
        max_leaves=8,
    ).map(raw)
)
def test_any_bytes_end_in_a_manifest_or_the_one_error(body: bytes) -> None:
    try:
        found = parse_manifest(body)
    except ManifestError:
        return
    assert is_digest(found.digest)


def test_attestations_and_the_unknown_are_no_images() -> None:
    document = index(
        linux("amd64"), {"os": "unknown", "architecture": "unknown"}, None, linux("arm64")
    )
    children = document["manifests"]
    assert isinstance(children, list)
    children[3]["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    found = parse_manifest(raw(document))
    assert [str(child.platform) for child in found.images] == ["linux/amd64"]
    assert len(found.children) == 4


@pytest.mark.parametrize(
    ("platforms", "wanted", "chosen"),
    [
        (["arm64", "amd64"], None, 1),
        (["arm64"], None, 0),
        (["arm64"], "linux/amd64", None),
        (["amd64", "arm64"], "linux/arm64/v8", 1),
        (["arm/v6", "arm/v7"], "linux/arm", 1),
        (["arm/v6"], "linux/arm/v7", 0),
        ([], None, None),
    ],
)
def test_the_image_for_a_platform(
    platforms: list[str], wanted: str | None, chosen: int | None
) -> None:
    found = parse_manifest(raw(index(*(linux(*name.split("/")) for name in platforms))))
    child = choose_image(found, Platform.parse(wanted) if wanted else None)
    assert child == (None if chosen is None else found.children[chosen])


def test_a_config_names_its_platform() -> None:
    assert parse_config(raw(linux("arm", "v7"))) == Platform("linux", "arm", "v7")
    assert parse_config(b"{}") is None


def test_digests() -> None:
    assert digest_of(b"x", "sha512:") == "sha512:" + hashlib.sha512(b"x").hexdigest()
    assert is_digest(digest_of(b"x"))
    assert not is_digest("sha256:" + "A" * 64)
    assert not is_digest("md5:" + "a" * 32)
