"""The feed's region exists, is enabled for the account, and holds the repositories."""

from __future__ import annotations

from ecr_feed.aws.known_regions import KnownRegions
from ecr_feed.check import CRITICAL, HIGH, check
from ecr_feed.config import Feed
from ecr_feed.facts.aws import Access, ReadError
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.feed.missing import MissingElsewhere
from ecr_feed.naming import near_regions, partition_of
from ecr_feed.outcomes import expect, not_applicable, not_assessed, note
from ecr_feed.text.words import many


def _in_plan(plan: PlanFacts, region: str, package: str | None) -> str | None:
    others = set(plan.repositories) - {region}
    return None if others else "No document makes or reads a repository in another region."


@check(
    id="REGION-1",
    severity=CRITICAL,
    title="The feed's region is an AWS region",
    why="Octopus accepts any text as a region; a wrong one fails at the first call.",
    fix="Set the feed's region to one that `aws ec2 describe-regions --all-regions` lists.",
    reads=(),
    refs=("https://docs.aws.amazon.com/general/latest/gr/ecr.html",),
)
def test_region_exists(feed: Feed, known_regions: KnownRegions) -> None:
    near = near_regions(feed.region, known_regions.names)
    expect(
        feed.region in known_regions.names,
        f"{feed.region!r} is not a region that botocore {known_regions.botocore} lists.",
        expected=f"an ECR region, such as {near[0]}" if near else "an ECR region",
        found=feed.region,
        evidence={"near": list(near), "botocore": known_regions.botocore},
        fix=f"Set the feed's region to {near[0]}, if that is the one you meant." if near else None,
    )


@check(
    id="REGION-2",
    severity=CRITICAL,
    title="The region is enabled for the account",
    why="In an opt-in region that is not enabled, AWS rejects every call as if the key were wrong.",
    fix="aws account enable-region --region-name {feed.region!q}",
    reads=("sts:GetCallerIdentity",),
    refs=("https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html",),
    in_plan="No document says which regions the account has enabled.",
)
def test_region_enabled(feed: Feed, access: Access) -> None:
    if access.region_enabled is None and access.failure is not None:
        raise ReadError(access.failure)
    if access.region_enabled is None:
        not_assessed(access.because or "Could not determine whether the region is enabled.")
    expect(
        access.region_enabled,
        f"{feed.region} is not enabled for the account: "
        f"{access.because or 'the same credentials work in another region'}.",
        expected=f"credentials accepted in {feed.region}",
        found=access.failure.summary if access.failure else None,
        evidence={"elsewhere": access.accepted_in},
        fix=_partition_fix(feed.region, access.accepted_in),
    )


def _partition_fix(region: str, elsewhere: str) -> str | None:
    """A region of another partition cannot be enabled: the fix is another key or region."""
    here, there = partition_of(region), partition_of(elsewhere)
    if not elsewhere or here == there:
        return None
    return f"Use a key of an account in partition {here}, or a region of partition {there}."


@check(
    id="REGION-3",
    severity=HIGH,
    title="The repositories are in the feed's region, not in another",
    why="ECR keeps separate repositories in each region, and a feed reads one region only.",
    fix="Set the feed's region to the one that holds the repositories, or add a feed for it.",
    reads=("ecr:DescribeRepositories",),
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html",),
    in_plan=_in_plan,
)
def test_region_holds_the_repositories(feed: Feed, elsewhere: MissingElsewhere) -> None:
    missing = elsewhere.missing()
    if missing and not elsewhere.asked:
        not_applicable("Other regions were not searched (use --look-elsewhere).")
    holding = {name: elsewhere.regions(name) for name in missing if elsewhere.regions(name)}
    unread = sorted({region for name in missing for region in elsewhere.unread(name)})
    if missing and not holding and unread:
        note(unread=unread)
        not_assessed(f"{many(len(unread), 'other region')} could not be read.")
    if missing and not holding:
        not_applicable("The missing repositories are not in any other region either (REPO-1).")
    expect(
        not holding,
        f"Not in {feed.region}, but in another region: {', '.join(holding)}.",
        expected=feed.region,
        found="; ".join(f"{name} in {', '.join(held)}" for name, held in holding.items()) or None,
        evidence={"unread": unread},
    )
