"""Our client against a registry nobody here wrote: Debian's, behind TLS, in its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from ecr_feed.facts.aws import Trouble
from ecr_feed.oci import Platform, Step, StepState, WantedImage
from ecr_feed.oci.registry_client import FIRST_BYTES, SMALL_LAYER
from tests.oci.debian import Debian
from tests.oci.shelf import NAME, PASSWORD

AMD64: Final = Platform("linux", "amd64")


def test_login(debian: Debian) -> None:
    assert [step.state for step in debian.registry().login().steps] == [StepState.OK] * 3


def test_a_wrong_password(debian: Debian) -> None:
    login = debian.registry("no").login()
    assert (login.login.state, login.login.trouble) == (StepState.FAILED, Trouble.LOGIN_REFUSED)
    assert login.wrong_password.ok


@pytest.mark.parametrize("tag", ["1.0", "docker", "index", "large"])
def test_a_deep_walk_agrees_with_skopeo(debian: Debian, tag: str, tmp_path: Path) -> None:
    walk = debian.registry().walk(WantedImage(NAME, tag, AMD64), deep=True)
    theirs = debian.skopeo(
        *("--override-os", "linux", "--override-arch", "amd64", "copy"),
        *("--src-creds", f"AWS:{PASSWORD}"),
        f"docker://{debian.endpoint.removeprefix('https://')}/{NAME}:{tag}",
        f"dir:{tmp_path / 'image'}",
    )
    assert (walk.ok, theirs.returncode) == (True, 0), (walk.broken, theirs.stderr)
    assert set(walk.tags or ()) == {"1.0", "docker", "index", "large"}
    assert walk.platform == AMD64


def test_a_large_layer_is_read_in_part(debian: Debian) -> None:
    registry = debian.registry()
    walk = registry.walk(WantedImage(NAME, "large"), deep=True)
    (layer,) = walk.of(Step.LAYER)
    assert (layer.status, layer.ok) == (206, True)
    assert FIRST_BYTES < SMALL_LAYER


def test_an_index_lists_its_platforms(debian: Debian) -> None:
    walk = debian.registry().walk(WantedImage(NAME, "index", Platform("linux", "s390x")), deep=True)
    assert [str(platform) for platform in walk.platforms] == ["linux/amd64", "linux/arm64"]
    assert walk.broken is not None
    assert (walk.broken.step, walk.broken.state) == (Step.PLATFORM, StepState.FAILED)


def test_a_missing_tag_and_a_missing_repository(debian: Debian) -> None:
    tag = debian.registry().walk(WantedImage(NAME, "none"), deep=True).broken
    repository = (
        debian.registry(name="team/none").walk(WantedImage("team/none", "1.0"), deep=True).broken
    )
    assert tag is not None
    assert repository is not None
    assert (tag.step, tag.failure and tag.failure.code) == (Step.HEAD, "MANIFEST_UNKNOWN")
    assert (repository.step, repository.failure and repository.failure.code) == (
        Step.TAGS,
        "NAME_UNKNOWN",
    )
