"""The account file of an account as it will be after a plan is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile, from_tables
from ecr_feed.planned.terraform.identities import Identities, tags_of
from ecr_feed.planned.terraform.plan import Instance, Plan, region_of, scope_of
from ecr_feed.planned.terraform.plan_policies import PlanPolicies

FileTable = dict[str, Any]
LABEL = "feed"


def account_from_plan(
    document: Mapping[str, Any],
    *,
    region: str = "",
    account: str = "",
    packages: Sequence[str] = (),
    identity: str = "",
    source: str = "the plan",
) -> AccountFile:
    """The account that `terraform show -json` of a plan describes, with a feed named "Plan".

    `identity` is the name of the user or role that the feed will use (default: the one user with an
    access key, else the only user, else the only role); `packages` default to every repository.
    `AccountFile.unknown` lists, with addresses, what is known only after apply, `assumed` what was
    assumed. Raises AccountError.
    """
    if "planned_values" not in document:
        raise AccountError(
            f"{source}: not a plan: expected the output of `terraform show -json PLANFILE`, with "
            "the key `planned_values`."
        )
    plan = Plan(document)
    scope, assumed = scope_of(plan, region, account)
    policies = PlanPolicies(plan, scope)
    found = Identities(policies)
    found.read()
    repositories = _repositories(policies)
    assumed += _give_key(policies, found, identity, source)
    here = [each["name"] for each in repositories if each["region"] == scope.region]
    names = list(packages) or here
    if not names:
        raise AccountError(f"{source}: it creates no aws_ecr_repository, and no package is named.")
    feed = {
        "name": "Plan",
        "region": scope.region,
        "account": scope.account,
        "packages": names,
        "credentials": {"key": LABEL},
    }
    tables = {
        "says": f"The account after {source} is applied.",
        "account": scope.account,
        "region": scope.region,
        "enabled_regions": sorted({scope.region, *(each["region"] for each in repositories)}),
        "repository": repositories,
        "policy": list(found.own.values()),
        **{kind: list(tables.values()) for kind, tables in found.tables.items()},
        "oidc_provider": found.providers,
        "registry": _registry(policies),
        "cache_rule": _cache_rules(policies),
        "creation_template": _templates(policies),
        "feed": [feed],
        "assumed": assumed,
        "unknown": policies.notes,
        "unknown_policies": policies.undecided,
    }
    return from_tables(tables, source)


def _repositories(policies: PlanPolicies) -> list[FileTable]:
    tables: dict[tuple[str, str], FileTable] = {}
    for each in policies.plan.of("aws_ecr_repository"):
        name = each.get("name")
        if not isinstance(name, str):
            policies.note(f"{each.address}: its name is known only after apply.")
            continue
        filters = each.get("image_tag_mutability_exclusion_filter") or []
        region = region_of(policies.plan, each) or policies.scope.region
        tables[name, region] = {
            "name": name,
            "mutability": each.get("image_tag_mutability") or "MUTABLE",
            "exclusions": [f["filter"] for f in filters],
            "tags": tags_of(each),
            "region": region,
        }
    for kind, attribute, key in (
        ("aws_ecr_repository_policy", "policy", "policy"),
        ("aws_ecr_lifecycle_policy", "policy", "lifecycle"),
    ):
        for each in policies.plan.of(kind):
            _put(policies, tables, each, (attribute, key))
    return list(tables.values())


def _put(
    policies: PlanPolicies,
    tables: dict[tuple[str, str], FileTable],
    instance: Instance,
    names: tuple[str, str],
) -> None:
    """Put a policy on the repository that it names or refers to."""
    attribute, key = names
    repository = instance.get("repository")
    if not isinstance(repository, str):
        written = policies.plan.expression(instance, "repository")
        targets = policies.plan.targets(instance, written)
        repository = next((t.get("name") for t in targets if t.get("name")), None)
    region = region_of(policies.plan, instance) or policies.scope.region
    table = tables.get((str(repository), region))
    if table is None:
        policies.note(f"{instance.address}: the repository {repository!r} is not in the plan.")
        return
    text = policies.text(instance, attribute)
    if text is not None:
        table[key] = text


def _registry(policies: PlanPolicies) -> list[FileTable]:
    texts = (policies.text(each, "policy") for each in policies.plan.of("aws_ecr_registry_policy"))
    return [{"policy": text} for text in texts if text is not None]


def _cache_rules(policies: PlanPolicies) -> list[FileTable]:
    return [
        {
            "prefix": each.get("ecr_repository_prefix"),
            "upstream": each.get("upstream_registry_url") or "public.ecr.aws",
        }
        for each in policies.plan.of("aws_ecr_pull_through_cache_rule")
        if each.get("ecr_repository_prefix")
    ]


def _templates(policies: PlanPolicies) -> list[FileTable]:
    return [
        {"prefix": each.get("prefix"), "applied_for": each.get("applied_for") or []}
        for each in policies.plan.of("aws_ecr_repository_creation_template")
        if each.get("prefix")
    ]


def _give_key(policies: PlanPolicies, found: Identities, identity: str, source: str) -> list[str]:
    """Give the feed's identity an access key: the planned one, or an assumed one."""
    keyed = _keyed(policies)
    users, roles = found.tables["user"], found.tables["role"]
    name = identity or _only(list(keyed)) or _only(list(users)) or (_only(list(roles)))
    table = users.get(name) or roles.get(name)
    if table is None:
        known = ", ".join([*users, *roles]) or "none"
        wanted = f"no user or role {identity!r}" if identity else "cannot choose a user or role"
        raise AccountError(
            f"{source}: {wanted} as the feed's identity; the plan has: {known}. Name the one "
            "that the feed will use."
        )
    status = keyed.get(name, "active")
    table["keys"] = [{"label": LABEL, "status": status}]
    if name in users and name not in keyed:
        return [f"No access key is planned for {name!r}: it is assessed as if it had one."]
    return []


def _keyed(policies: PlanPolicies) -> dict[str, str]:
    """Users with a planned access key, and its status."""
    found: dict[str, str] = {}
    for each in policies.plan.of("aws_iam_access_key"):
        name = each.get("user")
        if not isinstance(name, str):
            targets = policies.plan.targets(each, policies.plan.expression(each, "user"))
            name = next((t.get("name") for t in targets if t.get("name")), None)
        if isinstance(name, str):
            found[name] = str(each.get("status") or "Active").lower()
    return found


def _only(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ""
