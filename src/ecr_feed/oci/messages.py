"""How messages name images, causes and lists of names. Pure."""

from __future__ import annotations

import re
from typing import Final

from ecr_feed.facts.aws import Trouble
from ecr_feed.naming import RegistryHost
from ecr_feed.oci.steps import PackageWalk, Step, StepResult, WantedImage

_DIGEST: Final = re.compile(r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b")
_STEPS: Final = "|".join(sorted((step.value for step in Step), key=len, reverse=True))
_NOT_ASKED: Final = re.compile(rf"not asked, because (?:{_STEPS})(?: \S+)?: ")
_RULES: Final = {
    Step.CHALLENGE.value: "LOGIN-1",
    Step.LOGIN.value: "LOGIN-1",
    Step.HEAD.value: "PULL-1",
    Step.MANIFEST.value: "PULL-4",
    Step.PLATFORM.value: "PULL-4",
    Step.CONFIG.value: "PULL-5",
    Step.LAYER.value: "PULL-5",
}
"""Which rule judges a step, by the operation that its failure names."""


def named(wanted: WantedImage) -> str:
    """`team/app:1.4.2`, or `team/app@sha256:0123456789ab…` where it was asked for by digest."""
    mark = "@" if (wanted.tag or "").startswith("sha256:") else ":"
    return short(f"{wanted.repository}{mark}{wanted.tag}")


def short(text: str) -> str:
    """The text with each digest cut to its first 12 digits."""
    return _DIGEST.sub("\\1\N{HORIZONTAL ELLIPSIS}", text)


def sentence(text: str) -> str:
    """The text as one sentence, with one full stop at its end."""
    return f"{short(text).rstrip('. ')}."


def said(step: StepResult) -> str:
    """What happened at the step, or at the earlier step that kept it from being made."""
    return short(_NOT_ASKED.sub("", step.what))


def cause(walk: PackageWalk) -> StepResult | None:
    """The step that kept later ones from being made; a failed list of tags only if alone."""
    broken = [step for step in walk.steps if not step.ok]
    return next((step for step in broken if step.step is not Step.TAGS), next(iter(broken), None))


def because(step: StepResult, own: str = "") -> str:
    """Why something is not known, and the rule that reports it, unless that is `own`.

    Where the registry cannot be reached at all, that rule is REACH-2.
    """
    failure = step.failure
    if failure is None:
        return said(step)
    silent = failure.trouble.unreachable and RegistryHost.parse(failure.host).ok
    rule = "REACH-2" if silent else _RULES.get(failure.operation, own)
    if rule == own:
        return said(step)
    # Its own rule shows every answer.
    contradicted = failure.trouble is Trouble.CONTRADICTION
    return f"{failure.trouble.value if contradicted else said(step)} ({rule})"
