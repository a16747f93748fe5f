"""Users, roles, groups and policies of a plan, as tables of an account file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ecr_feed.embedded.iam.moto_iam import managed_policy
from ecr_feed.planned.terraform.plan import Instance
from ecr_feed.planned.terraform.plan_policies import PlanPolicies

FileTable = dict[str, Any]
KINDS: Final = ("user", "role", "group")


def tags_of(instance: Instance) -> dict[str, str]:
    """A resource's known tags, the provider's default tags included."""
    found = instance.get("tags_all") or instance.get("tags") or {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


@dataclass(slots=True)
class Identities:
    """Reads IAM resources. `tables` are by kind and name; `own` are managed policies by name."""

    policies: PlanPolicies
    tables: dict[str, dict[str, FileTable]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    own: dict[str, FileTable] = field(default_factory=dict)
    providers: list[FileTable] = field(default_factory=list)

    def read(self) -> None:
        """Read managed policies and principals, then what is attached to them."""
        for each in self.policies.plan.of("aws_iam_policy"):
            self._managed(each)
        for kind in KINDS:
            for each in self.policies.plan.of(f"aws_iam_{kind}"):
                self._principal(kind, each)
        self._providers()
        self._grants()
        self._memberships()

    def _providers(self) -> None:
        for each in self.policies.plan.of("aws_iam_openid_connect_provider"):
            if url := self._name(each, "url"):
                audiences = [a for a in each.get("client_id_list") or [] if a]
                full = url if url.startswith("https://") else f"https://{url}"
                self.providers.append({"url": full, "audiences": audiences})

    def _grants(self) -> None:
        for kind in KINDS:
            for each in self.policies.plan.of(f"aws_iam_{kind}_policy"):
                self._inline(kind, each)
            for each in self.policies.plan.of(f"aws_iam_{kind}_policy_attachment"):
                self._attach(each, kind, [self._name(each, kind)])
        for each in self.policies.plan.of("aws_iam_policy_attachment"):
            for kind in KINDS:
                self._attach(each, kind, self._names(each, f"{kind}s"))

    def _name(self, instance: Instance, attribute: str) -> str:
        """An attribute's value or the referenced resource's name; "" and a note if neither."""
        found = self._names(instance, attribute)
        if not found and (instance.unknown.get(attribute) or not instance.values.get(attribute)):
            self.policies.undecide(f"{instance.address}: `{attribute}` is known only after apply.")
        return found[0] if found else ""

    def _names(self, instance: Instance, attribute: str) -> list[str]:
        known = instance.get(attribute)
        if isinstance(known, str) and known:
            return [known]
        if isinstance(known, list) and known and all(isinstance(each, str) for each in known):
            return list(known)
        written = self.policies.plan.expression(instance, attribute)
        names = (each.get("name") for each in self.policies.plan.targets(instance, written))
        return [name for name in names if isinstance(name, str) and name]

    def _managed(self, instance: Instance) -> None:
        name = self._name(instance, "name")
        text = self.policies.text(instance, "policy") if name else None
        if text is not None:
            self.own[name] = {"name": name, "path": instance.get("path") or "/", "document": text}

    def _principal(self, kind: str, instance: Instance) -> None:
        name = self._name(instance, "name")
        if not name:
            return
        table: FileTable = {"name": name, "path": instance.get("path") or "/"}
        if kind != "group":
            table["tags"] = tags_of(instance)
            if boundary := self._policy(instance, "permissions_boundary"):
                table["boundary_policy"] = boundary
        self.tables[kind][name] = table
        if kind == "role":
            self._role(instance, table)

    def _role(self, instance: Instance, table: FileTable) -> None:
        trust = self.policies.text(instance, "assume_role_policy")
        if trust is not None:
            table["trust"] = trust
        table["max_session_seconds"] = instance.get("max_session_duration") or 3600
        for block in instance.get("inline_policy") or []:
            if block.get("name") and block.get("policy"):
                table.setdefault("policies", {})[block["name"]] = block["policy"]
        for arn in instance.get("managed_policy_arns") or []:
            self._attached(instance, table, arn)

    def _known(self, kind: str, name: str, instance: Instance) -> FileTable:
        """The table of a principal; one outside the plan is assumed to exist without policies."""
        if name not in self.tables[kind]:
            self.policies.undecide(
                f"{instance.address}: the {kind} {name!r} is not in the plan; what else it has is "
                "not known."
            )
            self.tables[kind][name] = {"name": name}
        return self.tables[kind][name]

    def _inline(self, kind: str, instance: Instance) -> None:
        name = self._name(instance, kind)
        text = self.policies.text(instance, "policy")
        if name and text is not None:
            table = self._known(kind, name, instance)
            label = instance.get("name") or instance.base.rpartition(".")[2]
            table.setdefault("policies", {})[label] = text

    def _attach(self, instance: Instance, kind: str, names: list[str]) -> None:
        policy = self._policy(instance, "policy_arn") if any(names) else ""
        for name in names:
            if name and policy:
                self._attached(instance, self._known(kind, name, instance), policy)

    def _attached(self, instance: Instance, table: FileTable, policy: str) -> None:
        if self._exists(instance, policy):
            listed = table.setdefault("attached", [])
            if policy not in listed:
                listed.append(policy)

    def _policy(self, instance: Instance, attribute: str) -> str:
        """A managed policy by name (in the plan) or ARN (of AWS); "" if there is none."""
        known = instance.get(attribute)
        if isinstance(known, str) and known:
            name = known.rsplit("/", 1)[-1]
            if ":iam::aws:" not in known and name in self.own:
                return name
            return known if self._exists(instance, known) else ""
        written = self.policies.plan.expression(instance, attribute)
        for target in self.policies.plan.targets(instance, written):
            name = target.get("name")
            if target.type == "aws_iam_policy" and name in self.own:
                return str(name)
        if attribute in instance.unknown:
            self.policies.undecide(f"{instance.address}: `{attribute}` is known only after apply.")
        return ""

    def _exists(self, instance: Instance, policy: str) -> bool:
        name = policy.rsplit("/", 1)[-1]
        if policy in self.own or (":iam::aws:" in policy and managed_policy(name)):
            return True
        self.policies.undecide(f"{instance.address}: the policy {policy} is not in the plan.")
        return False

    def _memberships(self) -> None:
        for each in self.policies.plan.of("aws_iam_group_membership"):
            group = self._name(each, "group")
            for user in self._names(each, "users"):
                self._join(each, user, [group])
        for each in self.policies.plan.of("aws_iam_user_group_membership"):
            user = self._name(each, "user")
            self._join(each, user, self._names(each, "groups"))

    def _join(self, instance: Instance, user: str, groups: list[str]) -> None:
        if not user:
            return
        table = self._known("user", user, instance)
        for group in filter(None, groups):
            self._known("group", group, instance)
            table.setdefault("groups", []).append(group)
