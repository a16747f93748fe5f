"""The LOGIN and PULL rules: each a pure function over what the registry answered.

A refusal that a deployment would meet too is *not met*; a missing answer, or a fault of the
service, is *not assessed*; what only a deep walk reads is *not applicable* in any other walk.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from ecr_feed.facts.aws import Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.naming import RegistryHost
from ecr_feed.oci import manifests
from ecr_feed.oci.manifests import ManifestKind
from ecr_feed.oci.messages import because, cause, named, said, sentence, short
from ecr_feed.oci.platforms import Platform, accepts
from ecr_feed.oci.step_fixes import fix_of, foreign_fix, registries
from ecr_feed.oci.steps import (
    Login,
    PackageWalk,
    Step,
    StepResult,
    StepState,
)
from ecr_feed.outcomes import Judgement
from ecr_feed.text.words import few, many

MET: Final = OutcomeWord.MET
NOT_MET: Final = OutcomeWord.NOT_MET
NOT_ASSESSED: Final = OutcomeWord.NOT_ASSESSED
NOT_APPLICABLE: Final = OutcomeWord.NOT_APPLICABLE

_SAME_TAGS: Final = "both list the same tags"


def login_accepted(login: Login, region: str) -> Judgement:
    """The registry accepts the feed's token."""
    step, expected = login.login, "the registry accepts the token"
    if step.ok:
        return Judgement(MET, f"{login.host} accepts the token.", expected, step.what)
    fix = (
        f"aws ecr get-login-password --region {region} | "
        f"docker login --username AWS --password-stdin {login.host}"
    )
    message = f"{login.host} does not accept the token: {said(step)}"
    if step.state is StepState.NOT_ASSESSED:
        why = because(step, own="LOGIN-1")
        message = f"Could not determine whether {login.host} accepts the token: {why}"
        fix = foreign_fix(step) or fix
    return _not_ok(step, message, expected, fix)


def wrong_password_refused(login: Login) -> Judgement:
    """The registry refuses an invented password; else an accepted token proves nothing."""
    step, expected = login.wrong_password, "a wrong password is refused"
    if step.ok:
        return Judgement(MET, f"{login.host} refuses a wrong password.", expected, step.what)
    message = f"{login.host} accepts any password, so an accepted token proves nothing"
    if step.state is StepState.NOT_ASSESSED:
        why = because(step)
        message = f"Could not determine whether {login.host} refuses a wrong password: {why}"
    fix = foreign_fix(step) or f"Find out what answers for {login.host}: it is not Amazon ECR."
    return _not_ok(step, message, expected, fix)


def tag_resolves(walk: PackageWalk) -> Judgement:
    """The registry has the tag."""
    name = named(walk.wanted)
    if walk.wanted.tag is None:
        there = f"{walk.wanted.repository} has no tag to look up."
        return Judgement(NOT_APPLICABLE, there)
    head = next(iter(walk.of(Step.HEAD)), None)
    expected = f"{name} resolves"
    if head is None:
        return _unasked(walk, f"whether {expected}")
    if head.ok:
        evidence = {"digest": walk.digest, "media_type": walk.media_type}
        return Judgement(MET, f"{expected}.", expected, head.what, evidence=evidence)
    if head.trouble is Trouble.NOT_FOUND:
        fix = f"Push {name}, or deploy a tag that exists: {few(walk.tags or ())}."
        return _not_ok(head, f"The registry has no {name}", expected, fix)
    message = f"{name} does not resolve: {said(head)}"
    if head.state is StepState.NOT_ASSESSED:
        message = f"Could not determine whether {expected}: {said(head)}"
    return _not_ok(head, message, expected, fix_of(head, walk))


def media_type_usable(walk: PackageWalk) -> Judgement:
    """The tag is an image that Octopus and a worker's Docker can use."""
    name, found = named(walk.wanted), walk.media_type
    if not any(step.ok for step in walk.of(Step.HEAD)):
        return _unasked(walk, f"which type {name} has")
    expected = "an image or an image index, Docker schema 2 or OCI"
    manifest = walk.image or walk.manifest
    fix = f"Build and push {name} again with a current Docker or buildx."
    if found in manifests.SCHEMA_1:
        message = f"{name} is a schema 1 image, which Docker does not pull since version 26."
        return Judgement(NOT_MET, message, expected, found, fix)
    if manifest is not None and _is_artifact(walk):
        what = manifest.artifact_type or "an artifact without a type"
        message = f"{name} is not a container image: {what}."
        return Judgement(NOT_MET, message, expected, what, "Deploy a tag that is an image.")
    if found not in manifests.IMAGES | manifests.INDEXES:
        what = found or "no media type"
        return Judgement(NOT_ASSESSED, f"Unknown media type of {name}: {what}.", expected, what)
    note: dict[str, object] = {}
    if found == manifests.OCI_INDEX:
        note["note"] = "ECR answers MANIFEST_UNKNOWN to an old server that accepts only schema 2."
    return Judgement(MET, f"{name} is {found}.", expected, found, evidence=note)


def platform_available(walk: PackageWalk) -> Judgement:
    """The tag has an image for the platform that the feed names."""
    name, wanted = named(walk.wanted), walk.wanted.platform
    if wanted is None:
        return Judgement(NOT_APPLICABLE, "The feeds file names no platform for this package.")
    if not walk.deep:
        return _shallow("platforms")
    if _is_artifact(walk):
        return Judgement(NOT_APPLICABLE, f"{name} is not a container image (PULL-2).")
    expected, has = str(wanted), walk.platforms
    found = few([str(platform) for platform in has]) if has else "no platform"
    index = walk.manifest is not None and walk.manifest.kind is ManifestKind.INDEX
    fits = any(accepts(wanted, platform) for platform in has)
    if fits and index and _other_machine(wanted, walk.platform):
        found = f"{found}, but the image listed for it is for {walk.platform}"
    elif fits:
        return Judgement(MET, f"{name} has an image for {wanted}.", expected, found)
    # Where the index names no platform, the image's config does.
    if has or (index and walk.manifest is not None and not walk.manifest.unnamed):
        fix = f"docker buildx build --platform {wanted} --push ..."
        message = f"{name} has no image for {wanted}, only {found}."
        return Judgement(NOT_MET, message, expected, found, fix)
    if cause(walk) is not None:
        return _unasked(walk, f"which platforms {name} has")
    return Judgement(NOT_ASSESSED, f"The config of {name} names no platform.", expected, found)


def _is_artifact(walk: PackageWalk) -> bool:
    manifest = walk.image or walk.manifest
    return manifest is not None and manifest.kind is ManifestKind.ARTIFACT


def _other_machine(wanted: Platform, image: Platform | None) -> bool:
    """An image's config names another platform than the index; variants are often left out."""
    if image is None:
        return False
    one, other = wanted.normalised(), image.normalised()
    return (one.os, one.architecture) != (other.os, other.architecture)


def manifest_readable(walk: PackageWalk) -> Judgement:
    """The manifest is complete, matches its digest, and leads to an image."""
    name = named(walk.wanted)
    if not walk.deep:
        return _shallow("manifests")
    steps = walk.of(Step.MANIFEST, Step.PLATFORM)
    if not steps:
        return _unasked(walk, f"whether the manifest of {name} can be pulled")
    expected = "a manifest that matches its digest and leads to an image"
    bad = next((step for step in steps if not step.ok), None)
    unverified = next((step for step in steps if step.ok and not step.verified), None)
    if bad is None or _no_platform(bad, walk):
        if unverified is not None:
            return _unverified(name, unverified, expected)
        read = "; ".join(step.what for step in steps if step.ok)
        message, got = f"The manifest of {name} is readable.", _downloaded(steps)
        return Judgement(MET, message, expected, read, evidence=got)
    message = f"The manifest of {name} cannot be pulled: {said(bad)}"
    if bad.state is StepState.NOT_ASSESSED:
        message = f"Could not determine whether the manifest of {name} can be pulled: {said(bad)}"
    return _not_ok(bad, message, expected, fix_of(bad, walk))


def _unverified(name: str, step: StepResult, expected: str) -> Judgement:
    """A manifest was read by tag, and neither HEAD nor GET named its digest."""
    message = (
        f"The manifest of {name} was read, and there is no digest to compare it with: neither HEAD "
        f"nor GET of the tag at {step.host} named one."
    )
    fix = f"Look for a proxy that removes the header Docker-Content-Digest of {step.host}."
    found = f"{step.what}, digest not verified"
    return Judgement(NOT_ASSESSED, message, expected, found, fix)


def _no_platform(step: StepResult, walk: PackageWalk) -> bool:
    """No image fits the platform, and PULL-3 reports it."""
    missing = step.failure is not None and step.failure.code == "PLATFORM"
    return missing and platform_available(walk).outcome is NOT_MET


def layers_reachable(walk: PackageWalk, region: str) -> Judgement:
    """Config and every layer can be downloaded from where the registry redirects."""
    name = named(walk.wanted)
    if not walk.deep:
        return _shallow("layers")
    if _is_artifact(walk):
        return Judgement(NOT_APPLICABLE, f"{name} is not a container image (PULL-2).")
    steps = walk.of(Step.CONFIG, Step.LAYER)
    if not steps:
        return _without_image(walk) or _unasked(walk, f"whether the layers of {name} download")
    expected = "config and layers download"
    hosts = ", ".join(dict.fromkeys(step.host for step in steps if step.ok and step.host))
    bad = next((step for step in steps if not step.ok), None)
    if bad is None:
        found = f"{len(steps)} answers from {hosts}"
        message, got = f"Config and layers of {name} can be downloaded.", _downloaded(steps)
        return Judgement(MET, message, expected, found, evidence=got)
    message = f"Layers of {name} do not download: {bad.step} {bad.subject}: {said(bad)}"
    if bad.state is StepState.NOT_ASSESSED:
        message = f"Could not determine whether the layers of {name} download: {said(bad)}"
    storage = bad.host not in registries(walk) and not RegistryHost.parse(bad.host).ok
    if bad.trouble is not None and bad.trouble.unreachable and storage:
        # An unreachable layer storage is *not met* here; an unreachable registry is REACH-2's.
        fix = (
            f"Let workers reach {bad.host}:443, directly, through the proxy, or by an S3 gateway "
            f"endpoint (com.amazonaws.{region}.s3) whose policy allows the bucket."
        )
        silent = f"Layers of {name} do not download: {bad.host}: {said(bad)}."
        found = f"{bad.host}: {said(bad)}"
        return Judgement(NOT_MET, silent, expected, found, fix, failure=bad.failure)
    return _not_ok(bad, message, expected, fix_of(bad, walk))


def _downloaded(steps: Sequence[StepResult]) -> dict[str, object]:
    """Evidence: each download, its host, and how many bytes came."""
    downloads = [
        {
            "what": f"{step.step.value} {step.subject}",
            "host": step.host,
            "status": step.status,
            "bytes": step.received,
            "digest_verified": step.verified,
        }
        for step in steps
        if step.ok
    ]
    return {"downloads": downloads}


def _without_image(walk: PackageWalk) -> Judgement | None:
    """No image fits the platform, so there are no layers to download."""
    bad = cause(walk)
    if bad is None or not _no_platform(bad, walk):
        return None
    what = f"{named(walk.wanted)} has no image for {walk.wanted.platform} (PULL-3)."
    return Judgement(NOT_APPLICABLE, what)


def views_agree(
    walk: PackageWalk, api_tags: Collection[str], *, uncompared: Collection[str] = ()
) -> Judgement:
    """The registry lists the tags that the API lists (of active images), but for `uncompared`."""
    name = walk.wanted.repository
    if walk.tags is None:
        step = next(iter(walk.of(Step.TAGS)), None)
        if step is None:
            return _unasked(walk, f"which tags of {name} the registry lists")
        message = f"The registry does not list the tags of {name}: {because(step)}"
        return _not_ok(step, message, _SAME_TAGS, fix_of(step, walk))
    api, registry = set(api_tags) - set(uncompared), set(walk.tags) - set(uncompared)
    missing, more = sorted(api - registry), sorted(registry - api)
    left_out = sorted(set(uncompared) & (set(api_tags) | set(walk.tags)))
    note: dict[str, object] = {"not_compared": left_out} if left_out else {}
    if not missing and not more:
        message = f"API and registry list the same tags of {name}."
        found = f"{_SAME_TAGS}: {many(len(api), 'tag')}"
        return Judgement(MET, message, _SAME_TAGS, found, evidence=note)
    parts = [f"only the API has {few(missing)}"] if missing else []
    parts += [f"only the registry has {few(more)}"] if more else []
    return Judgement(
        NOT_MET,
        f"API and registry list different tags of {name}: {'; '.join(parts)}.",
        _SAME_TAGS,
        "; ".join(parts),
        "Run again: a push between the two reads causes this too. If it stays, look for a cache.",
        {"only_api": missing, "only_registry": more, **note},
    )


def _not_ok(step: StepResult, message: str, expected: str, fix: str | None) -> Judgement:
    outcome = NOT_MET if step.state is StepState.FAILED else NOT_ASSESSED
    evidence: dict[str, object] = {
        "step": step.step.value,
        "subject": step.subject,
        "host": step.host,
        "status": step.status,
    }
    if step.answers:
        evidence["answers"] = list(step.answers)
    return Judgement(outcome, sentence(message), expected, said(step), fix, evidence, step.failure)


def _unasked(walk: PackageWalk, what: str) -> Judgement:
    """Not asked because an earlier step failed: the message names it and keeps its failure."""
    head = next(iter(walk.of(Step.HEAD)), None)
    if walk.wanted.tag is None or (head is not None and head.trouble is Trouble.NOT_FOUND):
        tag = short(walk.wanted.tag or "tag to look up")
        return Judgement(NOT_APPLICABLE, f"{walk.wanted.repository} has no {tag}.")
    bad = cause(walk)
    why = because(bad) if bad is not None else "the walk ended earlier"
    failure = None if bad is None else bad.failure
    return Judgement(NOT_ASSESSED, sentence(f"Could not determine {what}: {why}"), failure=failure)


def _shallow(what: str) -> Judgement:
    """Reading a manifest counts as a pull, so it is done only on request."""
    return Judgement(
        NOT_APPLICABLE,
        f"{what.capitalize()} are read only with deep = true or --deep.",
    )
