"""The account file of an account as it will be after a plan is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile, from_tables
from ecr_feed.naming import judge_name
from ecr_feed.planned.terraform.about_feed import AboutFeed
from ecr_feed.planned.terraform.choice import choose
from ecr_feed.planned.terraform.clashes import refuse_clashes
from ecr_feed.planned.terraform.form import check_form
from ecr_feed.planned.terraform.identities import Identities
from ecr_feed.planned.terraform.organization import organization_policies
from ecr_feed.planned.terraform.plan import Plan
from ecr_feed.planned.terraform.plan_policies import PlanPolicies
from ecr_feed.planned.terraform.repositories import Repositories
from ecr_feed.planned.terraform.scope import Places, scope_of

FileTable = dict[str, Any]


def account_from_plan(
    document: Mapping[str, Any],
    *,
    region: str = "",
    account: str = "",
    packages: Sequence[str] = (),
    identity: str = "",
    pulls: bool = False,
    source: str = "the plan",
) -> AccountFile:
    """The account that `terraform show -json` of a plan describes, with a feed named "Plan".

    `identity` is the address or IAM name of the user or role that the feed will use (default: see
    `choose`); `packages` default to every repository; `account` is what `--account` states, ""
    without it. `AccountFile.open` lists, with addresses, what is known only after apply and is
    about the feed; `assumed` what was assumed, `remarks` the rest; `plan` says what is stated.
    Raises AccountError.
    """
    if "planned_values" not in document:
        raise AccountError(
            f"{source}: not a plan: expected the output of `terraform show -json PLANFILE`, with "
            "the key `planned_values`."
        )
    check_form(document, source)
    plan = Plan(document)
    places = Places(plan)
    scope = scope_of(plan, places, region, account)
    refuse_clashes(plan, places, scope, source)
    policies = PlanPolicies(plan, scope, places)
    found = Identities(policies)
    found.read()
    ecr = Repositories(found)
    ecr.read()
    names = list(dict.fromkeys(packages or ecr.made_or_read))
    chosen = choose(found, scope.home, identity, source)
    if not names:
        raise AccountError(
            f"{source}: it creates no aws_ecr_repository in {scope.region}, and no package is "
            "named: add --package ID."
        )
    registry, limits = ecr.registry(), organization_policies(policies)
    remarks = list(ecr.check_principals())
    texts = [str(each["document"]) for kind in limits.values() for each in kind]
    texts += [str(each["policy"]) for each in registry]
    about = AboutFeed(chosen.principal, found, ecr, names, texts)
    items = dict.fromkeys(about.items())
    feed = {
        "name": "Plan",
        "region": scope.region,
        "packages": names,
        "credentials": chosen.credentials,
        "pulls": pulls,
        **({"account": account} if account else {}),
    }
    # A package that the plan neither makes nor reads still needs a place to be judged on.
    there = {each.name for each in ecr.here}
    bare = [name for name in names if name not in there and judge_name(name).legal]
    others = policies.open.others(about.keys)
    stated: FileTable = {
        **asdict(scope.accounts),
        **chosen.stated(scope.account, scope.partition),
        "repositories": ecr.stated(),
        "names": [(e["document"], e["called"]) for kind in limits.values() for e in kind],
        "registry_scope": ecr.registry_scope(scope.region),
    }
    tables = {
        "says": f"The account after {source} is applied.",
        "account": scope.account,
        "region": scope.region,
        "enabled_regions": sorted({scope.region, *(each.region for each in ecr.home)}),
        "repository": [
            *(_without_none(each.table) for each in ecr.home),
            *({"name": name, "region": scope.region} for name in bare),
        ],
        **dict(found.files(chosen.principal, scope.home)),
        **{kind: [{"document": e["document"]} for e in each] for kind, each in limits.items()},
        "oidc_provider": found.providers,
        "registry": registry,
        "cache_rule": ecr.cache_rules(),
        "creation_template": ecr.templates(),
        "feed": [feed],
        "assumed": chosen.assumed,
        "open": [
            {"says": each.says, "package": each.package, "effect": each.effect} for each in items
        ],
        "remarks": [*remarks, *policies.open.remarks, *others],
        "plan": stated,
    }
    return from_tables(tables, source)


def _without_none(table: FileTable) -> FileTable:
    return {key: value for key, value in table.items() if value is not None}
