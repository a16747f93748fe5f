"""Repositories of a plan, what is set on them, and the registry's own settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ecr_feed.facts.iam import Effect
from ecr_feed.planned.resource_principals import unheld
from ecr_feed.planned.terraform.identities import Identities
from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.plan_policies import PlanPolicies
from ecr_feed.planned.terraform.principals import FileTable, tags_are_known, tags_of
from ecr_feed.planned.terraform.scope import region_of

EVERY = "every repository"
REGISTRY = "registry"
_SCOPE = "REGISTRY_POLICY_SCOPE"


@dataclass(slots=True)
class PlannedRepository:
    """A repository that the plan makes or reads; `key` is its address, `name` "" if unknown.

    `stated` is False for one that the plan only sets a policy on.
    """

    key: str
    name: str
    region: str
    place: str
    table: FileTable
    read: bool = False
    tags_known: bool = True
    stated: bool = True


@dataclass(slots=True)
class Repositories:
    """Reads ECR resources of a plan."""

    found: Identities
    repositories: list[PlannedRepository] = field(default_factory=list)

    @property
    def policies(self) -> PlanPolicies:
        """Policies of the plan."""
        return self.found.policies

    @property
    def home(self) -> list[PlannedRepository]:
        """Those of the feed's account that have a known name."""
        home = self.policies.scope.home
        return [each for each in self.repositories if each.name and each.place == home]

    @property
    def here(self) -> list[PlannedRepository]:
        """Those of the feed's account and region that have a known name."""
        return [each for each in self.home if each.region == self.policies.scope.region]

    @property
    def made_or_read(self) -> list[str]:
        """The names of those in the feed's account and region that the plan makes or reads."""
        return [each.name for each in self.here if each.stated]

    def read(self) -> None:
        """Read repositories, then their policies."""
        plan = self.policies.plan
        for each in (*plan.of("aws_ecr_repository"), *plan.data("aws_ecr_repository")):
            self._repository(each)
        for each in plan.of("aws_ecr_repository_policy"):
            self._put(each, "policy")
        for each in plan.of("aws_ecr_lifecycle_policy"):
            self._put(each, "lifecycle")
        for repository in self.repositories:
            if repository.read and "policy" not in repository.table:
                says = f"{repository.key} is read: its repository policy is not in the plan."
                self.policies.open.add(says, repository.key, Effect.GRANTS)

    def _region(self, instance: Instance) -> str:
        return region_of(self.policies.plan, instance) or self.policies.scope.region

    def _repository(self, instance: Instance) -> None:
        name, region = instance.text("name"), self._region(instance)
        place = self.policies.places.of(instance)
        same = (name, region, place)
        if instance.is_data and any(
            (each.name, each.region, each.place) == same for each in self.repositories
        ):
            return
        filters = instance.get("image_tag_mutability_exclusion_filter") or []
        table = {
            "name": name,
            "mutability": instance.get("image_tag_mutability") or "MUTABLE",
            "exclusions": [f["filter"] for f in filters],
            "tags": tags_of(instance),
            "region": region,
        }
        made = PlannedRepository(
            *(instance.address, name, region, place, table, instance.is_data),
            tags_are_known(instance),
        )
        self.repositories.append(made)

    def _put(self, instance: Instance, key: str) -> None:
        """Put a policy on the repository that it names or refers to."""
        found = self._named(instance)
        open_items = self.policies.open
        if not found and key == "lifecycle":
            open_items.remark(f"{instance.address}: its repository is not in the plan.")
        for each in found:
            about = each.key if key == "policy" else f"lifecycle of {each.key}"
            text = self.policies.text(instance, "policy", about)
            if each.table.setdefault(key, text) != text:
                each.table[key] = None
                says = f"{each.key}: two policies are set on it: the one applied last stays."
                open_items.add(says, about)

    def _named(self, instance: Instance) -> list[PlannedRepository]:
        region, place = self._region(instance), self.policies.places.of(instance)
        if name := instance.text("repository"):
            where = (name, region, place)
            same = [e for e in self.repositories if (e.name, e.region, e.place) == where]
            if not same:
                key = f"the repository {name!r}"
                table = {"name": name, "region": region}
                same = [PlannedRepository(key, *where, table, stated=False)]
                self.repositories += same
            return same
        written = self.policies.plan.expression(instance, "repository")
        keys = {each.address for each in self.policies.plan.targets(instance, written)}
        found = [each for each in self.repositories if each.key in keys]
        if len(found) != 1 and instance.type == "aws_ecr_repository_policy":
            says = f"{instance.address}: `repository` is known only after apply."
            for about in [each.key for each in found] or [EVERY]:
                self.policies.open.add(says, about)
        return found if len(found) == 1 else []

    def check_principals(self) -> Iterator[str]:
        """A remark for each principal that a repository policy names and the plan does not have."""
        scope = self.policies.scope
        for each in self.home:
            text = each.table.get("policy")
            found = (
                unheld(text, each.name, scope.accounts.account, self.found.hold) if text else None
            )
            if found is not None:
                yield from found.remarks
                self.policies.open.add(found.doubt, each.key, Effect.REFUSED)

    def stated(self) -> dict[str, dict[str, dict[str, str] | None]]:
        """What is made or read, by region and name, with the tags: None where one is unknown."""
        found: dict[str, dict[str, dict[str, str] | None]] = {}
        for each in filter(lambda each: each.stated, self.home):
            tags = each.table["tags"] if each.tags_known else None
            found.setdefault(each.region, {})[each.name] = tags
        return found

    def registry(self) -> list[FileTable]:
        """Registry policies; what is unknown in them is about all repositories."""
        made: list[FileTable] = []
        for each in self._of("aws_ecr_registry_policy"):
            text = self.policies.text(each, "policy", REGISTRY)
            if text is not None:
                made.append({"policy": text, "region": self._region(each)})
        return made

    def registry_scope(self, region: str) -> str:
        """V1 or V2, as an account setting of the plan says; "" where none does."""
        found = [
            each.text("value")
            for each in self._of("aws_ecr_account_setting")
            if each.get("name") == _SCOPE and self._region(each) == region
        ]
        return found[0] if found and found[0] in ("V1", "V2") else ""

    def _of(self, kind: str) -> Iterator[Instance]:
        """Resources of the feed's account."""
        home = self.policies.scope.home
        return (e for e in self.policies.plan.of(kind) if self.policies.places.of(e) == home)

    def cache_rules(self) -> list[FileTable]:
        """Pull-through cache rules with a known prefix."""
        return [
            {
                "prefix": each.get("ecr_repository_prefix"),
                "upstream": each.get("upstream_registry_url") or "public.ecr.aws",
                "region": self._region(each),
            }
            for each in self._of("aws_ecr_pull_through_cache_rule")
            if each.get("ecr_repository_prefix")
        ]

    def templates(self) -> list[FileTable]:
        """Repository creation templates with a known prefix."""
        return [
            {
                "prefix": each.get("prefix"),
                "applied_for": each.get("applied_for") or [],
                "region": self._region(each),
            }
            for each in self._of("aws_ecr_repository_creation_template")
            if each.get("prefix")
        ]
