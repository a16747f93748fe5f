"""What a pull that was made proves: the registry carries out both actions for a client's requests.

A GET of a manifest is ecr:BatchGetImage, a GET of a layer ecr:GetDownloadUrlForLayer.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ecr_feed.facts.aws import Answer, Permission, Trouble
from ecr_feed.oci import PackageWalk, Step
from ecr_feed.oci.messages import named
from ecr_feed.permissions.needs import PULL
from ecr_feed.text.times import rfc3339

_BY_ACTION: Final = {
    PULL[0]: (Step.MANIFEST, Step.PLATFORM, Step.HEAD),
    PULL[1]: (Step.LAYER, Step.CONFIG),
}
"""The steps that need an action; a download of the first kind proves it."""
_DOWNLOADED: Final = (200, 206)
_REFUSED: Final = (
    *(Trouble.DENIED, Trouble.LOGIN_REFUSED, Trouble.EXPIRED),
    Trouble.CONTRADICTION,
)


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk to an image with the feed's own token, and when it was made."""

    walk: PackageWalk
    at: datetime


def proof(walked: Walked, action: str, resource: str) -> Permission | None:
    """The permission that the downloads prove; None where they do not.

    A HEAD proves nothing, nor does a download beside a refusal, or beside answers
    that contradict each other, of what needs the same action.
    """
    walk, kinds = walked.walk, _BY_ACTION[action]
    done = next((s for s in walk.of(kinds[0]) if s.ok and s.status in _DOWNLOADED), None)
    if done is None or any(step.trouble in _REFUSED for step in walk.of(*kinds)):
        return None
    image = named(walk.wanted)
    registry = next((step.host for step in walk.of(Step.MANIFEST)), "")
    layers = "" if done.host == registry else f", its bytes from {done.host},"
    at = rfc3339(walked.at.replace(microsecond=0))
    return Permission(
        action,
        resource,
        Answer.ALLOWED,
        f"this machine downloaded a {done.step.value} of {image} from {registry}{layers} at {at} "
        "with the feed's own token",
        "probe",
        evidence={
            "downloaded": {
                "by": "this machine",
                "what": f"{done.step.value} {done.subject}",
                "image": image,
                "digest": walk.digest,
                "registry": registry,
                "host": done.host,
                "status": done.status,
                "at": at,
            }
        },
    )
