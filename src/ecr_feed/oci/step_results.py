"""How an answer, or its absence, becomes the result of a step."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.oci.errors import Cause
from ecr_feed.oci.steps import State, Step, StepResult
from ecr_feed.oci.transport import RegistryError

# Answers that a deployment gets in the same way; all others may be this moment's or this machine's.
REFUSALS: Final = frozenset(
    {
        Trouble.LOGIN_REFUSED,
        Trouble.EXPIRED,
        Trouble.DENIED,
        Trouble.NOT_FOUND,
        Trouble.SIGNATURE,
    }
)
# Our own codes for content that is broken for everyone.
_BROKEN: Final = frozenset(
    {"DIGEST", "SIZE", "MANIFEST", "REDIRECT", "CONFIG", "PLATFORM", "ARTIFACT", "ACCEPTED"}
)
# Codes that are ours alone: people are told the words, programs the code.
_OURS: Final = _BROKEN | {"CHALLENGE", "FOREIGN", "LINK", "TAGS", "UNREADABLE"}


def held(
    step: Step, what: str, *, subject: str = "", host: str = "", status: int | None = None
) -> StepResult:
    """A step that was made and holds."""
    return StepResult(step, State.OK, what, subject, host, status)


def ended(step: Step, subject: str, error: RegistryError) -> StepResult:
    """A step without a good answer: failed if a deployment fails there too, else not assessed."""
    return broken(step, error.cause, subject=subject, host=error.host, status=error.status)


def broken(
    step: Step, cause: Cause, *, subject: str = "", host: str = "", status: int | None = None
) -> StepResult:
    """A step that does not hold, for a known cause."""
    fails = cause.trouble in REFUSALS or cause.code in _BROKEN
    said = cause.message or cause.trouble.value
    told = cause.code not in ("", said) and cause.code not in _OURS
    what = f"{cause.code}: {said}" if told else said
    failure = Failure(
        cause.trouble, "registry", step.value, "", code=cause.code, message=cause.message, host=host
    )
    state = State.FAILED if fails else State.NOT_ASSESSED
    return StepResult(step, state, what, subject, host, status, failure)


def after(earlier: StepResult, step: Step, subject: str = "") -> StepResult:
    """A step that was not made because an earlier one does not hold; keeps that one's failure."""
    what = f"not asked, because {earlier.said}"
    return replace(earlier, step=step, state=State.NOT_ASSESSED, what=what, subject=subject)
