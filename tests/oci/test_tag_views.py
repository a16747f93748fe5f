"""What API and registry say of the same tags: agreed, different, contradicting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecr_feed.facts.aws import Image, Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.oci import PackageWalk, Step, WantedImage, manifests, pull_rules
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.steps import StepResult, step_failed, step_succeeded
from ecr_feed.oci.tag_views import TagViews, settled, tag_resolves, views_agree

BEGAN = datetime(2026, 11, 28, 12, tzinfo=UTC)
A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
TAG, REGION = "1.0", "eu-west-1"
MET, NOT_MET, NOT_ASSESSED = OutcomeWord.MET, OutcomeWord.NOT_MET, OutcomeWord.NOT_ASSESSED


def image(*tags: str, digest: str = A, status: str = "ACTIVE", later: bool = False) -> Image:
    pushed = BEGAN + timedelta(minutes=1 if later else -1)
    return Image(digest, tags, pushed, manifests.OCI_MANIFEST, status=status)


def head(there: bool | None) -> StepResult:
    """HEAD of the tag: there, absent, or refused for another reason."""
    if there:
        return step_succeeded(Step.HEAD, "found", subject=TAG, host="r", status=200)
    trouble = Trouble.NOT_FOUND if there is False else Trouble.DENIED
    return step_failed(Step.HEAD, FailureReason(trouble, "no"), subject=TAG, host="r", status=404)


def views(
    *images: Image,
    there: bool | None = True,
    tags: tuple[str, ...] | None = (TAG,),
    digest: str = A,
    wanted: str | None = TAG,
    media_type: str = manifests.OCI_MANIFEST,
) -> TagViews:
    listed = (
        step_succeeded(Step.TAGS, "x", host="r", status=200)
        if tags is not None
        else step_failed(Step.TAGS, FailureReason(Trouble.TIMEOUT, "late"), host="r")
    )
    steps = (listed,) if wanted is None else (listed, head(there))
    found = (media_type, digest) if there else ("", "")
    return TagViews(
        PackageWalk(WantedImage("app", wanted), False, steps, tags, *found), images, BEGAN
    )


def unread(seen: TagViews) -> TagViews:
    """The same, without the API's images."""
    return replace(seen, images=None)


@pytest.mark.parametrize(
    ("seen", "contradict"),
    [
        (views(image(TAG)), False),
        (views(there=False, tags=()), False),
        (views(image(TAG), there=False), True),
        (views(image(TAG), there=False, tags=()), True),
        (views(there=False), True),
        (views(), True),
        (views(tags=()), True),
        # The list alone is stale: PULL-6 says so, and the tag resolves.
        (views(image(TAG), tags=()), False),
        (views(image(TAG), tags=None), False),
        (views(image(TAG), there=None), False),
        (views(there=None), False),
        # The registry has another image under the tag than the API.
        (views(image(TAG, digest=B)), True),
        (views(image(TAG, digest=B, later=True)), False),
        # ECR converted the manifest, so its digest is another one.
        (views(image(TAG, digest=B), media_type=manifests.DOCKER_SCHEMA_2), False),
        (views(image(TAG), digest=""), False),
        (views(image(TAG, status="ARCHIVED"), there=False, tags=()), False),
        (views(image(TAG, status="ARCHIVED")), True),
        (views(image(TAG, status="ACTIVATING"), there=False, tags=()), False),
        (views(image(TAG), wanted=A), False),
        (views(wanted=A), True),
        (views(image(TAG), wanted=A, there=False), True),
        (views(image(TAG), wanted=None), False),
        (unread(views()), False),
        (unread(views(tags=())), True),
        (unread(views(there=False)), True),
        (unread(views(there=False, tags=())), False),
        (unread(views(there=False, tags=None)), False),
    ],
)
def test_contradictions_about_a_tag(seen: TagViews, contradict: bool) -> None:
    assert seen.contradict is contradict


ABSENT = views(image(TAG), there=False, tags=())
AGREED = views(image(TAG))


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (AGREED, MET),
        (views(there=False, tags=()), NOT_MET),
        (ABSENT, NOT_ASSESSED),
        (views(there=True, tags=()), NOT_ASSESSED),
        # Less is known than before: nothing is judged.
        (unread(views(there=False, tags=())), NOT_ASSESSED),
        (views(image(TAG), tags=None), NOT_ASSESSED),
        (views(image(TAG), there=None), NOT_ASSESSED),
    ],
)
def test_what_two_readings_are_judged_by(second: TagViews, outcome: OutcomeWord) -> None:
    assert pull_rules.tag_resolves(settled(ABSENT, second)).outcome is outcome


def test_a_contradiction_shows_every_answer_of_both_readings() -> None:
    found = pull_rules.tag_resolves(settled(ABSENT, ABSENT))
    for text in ("ecr:DescribeImages: ACTIVE", "2026-11-28T11:59:00Z", "does not list it", "404"):
        assert text in found.message
    answers = found.evidence["answers"]
    assert isinstance(answers, list)
    assert len(answers) == 6
    assert found.failure is not None
    assert found.failure.trouble is Trouble.CONTRADICTION
    assert "Run again" in (found.fix or "")
    assert "Push" not in (found.fix or "")


@pytest.mark.parametrize(("wanted", "named"), [(TAG, "imageTag=1.0"), (A, f"imageDigest={A}")])
def test_an_archived_image_is_restored_and_not_pushed(wanted: str, named: str) -> None:
    seen = views(image(TAG, status="ARCHIVED"), there=False, tags=(), wanted=wanted)
    found = tag_resolves(seen.walk, seen, REGION)
    assert (found.outcome, "is archived" in found.message) == (NOT_MET, True)
    assert f"--repository-name app --image-id {named} " in (found.fix or "")
    gone = views(there=False, tags=(), wanted=wanted)
    assert "archived" not in tag_resolves(gone.walk, gone, REGION).message


def lists(api: str, registry: str, *more: Image) -> TagViews:
    return views(image(*api), *more, tags=tuple(registry), wanted=None)


@pytest.mark.parametrize(
    ("readings", "outcome", "says"),
    [
        ([lists("ab", "ab")], MET, "same tags"),
        ([lists("ab", "a")], NOT_MET, "only the API has b"),
        ([lists("ab", "a"), lists("ab", "ab")], MET, "same tags"),
        ([lists("ab", "a"), lists("ab", "a")], NOT_MET, "only the API has b"),
        ([lists("a", "ab"), lists("a", "ab")], NOT_MET, "only the registry has b"),
        ([lists("ab", "a"), lists("abc", "a")], NOT_MET, "only the API has b."),
        ([lists("ab", "a"), lists("ab", "abc")], NOT_ASSESSED, "changed between two readings"),
        ([lists("a", "a", image("n", digest=B, later=True))], MET, "same tags"),
        ([lists("a", "an", image("n", digest=B, later=True))], MET, "same tags"),
        ([lists("a", "ao", image("o", digest=B, status="ARCHIVED"))], MET, "same tags"),
        ([lists("a", "a", image("o", digest=B, status="ARCHIVED"))], MET, "same tags"),
    ],
)
def test_lists_of_tags(readings: list[TagViews], outcome: OutcomeWord, says: str) -> None:
    found = views_agree(readings)
    assert (found.outcome, says in found.message) == (outcome, True), found.message
    if outcome is MET:
        assert str(found.found).startswith(str(found.expected))


def test_what_was_not_compared_is_named() -> None:
    found = views_agree([lists("a", "a", image("n", digest=B, later=True))])
    assert found.evidence == {"not_compared": ["n"]}


def test_a_list_that_was_not_had() -> None:
    found = views_agree([views(image(TAG), tags=None)])
    assert found.outcome is NOT_ASSESSED
    assert "late" in found.message
