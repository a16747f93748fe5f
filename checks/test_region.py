"""The feed's region exists, is enabled for the account, and holds the repositories."""

from __future__ import annotations

from ecr_feed.aws.account import Account
from ecr_feed.aws.known_regions import KnownRegions
from ecr_feed.check import CRITICAL, HIGH, check
from ecr_feed.config import Feed
from ecr_feed.facts.aws import Access, ReadError
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.feed.missing import MissingElsewhere
from ecr_feed.naming import partition_of
from ecr_feed.outcomes import NotAssessed, expect, not_applicable, not_assessed, note
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
    reads=("sts:GetCallerIdentity", "ecr:GetAuthorizationToken"),
    refs=("https://docs.aws.amazon.com/general/latest/gr/ecr.html",),
)
def test_region_exists(
    feed: Feed, known_regions: KnownRegions, plan: PlanFacts | None, account: Account
) -> None:
    region, listed = feed.region, feed.region in known_regions.names
    near = () if listed else known_regions.near(region)
    note(near=list(near), botocore=known_regions.botocore)
    fits = listed or bool(known_regions.fitting_partition(region))
    unshown = _unshown(account, plan) if fits and not listed else None
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    if unshown is not None:
        raise NotAssessed(
            f"{meant}{region!r} is not a region that botocore {known_regions.botocore} lists; it "
            f"may be newer, but {unshown}",
            _region_fix(near, known_regions),
        )
    expect(
        fits,
        f"{meant}{region!r} is not a region: botocore {known_regions.botocore} does not list it, "
        "and its name fits no partition of AWS.",
        expected=f"an AWS region, such as {near[0]}" if near and not fits else "an AWS region",
        found=region,
        fix=None if listed else _region_fix(near, known_regions),
    )


def _unshown(account: Account, plan: PlanFacts | None) -> str | None:
    """Why it is not known that a region that is not listed exists; None where it is."""
    if plan is not None:
        return "a plan makes no call that would show it."
    failure = account.unshown_region()
    if failure is None:
        return None
    return f"no answer of STS or ECR there shows it: {failure.summary}"


def _region_fix(near: tuple[str, ...], known: KnownRegions) -> str | None:
    """The nearest region, with AWS's name of it; None without one."""
    if not near:
        return None
    named = dict(known.descriptions).get(near[0])
    place = f" ({named})" if named else ""
    return f"Set the feed's region to {near[0]}{place}, if that is the one you meant."


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
        expected=f"{feed.region} enabled for the account",
        found=f"{feed.region} {_state(access)}",
        evidence={"elsewhere": access.accepted_in},
        fix=_partition_fix(feed.region, access.accepted_in),
    )


def _state(access: Access) -> str:
    """What the region is, in words that follow its name."""
    if access.region_enabled:
        return "enabled for the account"
    return f"not enabled: {access.failure.summary if access.failure else access.because}"


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
        not_applicable(
            "The missing repositories are not in any other enabled region either (REPO-1)."
        )
    expect(
        not holding,
        f"Not in {feed.region}, but in another region: {', '.join(holding)}.",
        expected=feed.region,
        found="; ".join(f"{name} in {', '.join(held)}" for name, held in holding.items())
        or feed.region,
        evidence={"unread": unread},
    )
