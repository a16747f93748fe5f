"""A repository changed at random, beside a model of it: what the API lists is what is there."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.embedded.world import world
from tests.support.properties import costly

NAME = {"repositoryName": "team/app"}
KIND = "application/vnd.oci.image.manifest.v1+json"
MADE = world('[[repository]]\nname = "team/app"')
ECR: Any = MADE.client("ecr")
TAGS = st.sampled_from(["1.0", "1.1", "latest"])
CONTENTS = st.integers(0, 3)


def manifest(content: int) -> str:
    """One of a few manifests without layers."""
    return json.dumps({"schemaVersion": 2, "mediaType": KIND, "annotations": {"n": str(content)}})


def digest(content: int) -> str:
    return f"sha256:{hashlib.sha256(manifest(content).encode()).hexdigest()}"


class Images(RuleBasedStateMachine):
    """`tags` is the model: tag -> content; `present` maps contents to archived or not."""

    @initialize()
    def empty(self) -> None:
        found = ECR.list_images(**NAME, filter={"imageStatus": "ANY"})["imageIds"]
        for each in {row["imageDigest"] for row in found}:
            image = {"imageDigest": each}
            ECR.update_image_storage_class(**NAME, imageId=image, targetStorageClass="STANDARD")
            ECR.batch_delete_image(**NAME, imageIds=[image])
        self.tags: dict[str, int] = {}
        self.present: dict[int, bool] = {}

    @rule(content=CONTENTS, tag=TAGS)
    def push(self, content: int, tag: str) -> None:
        try:
            ECR.put_image(**NAME, imageManifest=manifest(content), imageTag=tag)
        except ECR.exceptions.ImageAlreadyExistsException:
            assert self.tags.get(tag) == content
        self.tags[tag] = content
        self.present.setdefault(content, False)

    @precondition(lambda self: self.tags)
    @rule(data=st.data())
    def untag(self, data: st.DataObject) -> None:
        tag = data.draw(st.sampled_from(sorted(self.tags)))
        content = self.tags[tag]
        done = ECR.batch_delete_image(**NAME, imageIds=[{"imageTag": tag}])
        if self.present[content]:  # an archived image is not found
            assert done["failures"]
            return
        del self.tags[tag]
        if content not in self.tags.values():
            del self.present[content]

    @precondition(lambda self: self.present)
    @rule(data=st.data(), archive=st.booleans())
    def move(self, data: st.DataObject, archive: bool) -> None:
        content = data.draw(st.sampled_from(sorted(self.present)))
        target = "ARCHIVE" if archive else "STANDARD"
        image = {"imageDigest": digest(content)}
        ECR.update_image_storage_class(**NAME, imageId=image, targetStorageClass=target)
        self.present[content] = archive

    @invariant()
    def the_api_shows_the_model(self) -> None:
        if not hasattr(self, "tags"):
            return
        details = ECR.describe_images(**NAME, filter={"imageStatus": "ANY"})["imageDetails"]
        shown = {
            row["imageDigest"]: (sorted(row.get("imageTags", [])), row["imageStatus"])
            for row in details
        }
        assert shown == {
            digest(content): (
                sorted(tag for tag, target in self.tags.items() if target == content),
                "ARCHIVED" if archived else "ACTIVE",
            )
            for content, archived in self.present.items()
        }
        listed = ECR.list_images(**NAME)["imageIds"]
        active = {tag for tag, content in self.tags.items() if not self.present[content]}
        assert {row["imageTag"] for row in listed if "imageTag" in row} == active


TestImages = Images.TestCase
TestImages.settings = costly(stateful_step_count=20)
