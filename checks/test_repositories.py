"""Each package ID has a repository of exactly that name, which holds a tagged image."""

from __future__ import annotations

from ecr_feed.aws.account import Account
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.check import CRITICAL, MEDIUM, check
from ecr_feed.config import Feed
from ecr_feed.facts.aws import Repository
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.feed.missing import Creation, MissingElsewhere
from ecr_feed.naming import NameProblem, judge_name, other_registry
from ecr_feed.outcomes import expect, not_applicable, not_assessed, note
from ecr_feed.text.words import many

_CREATE = "aws ecr create-repository --repository-name {package!q} --region {feed.region!q}"
_STATUSES = {"ACTIVE", "ARCHIVED", "ACTIVATING"}
_NAMES = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"


def _in_plan(plan: PlanFacts, region: str, package: str | None) -> str | None:
    if not plan.repositories:
        return "The plan says nothing of repositories."
    known = package is not None and plan.states(region, package)
    return None if known else f"The plan says nothing of a repository of this name in {region}."


@check(
    id="REPO-1",
    severity=CRITICAL,
    title="Each package ID has a repository in the feed's region",
    why="Octopus finds a package by exact repository name. A push to a missing repository fails, "
    "unless a rule creates the repository.",
    fix=_CREATE,
    reads=(
        "ecr:DescribeRepositories",
        "ecr:DescribePullThroughCacheRules",
        "ecr:DescribeRepositoryCreationTemplates",
    ),
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html",),
    in_plan=_in_plan,
)
def test_repository_exists(
    feed: Feed, package: str, inventory: Inventory, elsewhere: MissingElsewhere, creation: Creation
) -> None:
    if not judge_name(package).legal:
        not_applicable("No repository can have this name (REPO-2).")
    repository = inventory.repository(package)
    if repository is None:
        note(near=list(inventory.near(package)), **elsewhere.evidence(package))
        if registry := other_registry(package):
            note(hint=f"{registry} is another registry: its images need their own feed")
    expect(
        repository is not None,
        f"Package ID {package!r} has no repository in {feed.region}.",
        expected=f"a repository named {package}",
        found=repository.arn if repository else elsewhere.found(package, inventory),
        fix=None if repository else _fix(package, elsewhere, creation),
    )


def _fix(package: str, elsewhere: MissingElsewhere, creation: Creation) -> str | None:
    if regions := elsewhere.regions(package):
        return f"Set the feed's region to {regions[0]}, or create it in the feed's region too."
    return creation.fix(package, _CREATE)


@check(
    id="REPO-2",
    severity=CRITICAL,
    title="Each package ID is a legal repository name",
    why="Octopus uses the package ID as the exact repository name.",
    fix="Use a package ID of lower-case letters and digits, separated by . _ __ - or /.",
    reads=(),
    refs=(_NAMES,),
)
def test_package_id_is_a_legal_name(feed: Feed, package: str) -> None:
    name = judge_name(package)
    if name.kind is NameProblem.VARIABLE:
        not_assessed(f"Package ID {package!r}: {name.problem}.")
    expect(
        name.legal,
        f"Package ID {package!r} is not a legal repository name: {name.problem}.",
        expected=name.proposal or "a legal repository name",
        found=package,
        fix=f"Use the package ID {name.proposal}" if name.proposal else None,
    )


@check(
    id="REPO-3",
    severity=MEDIUM,
    title="Each repository holds a tagged image",
    why="Octopus lists versions by tag: a repository without tags has no version to deploy.",
    fix="Push an image with a release tag to {package!q}.",
    reads=("ecr:DescribeImages",),
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html",),
    in_plan="A plan has no images.",
)
def test_repository_holds_a_tagged_image(
    feed: Feed, package: str, repository: Repository, account: Account
) -> None:
    images = account.images(package)
    tagged = [image for image in images if image.tags]
    usable = [image for image in tagged if image.status == "ACTIVE"]
    unknown = sorted({image.status for image in tagged} - _STATUSES)
    if not usable and unknown:
        not_assessed(f"ECR gives {package}'s images a status that is unknown here: {unknown[0]}.")
    expect(
        bool(usable),
        f"{package} holds no tagged image that can be pulled.",
        expected="at least one tagged image",
        found=f"{many(len(images), 'image')}, {len(tagged)} tagged, {len(usable)} not archived",
    )
