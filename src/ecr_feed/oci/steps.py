"""What a walk through a registry found, step by step, as frozen records without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.oci.manifests import Kind, Manifest
from ecr_feed.oci.platforms import Platform
from ecr_feed.text.times import ClockOffset


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


class State(StrEnum):
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
    state: State
    what: str
    subject: str = ""
    host: str = ""
    status: int | None = None
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """The step was made and holds."""
        return self.state is State.OK

    @property
    def trouble(self) -> Trouble | None:
        """The kind of failure, None for a step that holds."""
        return None if self.failure is None else self.failure.trouble

    @property
    def said(self) -> str:
        """One line for people: step, subject and what happened."""
        return f"{self.step.value}{f' {self.subject}' if self.subject else ''}: {self.what}"


@dataclass(frozen=True, slots=True)
class Touch:
    """One request as sent: evidence of what was touched. `path` is without query.

    `status` is None where no answer came; `trouble` then says why.
    """

    method: str
    host: str
    path: str
    status: int | None
    trouble: str = ""


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
class Wanted:
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

    wanted: Wanted
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
        if self.manifest is not None and self.manifest.kind is Kind.INDEX:
            named = [image.platform for image in self.manifest.images]
            found = [*named, *(found if self.manifest.unnamed else ())]
        return tuple(dict.fromkeys(platform for platform in found if platform is not None))
