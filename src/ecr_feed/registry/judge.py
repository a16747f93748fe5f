"""What a walk proves: each rule of LOGIN and PULL as one pure function over records.

A refusal that a deployment meets as well is *not met*; an answer that did not come, or a fault of
the service, is *not assessed*; what a walk that is not deep does not ask is *not applicable*.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from ecr_feed.facts import Failure, Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.naming import RegistryHost
from ecr_feed.registry import media
from ecr_feed.registry.manifests import Kind
from ecr_feed.registry.platforms import Platform, accepts
from ecr_feed.registry.steps import Login, PackageWalk, State, Step, StepResult

MET: Final = OutcomeWord.MET
NOT_MET: Final = OutcomeWord.NOT_MET
NOT_ASSESSED: Final = OutcomeWord.NOT_ASSESSED
NOT_APPLICABLE: Final = OutcomeWord.NOT_APPLICABLE
SHOWN: Final = 10  # names in a message; the evidence has them all

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule's word: `message` one sentence, `expected` and `found` to stand side by side.

    `fix` is None where nothing has to be done, `failure` is there where a call failed.
    """

    word: OutcomeWord
    message: str
    expected: str = ""
    found: str = ""
    fix: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None

    @property
    def holds(self) -> bool:
        """The rule was judged and holds."""
        return self.word is MET


def login_accepted(login: Login, region: str) -> Judgement:
    """The registry takes the feed's token."""
    step, expected = login.login, "the registry accepts the token"
    if step.ok:
        return Judgement(MET, f"{login.host} accepts the token.", expected, step.what)
    fix = (
        f"aws ecr get-login-password --region {region} | "
        f"docker login --username AWS --password-stdin {login.host}"
    )
    return _not_ok(step, f"{login.host} does not accept the token: {step.what}.", expected, fix)


def wrong_password_refused(login: Login) -> Judgement:
    """The registry refuses a password made up here: without this an accepted token says nothing."""
    step, expected = login.wrong_password, "a wrong password is refused"
    if step.ok:
        return Judgement(MET, f"{login.host} refuses a wrong password.", expected, step.what)
    message = f"{login.host} accepts any password, so that its accepting the token proves nothing."
    if step.state is State.NOT_ASSESSED:
        message = f"Whether {login.host} refuses a wrong password is not known: {step.what}."
    fix = f"Find out what answers for {login.host}: it is not Amazon ECR."
    return _not_ok(step, message, expected, fix)


def registry_of_token(endpoint: str, account: str | None, region: str) -> Judgement:
    """The token's registry is the feed's: its region, and its account if the feed names one."""
    host = RegistryHost.parse(endpoint)
    expected = f"{account or 'any account'} in {region}"
    if not host.ok:
        found = "; ".join(host.problems)
        message = f"The token is for {host.host!r}, which is no ECR registry."
        return Judgement(NOT_MET, message, expected, found, _ENDPOINT_FIX)
    found = f"{host.account} in {host.region}"
    if host.region == region and account in (None, host.account):
        return Judgement(MET, f"The token is for {host.host}.", expected, found)
    message = (
        f"The token is for {found}, the feed for {expected}: deployments pull from the token's."
    )
    return Judgement(NOT_MET, message, expected, found, _ENDPOINT_FIX)


_ENDPOINT_FIX: Final = "Use credentials of the feed's own account, and the region of its registry."


def tag_resolves(walk: PackageWalk) -> Judgement:
    """The registry knows the tag by name."""
    tag, name = walk.wanted.tag, walk.wanted.repository
    if tag is None:
        return Judgement(NOT_APPLICABLE, f"No tag of {name} is there to be asked for.")
    head = next(iter(walk.of(Step.HEAD)), None)
    if head is None:
        return _unasked(walk, f"whether {name}:{tag} resolves")
    expected = f"{name}:{tag} resolves"
    if head.ok:
        evidence = {"digest": walk.digest, "media_type": walk.media_type}
        return Judgement(MET, f"{expected}.", expected, head.what, evidence=evidence)
    if head.trouble is Trouble.NOT_FOUND:
        has = _named(walk.tags or ())
        fix = f"Push {name}:{tag}, or deploy a tag that is there: {has}."
        return _not_ok(head, f"The registry has no {name}:{tag}.", expected, fix)
    return _not_ok(
        head, f"{name}:{tag} does not resolve: {head.what}.", expected, _allow(head, walk)
    )


def media_type_usable(walk: PackageWalk) -> Judgement:
    """Octopus and a worker's Docker can use what the tag names."""
    name, found = f"{walk.wanted.repository}:{walk.wanted.tag}", walk.media_type
    if not any(step.ok for step in walk.of(Step.HEAD)):
        return _unasked(walk, f"which type {name} has")
    expected = "an image, or an index of images, of Docker's schema 2 or of OCI"
    manifest = walk.image or walk.manifest
    fix = f"Build and push {name} again with a current Docker or buildx."
    if found in media.SCHEMA_1:
        message = f"{name} is an image of schema 1, which Docker does not pull since version 26."
        return Judgement(NOT_MET, message, expected, found, fix)
    if manifest is not None and manifest.kind is Kind.ARTIFACT:
        what = manifest.artifact_type or "an artifact of no type"
        message = f"{name} is no container image: {what}."
        return Judgement(NOT_MET, message, expected, what, "Deploy a tag that names an image.")
    if found not in media.IMAGES | media.INDEXES:
        what = found or "no media type"
        return Judgement(
            NOT_ASSESSED, f"{name} has {what}: nothing is known of it.", expected, what
        )
    note: dict[str, object] = {}
    if found == media.OCI_INDEX:
        note["note"] = "ECR answers MANIFEST_UNKNOWN to an old server that asks for schema 2 alone."
    return Judgement(MET, f"{name} is {found}.", expected, found, evidence=note)


def platform_available(walk: PackageWalk) -> Judgement:
    """The tag has an image for the platform that the feed names."""
    name, wanted = f"{walk.wanted.repository}:{walk.wanted.tag}", walk.wanted.platform
    if wanted is None:
        return Judgement(NOT_APPLICABLE, "The feeds file names no platform for this package.")
    if not walk.deep:
        return _shallow("platforms")
    expected, has = str(wanted), walk.platforms
    found = _named([str(platform) for platform in has]) if has else "no platform"
    index = walk.manifest is not None and walk.manifest.kind is Kind.INDEX
    fits = any(accepts(wanted, platform) for platform in has)
    if fits and index and _other_machine(wanted, walk.platform):
        found = f"{found}, and the image so named is for {walk.platform}"
    elif fits:
        return Judgement(MET, f"{name} has an image for {wanted}.", expected, found)
    # An index whose image names no platform leaves it to the config.
    if has or (index and walk.manifest is not None and not walk.manifest.unnamed):
        fix = f"docker buildx build --platform {wanted} --push ..."
        message = f"{name} has no image for {wanted}, only {found}."
        return Judgement(NOT_MET, message, expected, found, fix)
    if walk.broken is not None:
        return _unasked(walk, f"the platforms of {name}")
    return Judgement(NOT_ASSESSED, f"The config of {name} names no platform.", expected, found)


def _other_machine(wanted: Platform, image: Platform | None) -> bool:
    """An image's config names another machine than the index does; variants are often left out."""
    if image is None:
        return False
    one, other = wanted.normalised(), image.normalised()
    return (one.os, one.architecture) != (other.os, other.architecture)


def manifest_readable(walk: PackageWalk) -> Judgement:
    """The manifest comes whole, has its digest, and leads to an image."""
    name = f"{walk.wanted.repository}:{walk.wanted.tag}"
    if not walk.deep:
        return _shallow("manifests")
    steps = walk.of(Step.MANIFEST, Step.PLATFORM)
    if not steps:
        return _unasked(walk, f"the manifest of {name}")
    expected = "a manifest whose bytes have its digest"
    # That no image fits the platform is another rule's.
    bad = next((s for s in steps if not s.ok and s.failure and s.failure.code != "PLATFORM"), None)
    if bad is None:
        return Judgement(MET, f"The manifest of {name} is readable.", expected, steps[-1].what)
    message = f"The manifest of {name} cannot be pulled: {bad.what}."
    return _not_ok(bad, message, expected, _allow(bad, walk))


def layers_reachable(walk: PackageWalk, region: str) -> Judgement:
    """Config and every layer answer from where the registry sends a puller."""
    name = f"{walk.wanted.repository}:{walk.wanted.tag}"
    if not walk.deep:
        return _shallow("layers")
    steps = [
        step
        for step in walk.of(Step.CONFIG, Step.LAYER)
        if step.failure is None or step.failure.code != "ARTIFACT"
    ]
    if not steps:
        return _unasked(walk, f"the layers of {name}")
    expected = "config and layers download"
    hosts = ", ".join(dict.fromkeys(step.host for step in steps if step.ok and step.host))
    bad = next((step for step in steps if not step.ok), None)
    if bad is None:
        found = f"{len(steps)} answers from {hosts}"
        return Judgement(MET, f"Config and layers of {name} answer.", expected, found)
    message = f"Layers of {name} do not download: {bad.said}."
    if bad.trouble is not None and bad.trouble.unreachable and not RegistryHost.parse(bad.host).ok:
        # This rule is about the storage: its silence is an answer. The registry's is REACH's.
        fix = (
            f"Let workers reach {bad.host}:443, directly, through the proxy, or by an S3 gateway "
            f"endpoint (com.amazonaws.{region}.s3) whose policy allows the bucket."
        )
        return Judgement(
            NOT_MET, message, expected, f"{bad.host}: {bad.what}", fix, failure=bad.failure
        )
    return _not_ok(bad, message, expected, _allow(bad, walk))


def views_agree(walk: PackageWalk, api_tags: Collection[str]) -> Judgement:
    """The registry lists the tags that the API lists (of active images)."""
    name = walk.wanted.repository
    if walk.tags is None:
        step = next(iter(walk.of(Step.TAGS)), None)
        if step is None:
            return _unasked(walk, f"the tags of {name}")
        message = f"The registry does not list the tags of {name}: {step.what}."
        return _not_ok(step, message, "both list the same tags", _allow(step, walk))
    api, registry = set(api_tags), set(walk.tags)
    missing, more = sorted(api - registry), sorted(registry - api)
    expected, found = f"{len(api)} tags, as the API has them", f"{len(registry)} tags"
    if not missing and not more:
        return Judgement(MET, f"API and registry list the same tags of {name}.", expected, found)
    parts = [f"only the API has {_named(missing)}"] if missing else []
    parts += [f"only the registry has {_named(more)}"] if more else []
    return Judgement(
        NOT_MET,
        f"API and registry differ about {name}: {'; '.join(parts)}.",
        expected,
        found,
        "Run again: a push between the two reads looks like this. If it stays, ask AWS support.",
        {"only_api": missing, "only_registry": more},
    )


def _not_ok(step: StepResult, message: str, expected: str, fix: str | None) -> Judgement:
    word = NOT_MET if step.state is State.FAILED else NOT_ASSESSED
    evidence: dict[str, object] = {
        "step": step.step.value,
        "host": step.host,
        "status": step.status,
    }
    return Judgement(word, message, expected, step.what, fix, evidence, step.failure)


def _unasked(walk: PackageWalk, what: str) -> Judgement:
    """An earlier step is the cause: it is named, and its failure kept."""
    because = walk.broken
    head = next(iter(walk.of(Step.HEAD)), None)
    if walk.wanted.tag is None or (head is not None and head.trouble is Trouble.NOT_FOUND):
        tag = walk.wanted.tag or "tag to be asked for"
        return Judgement(NOT_APPLICABLE, f"{walk.wanted.repository} has no {tag}.")
    said = because.said if because is not None else "the walk ended before"
    failure = None if because is None else because.failure
    return Judgement(NOT_ASSESSED, f"It is not known {what}: {said}.", failure=failure)


def _shallow(what: str) -> Judgement:
    """Reading a manifest counts as a pull: that is done only where it was asked for."""
    return Judgement(
        NOT_APPLICABLE,
        f"{what.capitalize()} are read only in a deep walk (deep = true, or --deep).",
    )


def _allow(step: StepResult, walk: PackageWalk) -> str | None:
    """Whose policy has to allow what, for a denial; None where there is nothing to allow."""
    if step.trouble is not Trouble.DENIED or step.failure is None:
        return None
    action = _ACTIONS.get(step.step, "the action")
    found = _POLICY.search(step.failure.message)
    policy = "" if found is None else (found["missing"] or found["deny"]).strip()
    if policy.lower() == "vpc endpoint":
        return f"Allow {action} in the policy of the VPC endpoint: the identity's is not the cause."
    where = f"the {policy} policy" if policy else "the feed's own identity policy"
    return f"Allow {action} on the repository {walk.wanted.repository} in {where}."


def _named(names: Collection[str]) -> str:
    """A few names, and how many more there are."""
    shown = list(names)[:SHOWN]
    more = len(names) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more else "")
