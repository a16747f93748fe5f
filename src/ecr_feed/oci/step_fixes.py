"""What to do about a step of a login or a walk that did not succeed. Pure."""

from __future__ import annotations

import re
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.oci.messages import named
from ecr_feed.oci.steps import FOREIGN_ANSWERS, PackageWalk, Step, StepResult, StepState

_ACTIONS: Final = {
    Step.TAGS: "ecr:ListImages",
    Step.HEAD: "ecr:BatchGetImage",
    Step.MANIFEST: "ecr:BatchGetImage",
    Step.PLATFORM: "ecr:BatchGetImage",
    Step.CONFIG: "ecr:GetDownloadUrlForLayer",
    Step.LAYER: "ecr:GetDownloadUrlForLayer",
}
_POLICY: Final = re.compile(
    r"no (?P<missing>[A-Za-z -]+?) policy allows|explicit deny in an? (?P<deny>[A-Za-z -]+?) policy"
)


def fix_of(step: StepResult, walk: PackageWalk) -> str | None:
    """The fix for a step at which a deployment would fail too, or at which something else answered.

    None for a step whose failure may be temporary.
    """
    if step.failure is None or step.state is not StepState.FAILED:
        return foreign_fix(step)
    if step.trouble is Trouble.DENIED:
        return _allow(step, step.failure, walk)
    if step.trouble in (Trouble.LOGIN_REFUSED, Trouble.EXPIRED, Trouble.SIGNATURE):
        return "Run again with a new token; if it fails again, see LOGIN-1."
    whole = f"push {named(walk.wanted)} again"
    return f"Look for a proxy or cache in front of {step.host} that changes answers; or {whole}."


def foreign_fix(step: StepResult) -> str | None:
    """The fix where answers contradict each other, or are not the registry's or its storage's."""
    if step.failure is None or step.host == "":
        return None
    if step.trouble is Trouble.CONTRADICTION:
        return f"Run again. If it stays, look for a proxy or cache in front of {step.host}."
    if step.failure.code in FOREIGN_ANSWERS:
        return f"Find out what answers for {step.host} here: a captive portal, proxy or cache."
    return None


def _allow(step: StepResult, failure: Failure, walk: PackageWalk) -> str:
    """Which policy has to allow which action."""
    action = _ACTIONS.get(step.step, "the action")
    found = _POLICY.search(failure.message)
    policy = "" if found is None else (found["missing"] or found["deny"]).strip()
    if policy.lower() == "vpc endpoint":
        return f"Allow {action} in the VPC endpoint's policy; the identity's is not the cause."
    if step.step in (Step.CONFIG, Step.LAYER) and step.host not in registries(walk):
        return (
            f"Allow s3:GetObject on the bucket of {step.host} in the S3 gateway endpoint's policy."
        )
    where = f"the {policy} policy" if policy else "the feed's own identity policy"
    return (
        f"Allow {action} on the repository {walk.wanted.repository} in {where}; where a statement "
        "there allows it under a condition, meet the condition instead."
    )


def registries(walk: PackageWalk) -> set[str]:
    """The hosts that answered for the manifest; layers may come from another one."""
    return {step.host for step in walk.of(Step.HEAD, Step.MANIFEST)}
