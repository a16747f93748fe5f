"""Two objects of a plan that AWS cannot both make, since they have one name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.plan import Plan
from ecr_feed.planned.terraform.plan_policies import name_of
from ecr_feed.planned.terraform.scope import Places, PlanScope, region_of


@dataclass(frozen=True, slots=True)
class _Named:
    """What AWS tells objects of a type apart by, within an account (and region)."""

    noun: str
    attribute: str = "name"
    regional: bool = False


_IAM: Final = {
    "aws_iam_user": _Named("IAM user"),
    "aws_iam_role": _Named("IAM role"),
    "aws_iam_group": _Named("IAM group"),
    "aws_iam_policy": _Named("IAM policy"),
    "aws_iam_openid_connect_provider": _Named("OIDC provider", "url"),
}
_ECR: Final = {
    "aws_ecr_repository": _Named("repository", regional=True),
    "aws_ecr_pull_through_cache_rule": _Named(
        "pull-through cache rule", "ecr_repository_prefix", regional=True
    ),
    "aws_ecr_repository_creation_template": _Named(
        "repository creation template", "prefix", regional=True
    ),
}
_TYPES: Final = {**_IAM, **_ECR}


def refuse_clashes(plan: Plan, places: Places, scope: PlanScope, source: str) -> None:
    """Raises AccountError for the first two objects of one kind and name in one account.

    Names of IAM ignore case; repositories may have one name in two regions. What a data source
    has read exists, so that it cannot be created.
    """
    seen: dict[tuple[str, ...], Instance] = {}
    for each in plan.of(*_TYPES):
        for key in _key(plan, places, scope, each):
            first = seen.setdefault(key, each)
            if first is not each:
                raise AccountError(f"{source}: {_clash(first, each, key[-1])}")
    for each in (data for kind in _TYPES for data in plan.data(kind)):
        for key in _key(plan, places, scope, each):
            made = seen.get(key)
            if each.exists and made is not None and not made.exists:
                raise AccountError(f"{source}: {_clash(each, made, key[-1])}")


def _key(plan: Plan, places: Places, scope: PlanScope, each: Instance) -> Iterator[tuple[str, ...]]:
    kind = _TYPES[each.type]
    name = _name(each)
    if name:
        plain = name.removeprefix("https://").lower() if each.type in _IAM else name
        region = (region_of(plan, each) or scope.region) if kind.regional else ""
        yield (each.type, places.of(each), plain, region)


def _name(each: Instance) -> str:
    attribute = _TYPES[each.type].attribute
    return name_of(each) if attribute == "name" else each.text(attribute)


def _clash(first: Instance, second: Instance, region: str) -> str:
    kind = _TYPES[first.type]
    names = dict.fromkeys((_name(first), _name(second)))
    shown = " and ".join(map(repr, names))
    where = f"account and region ({region})" if region else "account"
    case = " (AWS ignores the case of IAM names)" if len(names) > 1 else ""
    kept = next((each for each in (first, second) if each.forgotten), None)
    fix = "Rename one of them, or give it another provider."
    if kept:
        fix = f"{kept.address} stays in AWS when it is forgotten: import it, make no other."
    elif first.is_data:
        fix = f"What {first.address} reads exists already: import it, make no other."
    return (
        f"{first.address} and {second.address} are both the {kind.noun} {shown} in one "
        f"{where}{case}: AWS refuses the second. {fix}"
    )
