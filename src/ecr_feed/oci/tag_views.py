"""What the ECR API and the registry say of the same tags: agreed, different or contradicting. Pure.

One answer is never preferred to another: where two contradict each other, both are read once more,
and what they then agree on is judged. Where they still contradict each other, nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ecr_feed.facts.aws import Image, Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.oci import pull_rules
from ecr_feed.oci.manifests import is_digest
from ecr_feed.oci.messages import named, sentence
from ecr_feed.oci.steps import PackageWalk, Step, StepResult, StepState, step_contradicted
from ecr_feed.outcomes import Judgement
from ecr_feed.text.times import to_second
from ecr_feed.text.words import few

_ACTIVE: Final = "ACTIVE"
_ARCHIVED: Final = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class TagViews:
    """One reading of both: a walk, and the API's images; None where the API could not be read.

    `since` is when the run began, by AWS's clock: what was pushed later may be in one answer only.
    """

    walk: PackageWalk
    images: tuple[Image, ...] | None
    since: datetime | None = None

    @property
    def answers(self) -> tuple[str, ...]:
        """What each answer says of the wanted tag; one that was not had is left out."""
        tag, step = self.walk.wanted.tag, self._head
        if tag is None or step is None:
            return ()
        said = [f"ecr:DescribeImages: {self._api_says(tag)}"] if self.images is not None else []
        if self.walk.tags is not None and not is_digest(tag):
            listed = "lists it" if tag in self.walk.tags else "does not list it"
            said.append(f"GET tags/list: {listed}")
        status = "no answer" if step.status is None else f"HTTP {step.status}"
        return (*said, f"HEAD of {tag}: {status}, {step.what}")

    @property
    def contradict(self) -> bool:
        """The registry's HEAD of the wanted tag, its list and the API cannot all be true.

        A list that lacks a tag which HEAD and the API have is PULL-6's subject, and decides nothing
        about the tag.
        """
        tag, step = self.walk.wanted.tag, self._head
        if tag is None or step is None:
            return False
        known, listed = self._in_api(tag), self._listed(tag)
        if step.ok:
            return known is False or (known is None and listed is False) or self._moved(tag)
        if step.trouble is Trouble.NOT_FOUND:
            return known is True or listed is True
        return False

    @property
    def archived(self) -> bool:
        """The API says that the wanted image is archived, and HEAD that it is not served."""
        tag, step = self.walk.wanted.tag, self._head
        image = None if tag is None else self._image(tag)
        absent = step is not None and step.trouble is Trouble.NOT_FOUND
        return absent and image is not None and image.status == _ARCHIVED

    def lacks(self, earlier: TagViews) -> bool:
        """Something that an earlier reading had could not be read, or not told."""
        images = self.images is None and earlier.images is not None
        tags = self.walk.tags is None and earlier.walk.tags is not None
        return images or tags or (earlier.tells and not self.tells)

    @property
    def tells(self) -> bool:
        """HEAD says that the tag is there, or that it is not."""
        step = self._head
        return step is not None and (step.ok or step.trouble is Trouble.NOT_FOUND)

    @property
    def lists_differ(self) -> bool:
        """The two lists of tags differ, or the registry knows no such repository."""
        if self.walk.tags is None:
            return any(
                step.trouble is Trouble.NOT_FOUND and step.state is StepState.FAILED
                for step in self.walk.of(Step.TAGS)
            )
        return bool(self.only_api or self.only_registry)

    @property
    def active_tags(self) -> frozenset[str]:
        """The tags of active images in the API."""
        return self._tags_of(lambda image: image.status == _ACTIVE)

    @property
    def uncompared(self) -> frozenset[str]:
        """Tags pushed since the run began, and those of images that cannot be pulled now."""
        return self._tags_of(lambda image: image.status != _ACTIVE or self._is_new(image))

    @property
    def only_api(self) -> frozenset[str]:
        """Tags that the registry should list and does not."""
        return self.active_tags - frozenset(self.walk.tags or ()) - self.uncompared

    @property
    def only_registry(self) -> frozenset[str]:
        """Tags that the registry lists and the API does not have."""
        return frozenset(self.walk.tags or ()) - self.active_tags - self.uncompared

    @property
    def _head(self) -> StepResult | None:
        return next(iter(self.walk.of(Step.HEAD)), None)

    def _image(self, tag: str) -> Image | None:
        return next(
            (image for image in self.images or () if tag in image.tags or tag == image.digest), None
        )

    def _in_api(self, tag: str) -> bool | None:
        """Whether the API has it as an active image; None where that is not known."""
        if self.images is None:
            return None
        image = self._image(tag)
        if image is None or image.status == _ARCHIVED:
            return False
        return True if image.status == _ACTIVE else None

    def _listed(self, tag: str) -> bool | None:
        known = self.walk.tags is not None and not is_digest(tag)
        return tag in (self.walk.tags or ()) if known else None

    def _moved(self, tag: str) -> bool:
        """API and registry name different images of the tag.

        ECR may convert a manifest that it serves by tag, which changes media type and digest.
        """
        image = self._image(tag)
        if image is None or self._is_new(image) or not self.walk.digest.startswith("sha256:"):
            return False
        same_type = image.media_type != "" and image.media_type == self.walk.media_type
        return same_type and image.digest != self.walk.digest

    def _is_new(self, image: Image) -> bool:
        pushed = image.pushed_at
        return self.since is not None and pushed is not None and pushed > self.since

    def _tags_of(self, chosen: Callable[[Image], bool]) -> frozenset[str]:
        return frozenset(tag for image in self.images or () if chosen(image) for tag in image.tags)

    def _api_says(self, tag: str) -> str:
        image = self._image(tag)
        if image is None:
            return f"no image with {tag}"
        pushed = "" if image.pushed_at is None else f", pushed {to_second(image.pushed_at)}"
        return f"{image.status}, {image.digest}{pushed}"


def settled(first: TagViews, second: TagViews) -> PackageWalk:
    """The walk to judge after a first reading that contradicts itself and a second one.

    The second one where its answers agree; else its HEAD is replaced by the contradiction.
    """
    if not second.contradict and not second.lacks(first):
        return second.walk
    walk = second.walk
    answers = (*first.answers, *second.answers)
    host = next((step.host for step in (*walk.steps, *first.walk.steps) if step.host), "")
    bad = step_contradicted(Step.HEAD, answers, subject=walk.wanted.tag or "", host=host)
    kept = tuple(step for step in walk.steps if step.step is Step.TAGS)
    return PackageWalk(walk.wanted, walk.deep, (*kept, bad), walk.tags, requests=walk.requests)


def tag_resolves(walk: PackageWalk, last: TagViews, region: str) -> Judgement:
    """The registry has the tag; `last` is the reading that `walk` is judged by."""
    found = pull_rules.tag_resolves(walk)
    if not (last.archived and found.outcome is OutcomeWord.NOT_MET):
        return found
    tag = walk.wanted.tag or ""
    which = f"imageDigest={tag}" if is_digest(tag) else f"imageTag={tag}"
    return replace(
        found,
        message=f"{named(walk.wanted)} is archived, so the registry does not serve it.",
        fix=f"aws ecr update-image-storage-class --region {region} "
        f"--repository-name {walk.wanted.repository} --image-id {which} "
        "--target-storage-class STANDARD",
    )


def views_agree(readings: Sequence[TagViews]) -> Judgement:
    """API and registry list the same tags; of two readings, only what differs in both is judged."""
    first, last = readings[0], readings[-1]
    if last.walk.tags is None and last.lists_differ:
        return _no_such_repository(last)
    rest = last.uncompared
    if len(readings) > 1 and last.lists_differ and first.walk.tags is not None:
        both = (first.only_api & last.only_api) | (first.only_registry & last.only_registry)
        changed = (last.only_api | last.only_registry) - both
        if not both:
            return _unsteady(first, last)
        rest |= changed
    found = pull_rules.views_agree(last.walk, last.active_tags, uncompared=rest)
    if len(readings) > 1 and found.outcome is OutcomeWord.NOT_MET:
        fix = (
            "Both were read twice. Look for a cache or proxy that answers with an old list of tags."
        )
        return replace(found, fix=fix, evidence={**found.evidence, "readings": len(readings)})
    return found


def _no_such_repository(views: TagViews) -> Judgement:
    """The API has the repository, or it would not have been asked for; the registry has not."""
    name = views.walk.wanted.repository
    step = next(iter(views.walk.of(Step.TAGS)))
    said = (
        f"ecr:DescribeRepositories has {name}, GET tags/list says HTTP {step.status}: {step.what}"
    )
    message = sentence(f"API and registry contradict each other, also when asked again: {said}")
    fix = f"Run again. If it stays, look for a proxy or cache in front of {step.host}."
    outcome = OutcomeWord.NOT_ASSESSED
    return Judgement(
        outcome, message, "both list the same tags", step.what, fix, failure=step.failure
    )


def _unsteady(first: TagViews, last: TagViews) -> Judgement:
    """Other tags differ in each reading: the repository is being pushed to, or a cache flaps."""
    parts = [
        f"{which} only the API has {few(sorted(each.only_api))}, "
        f"only the registry {few(sorted(each.only_registry))}"
        for which, each in (("first", first), ("then", last))
    ]
    name = last.walk.wanted.repository
    message = f"The tags of {name} changed between two readings: {'; '.join(parts)}."
    return Judgement(
        OutcomeWord.NOT_ASSESSED, message, "both list the same tags", "; ".join(parts), "Run again."
    )
