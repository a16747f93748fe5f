"""The account file of an account as it will be after a plan is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile, from_tables
from ecr_feed.naming import account_of, judge_name
from ecr_feed.planned.terraform.identities import Identities, tags_of
from ecr_feed.planned.terraform.plan import Instance, Plan, region_of, scope_of
from ecr_feed.planned.terraform.plan_policies import PlanPolicies, any_true

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
    `account` is what `--account` states, "" without it. `AccountFile.unknown` lists, with
    addresses, what is known only after apply; `plan` says what is stated. Raises AccountError.
    """
    if "planned_values" not in document:
        raise AccountError(
            f"{source}: not a plan: expected the output of `terraform show -json PLANFILE`, with "
            "the key `planned_values`."
        )
    plan = Plan(document)
    scope = scope_of(plan, region, account)
    policies = PlanPolicies(plan, scope)
    found = Identities(policies)
    found.read()
    repositories = _repositories(policies)
    principal = _give_key(policies, found, identity, source)
    here = [each["name"] for each in repositories if each["region"] == scope.region]
    names = list(packages) or here
    if not names:
        raise AccountError(f"{source}: it creates no aws_ecr_repository, and no package is named.")
    # A package that the plan does not make still needs a place to be judged on.
    bare = (name for name in dict.fromkeys(names) if name not in here and judge_name(name).legal)
    repositories += [{"name": name, "region": scope.region} for name in bare]
    feed = {
        "name": "Plan",
        "region": scope.region,
        "packages": names,
        "credentials": {"key": LABEL},
        **({"account": account} if account else {}),
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
        "unknown": policies.notes,
        "unknown_policies": policies.undecided,
        "plan": {
            **asdict(scope.accounts),
            **_stated_of(policies, *principal),
            "repositories": _stated_repositories(policies),
        },
    }
    return from_tables(tables, source)


def _repositories(policies: PlanPolicies) -> list[FileTable]:
    tables: dict[tuple[str, str], FileTable] = {}
    for each in _own_repositories(policies):
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


def _own_repositories(policies: PlanPolicies) -> Iterator[Instance]:
    """Repositories that the plan reads or makes in its own account."""
    plan, own = policies.plan, ("", policies.scope.account)
    for each in (*plan.data("aws_ecr_repository"), *plan.of("aws_ecr_repository")):
        if account_of(str(each.get("arn") or "")) in own:
            yield each


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


def _give_key(
    policies: PlanPolicies, found: Identities, identity: str, source: str
) -> tuple[str, FileTable]:
    """The kind and table of the feed's identity, which is given the feed's key."""
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
    for each in policies.plan.of("aws_iam_user_login_profile"):
        if (login := users.get(_user_of(policies, each))) is not None:
            login["console_password"] = True
    status = keyed.get(name, "active")
    table["keys"] = [{"label": LABEL, "status": status}]
    return ("user" if name in users else "role"), table


def _stated_of(policies: PlanPolicies, kind: str, table: FileTable) -> dict[str, Any]:
    """What the plan states of the feed's identity; the keys are those of `PlanFacts`."""
    scope, name = policies.scope, table["name"]
    return {
        "principal": (
            f"arn:{scope.partition}:iam::{scope.account}:{kind}{table.get('path', '/')}{name}"
        ),
        "identity": name,
        "identity_tags": any(
            each.get("name") == name and _tags_known(each)
            for each in policies.plan.of(f"aws_iam_{kind}")
        ),
        "console_password": bool(table.get("console_password")),
    }


def _stated_repositories(policies: PlanPolicies) -> dict[str, dict[str, dict[str, str] | None]]:
    """Repositories that the plan makes or reads, by region and name, with their known tags."""
    found: dict[str, dict[str, dict[str, str] | None]] = {}
    for each in _own_repositories(policies):
        if isinstance(each.get("name"), str):
            region = region_of(policies.plan, each) or policies.scope.region
            tags = tags_of(each) if _tags_known(each) else None
            found.setdefault(region, {})[each.get("name")] = tags
    return found


def _tags_known(instance: Instance) -> bool:
    """No tag is left open until apply. Before it, `tags_all` as a whole often is."""
    tags, every = instance.unknown.get("tags"), instance.unknown.get("tags_all")
    return not any_true(tags) and (every is True or not any_true(every))


def _keyed(policies: PlanPolicies) -> dict[str, str]:
    """Users with a planned access key, and its status."""
    found: dict[str, str] = {}
    for each in policies.plan.of("aws_iam_access_key"):
        if name := _user_of(policies, each):
            found[name] = str(each.get("status") or "Active").lower()
    return found


def _user_of(policies: PlanPolicies, instance: Instance) -> str:
    """The name of the user that a resource's `user` names or refers to; "" where it is unknown."""
    name = instance.get("user")
    if not isinstance(name, str):
        targets = policies.plan.targets(instance, policies.plan.expression(instance, "user"))
        name = next((t.get("name") for t in targets if t.get("name")), None)
    return name if isinstance(name, str) else ""


def _only(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ""
