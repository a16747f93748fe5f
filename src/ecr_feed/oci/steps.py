"""What a walk through a registry found, step by step, as frozen records without secrets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.oci.manifests import Manifest, ManifestKind
from ecr_feed.oci.platforms import Platform
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.transport import RegistryError
from ecr_feed.text.times import ClockOffset

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


class Step(StrEnum):
    """One thing that `docker login` or `docker pull` does."""

    CHALLENGE = "challenge"  # GET /v2/ without a login
    LOGIN = "login"  # GET /v2/ with the token
    WRONG_PASSWORD = "wrong password"
    TAGS = "tags"
    HEAD = "manifest head"
    MANIFEST = "manifest"
    PLATFORM = "platform manifest"
    CONFIG = "config"
    LAYER = "layer"


class StepState(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"  # the registry answered, and so that a deployment fails here
    NOT_ASSESSED = (
        "not assessed"  # no answer, a fault of the service, or an earlier step is missing
    )


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: `subject` is a tag or digest, `host` who answered last (the layer storage, say).

    `status` is None where no HTTP answer came; `failure` is there unless the state is OK.
    """

    step: Step
    state: StepState
    what: str
    subject: str = ""
    host: str = ""
    status: int | None = None
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """The step was made and holds."""
        return self.state is StepState.OK

    @property
    def trouble(self) -> Trouble | None:
        """The kind of failure, None for a step that holds."""
        return None if self.failure is None else self.failure.trouble

    @property
    def summary(self) -> str:
        """One line for people: step, subject and what happened."""
        return f"{self.step.value}{f' {self.subject}' if self.subject else ''}: {self.what}"


def step_succeeded(
    step: Step, what: str, *, subject: str = "", host: str = "", status: int | None = None
) -> StepResult:
    """A step that was made and holds."""
    return StepResult(step, StepState.OK, what, subject, host, status)


def step_failed_with(step: Step, subject: str, error: RegistryError) -> StepResult:
    """A step without a good answer: failed if a deployment fails there too, else not assessed."""
    return step_failed(step, error.cause, subject=subject, host=error.host, status=error.status)


def step_failed(
    step: Step,
    cause: FailureReason,
    *,
    subject: str = "",
    host: str = "",
    status: int | None = None,
) -> StepResult:
    """A step that does not hold, for a known cause."""
    fails = cause.trouble in REFUSALS or cause.code in _BROKEN
    said = cause.message or cause.trouble.value
    told = cause.code not in ("", said) and cause.code not in _OURS
    what = f"{cause.code}: {said}" if told else said
    failure = Failure(
        cause.trouble, "registry", step.value, "", code=cause.code, message=cause.message, host=host
    )
    state = StepState.FAILED if fails else StepState.NOT_ASSESSED
    return StepResult(step, state, what, subject, host, status, failure)


def step_not_made(earlier: StepResult, step: Step, subject: str = "") -> StepResult:
    """A step that was not made because an earlier one does not hold; keeps that one's failure."""
    what = f"not asked, because {earlier.summary}"
    return replace(earlier, step=step, state=StepState.NOT_ASSESSED, what=what, subject=subject)


@dataclass(frozen=True, slots=True)
class Login:
    """`docker login`: what the registry asks of strangers, of the token, of a wrong password.

    `clock` is this machine's time against the registry's, None where no answer carried one.
    """

    host: str
    challenge: StepResult
    login: StepResult
    wrong_password: StepResult
    clock: ClockOffset | None = None

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """The three steps in order."""
        return (self.challenge, self.login, self.wrong_password)

    @property
    def ok(self) -> bool:
        """The token opens the registry."""
        return self.login.ok


@dataclass(frozen=True, slots=True)
class WantedImage:
    """One image to walk to: a tag (or digest) of a repository, and for which platform.

    `tag` None walks to the tags list only. `platform` None takes linux/amd64 where an index has it,
    else the index's first image.
    """

    repository: str
    tag: str | None = None
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class PackageWalk:
    """The walk to one image. What a walk that is not deep cannot know is None or empty.

    `tags` as the registry lists them, None where it did not; `media_type` and `digest` of the tag;
    `manifest` what the tag names, `image` what a worker pulls (the same unless that is an index);
    `platform` the image's own; `requests` how many were sent.
    """

    wanted: WantedImage
    deep: bool
    steps: tuple[StepResult, ...]
    tags: tuple[str, ...] | None = None
    media_type: str = ""
    digest: str = ""
    manifest: Manifest | None = None
    image: Manifest | None = None
    platform: Platform | None = None
    requests: int = 0

    @property
    def ok(self) -> bool:
        """Every step was made and holds."""
        return all(step.ok for step in self.steps)

    @property
    def broken(self) -> StepResult | None:
        """The first step that does not hold."""
        return next((step for step in self.steps if not step.ok), None)

    def of(self, *steps: Step) -> tuple[StepResult, ...]:
        """The results of these kinds of step, in order."""
        return tuple(result for result in self.steps if result.step in steps)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms that the tag has images for, attestations left out."""
        found = [self.platform]
        if self.manifest is not None and self.manifest.kind is ManifestKind.INDEX:
            named = [image.platform for image in self.manifest.images]
            found = [*named, *(found if self.manifest.unnamed else ())]
        return tuple(dict.fromkeys(platform for platform in found if platform is not None))
