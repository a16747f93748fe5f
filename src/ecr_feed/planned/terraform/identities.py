"""Users, roles, groups and managed policies of a plan, and what is attached to which.

They are kept by address: a name may be known only after apply, and references still lead there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ecr_feed.embedded.iam.moto_iam import managed_policy
from ecr_feed.facts.iam import Effect
from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.left_open import OpenItems
from ecr_feed.planned.terraform.plan_policies import PlanPolicies, name_of
from ecr_feed.planned.terraform.principals import (
    FileTable,
    ManagedPolicy,
    PlannedPrincipal,
    stand_in,
    tags_are_known,
    tags_of,
)
from ecr_feed.planned.terraform.trust import UNKNOWN_TRUST, trust_of

KINDS: Final = ("user", "role", "group")
NOT_IN_PLAN: Final = "not in the plan; what else it has is not known."


@dataclass(slots=True)
class Identities:
    """Reads IAM resources of a plan."""

    policies: PlanPolicies
    principals: list[PlannedPrincipal] = field(default_factory=list)
    managed: list[ManagedPolicy] = field(default_factory=list)
    providers: list[FileTable] = field(default_factory=list)

    @property
    def open(self) -> OpenItems:
        """What is left open."""
        return self.policies.open

    def of(self, kind: str) -> list[PlannedPrincipal]:
        """The principals of a kind."""
        return [each for each in self.principals if each.kind == kind]

    def read(self) -> None:
        """Read managed policies and principals, then what is attached to them."""
        plan = self.policies.plan
        for each in (*plan.of("aws_iam_policy"), *plan.data("aws_iam_policy")):
            self._managed(each)
        for kind in KINDS:
            for each in (*plan.of(f"aws_iam_{kind}"), *plan.data(f"aws_iam_{kind}")):
                self._principal(kind, each)
        self._providers()
        self._grants()
        self._memberships()
        for each in plan.of("aws_iam_user_login_profile"):
            written = plan.targets(each, plan.expression(each, "user"))
            keys = {target.address for target in written}
            for user in self.of("user"):
                if user.key in keys or (user.named and user.name == each.text("user")):
                    user.table["console_password"] = True

    def _providers(self) -> None:
        for each in self.policies.plan.of("aws_iam_openid_connect_provider"):
            url = each.text("url")
            if not url:
                self.open.remark(f"{each.address}: `url` is known only after apply.")
                continue
            audiences = [a for a in each.get("client_id_list") or [] if a]
            full = url if url.startswith("https://") else f"https://{url}"
            self.providers.append({"url": full, "audiences": audiences})

    def _grants(self) -> None:
        plan = self.policies.plan
        for kind in KINDS:
            for each in plan.of(f"aws_iam_{kind}_policy"):
                for principal in self.named(each, kind, kind, one=True):
                    label = each.text("name") or each.base.rpartition(".")[2]
                    self._inline(principal, label, self._text(each, "policy", principal))
            for each in plan.of(f"aws_iam_{kind}_policy_attachment"):
                self._attach(each, "policy_arn", self.named(each, kind, kind, one=True))
            for exclusive in ("policies", "policy_attachments"):
                for each in plan.of(f"aws_iam_{kind}_{exclusive}_exclusive"):
                    self._exclusive(each, self.named(each, kind, f"{kind}_name", one=True))
        for each in plan.of("aws_iam_policy_attachment"):
            for kind in KINDS:
                self._attach(each, "policy_arn", self.named(each, kind, f"{kind}s"))

    def _exclusive(self, instance: Instance, principals: list[PlannedPrincipal]) -> None:
        for each in principals:
            self.open.add(
                f"{instance.address}: apply removes the policies of {each.key} that it does not "
                "list, and which ones remain is not judged.",
                each.key,
            )

    def _text(self, instance: Instance, attribute: str, principal: PlannedPrincipal) -> str | None:
        return self.policies.text(instance, attribute, principal.key)

    def _inline(self, principal: PlannedPrincipal, label: str, text: str | None) -> None:
        """Put an inline policy. Of two with one name either may stay, so neither is judged."""
        if text is None:
            return
        held = principal.table.setdefault("policies", {})
        if label not in principal.doubled and held.setdefault(label, text) != text:
            del held[label]
            principal.doubled.add(label)
            self.open.add(
                f"{principal.key}: two inline policies are named {label!r}: the one that is "
                "applied last stays.",
                principal.key,
            )

    def named(
        self, instance: Instance, kind: str, attribute: str, *, one: bool = False
    ) -> list[PlannedPrincipal]:
        """The principals that an attribute names or refers to; open where that is unknown.

        `one`: the attribute names a single one.
        """
        known = instance.get(attribute)
        names = [known] if isinstance(known, str) else known
        if (
            isinstance(names, list)
            and names
            and all(isinstance(each, str) and each for each in names)
        ):
            return [self._by_name(kind, name, instance) for name in names]
        written = self.policies.plan.expression(instance, attribute)
        targets = self.policies.plan.targets(instance, written)
        keys = {each.address for each in targets}
        found = [each for each in self.of(kind) if each.key in keys]
        if found and not (one and len(found) > 1):
            return found
        if attribute in instance.unknown or one:
            about = [each.key for each in found] or [f"every {kind}"]
            for key in about:
                self.open.add(f"{instance.address}: `{attribute}` is known only after apply.", key)
        return []

    def _by_name(self, kind: str, name: str, instance: Instance) -> PlannedPrincipal:
        """The principal of that name; one outside the plan exists, and the rest is not known."""
        place = self.policies.places.of(instance)
        for each in self.of(kind):
            if each.named and each.name.lower() == name.lower() and each.place == place:
                return each
        key = f"the {kind} {name!r}"
        made = PlannedPrincipal(kind, key, name, True, place, {"name": name})
        if kind == "role":
            made.trust = UNKNOWN_TRUST
        self.principals.append(made)
        self.open.add(f"{instance.address}: {key} is {NOT_IN_PLAN}", key)
        return made

    def _managed(self, instance: Instance) -> None:
        text = self.policies.text(instance, "policy", instance.address)
        name = name_of(instance) or stand_in(instance.address)
        if instance.is_data and any(each.name.lower() == name.lower() for each in self.managed):
            return
        arn = instance.text("arn")
        if text is not None and ":iam::aws:" not in arn:
            place = self.policies.places.of(instance)
            table = {"name": name, "path": instance.text("path") or "/", "document": text}
            self.managed.append(ManagedPolicy(instance.address, name, place, arn, table))

    def _principal(self, kind: str, instance: Instance) -> None:
        name, place = name_of(instance), self.policies.places.of(instance)
        if instance.is_data and self._is_there(kind, name, place):
            return
        table: FileTable = {
            "name": name or stand_in(instance.address),
            "path": instance.text("path") or "/",
        }
        made = PlannedPrincipal(kind, instance.address, table["name"], bool(name), place, table)
        self.principals.append(made)
        if instance.is_data:
            self.open.add(f"{instance.address} is read: its policies are {NOT_IN_PLAN}", made.key)
        if kind == "group":
            return
        table["tags"], made.tags_known = tags_of(instance), tags_are_known(instance)
        self._boundary(instance, made)
        if kind == "role":
            self._role(instance, made)

    def _is_there(self, kind: str, name: str, place: str) -> bool:
        return any(
            each.named and each.name.lower() == name.lower() and each.place == place
            for each in self.of(kind)
        )

    def _boundary(self, instance: Instance, made: PlannedPrincipal) -> None:
        attribute = "permissions_boundary"
        if not instance.get(attribute) and attribute not in instance.unknown:
            return
        name, key = self._policy(instance, attribute, made.key, Effect.LIMITS)
        made.boundary = key
        if name:
            made.table["boundary_policy"] = name

    def _role(self, instance: Instance, made: PlannedPrincipal) -> None:
        about = f"trust of {made.key}"
        text = self.policies.text(instance, "assume_role_policy", about)
        whole = text is not None and not any(self.open.of({about}))
        made.trust = trust_of(text) if text is not None and whole else UNKNOWN_TRUST
        if text is not None:
            made.table["trust"] = text
        made.table["max_session_seconds"] = instance.get("max_session_duration") or 3600
        written = self.policies.plan.expression(instance, "inline_policy")
        blocks = instance.get("inline_policy") or []
        for n, block in enumerate(blocks):
            one = written[n] if isinstance(written, list) and n < len(written) else {}
            if block.get("name") or one:
                text = self.policies.block_text(
                    instance, block.get("policy"), one.get("policy") or {}, made.key
                )
                self._inline(made, block.get("name") or f"inline-{n}", text)
        if not blocks and written:
            self.open.add(
                f"{instance.address}: `inline_policy` is known only after apply.", made.key
            )
        self._managed_arns(instance, made)

    def _managed_arns(self, instance: Instance, made: PlannedPrincipal) -> None:
        attribute = "managed_policy_arns"
        if known := instance.get(attribute):
            for arn in known:
                self._put(made, *self._by_arn(instance, arn, made.key, Effect.ANY))
        elif self.policies.plan.expression(instance, attribute):
            self._attach(instance, attribute, [made])

    def _attach(
        self, instance: Instance, attribute: str, principals: list[PlannedPrincipal]
    ) -> None:
        for principal in principals:
            self._put(principal, *self._policy(instance, attribute, principal.key, Effect.ANY))

    def _put(self, principal: PlannedPrincipal, name: str, key: str) -> None:
        if key:
            principal.attached.add(key)
        listed = principal.table.setdefault("attached", [])
        if name and name not in listed:
            listed.append(name)

    def _policy(
        self, instance: Instance, attribute: str, about: str, effect: Effect
    ) -> tuple[str, str]:
        """A managed policy: its name (or ARN) and its key; "" for what is not known."""
        known = instance.text(attribute)
        if known:
            return self._by_arn(instance, known, about, effect)
        written = self.policies.plan.expression(instance, attribute)
        targets = {each.address for each in self.policies.plan.targets(instance, written)}
        found = [each for each in self.managed if each.key in targets]
        if len(found) == 1:
            return found[0].name, found[0].key
        if len(targets) == 1:
            return "", next(iter(targets))  # its document is open, under its own address
        if attribute in instance.unknown:
            says = f"{instance.address}: `{attribute}` is known only after apply."
            self.open.add(says, about, effect)
        return "", ""

    def _by_arn(self, instance: Instance, arn: str, about: str, effect: Effect) -> tuple[str, str]:
        name = arn.rsplit("/", 1)[-1]
        if ":iam::aws:" in arn:
            if managed_policy(name):
                return arn, ""
            says = f"{instance.address}: {arn} is not among the AWS managed policies known here."
            self.open.add(says, about, effect)
            return "", ""
        for each in self.managed:
            if each.arn == arn or (not each.arn and each.name == name):
                return each.name, each.key
        self.open.add(f"{instance.address}: the policy {arn} is not in the plan.", about, effect)
        return "", ""

    def _memberships(self) -> None:
        for each in self.policies.plan.of("aws_iam_group_membership"):
            groups = self.named(each, "group", "group", one=True)
            for user in self.named(each, "user", "users"):
                _join(user, groups)
        for each in self.policies.plan.of("aws_iam_user_group_membership"):
            for user in self.named(each, "user", "user", one=True):
                groups = self.named(each, "group", "groups")
                if not groups:
                    says = f"{each.address}: `groups` are known only after apply."
                    self.open.add(says, user.key)
                _join(user, groups)

    def hold(self, principal: str) -> bool:
        """A user or role of the feed's account has this ARN, or a session of a role."""
        scope = self.policies.scope
        if principal in self.policies.derived:
            return True
        held = (each for each in self.principals if each.named and each.place == scope.home)
        return scope.stated and any(
            each.has_arn(principal, scope.account, scope.partition) for each in held
        )

    def files(self, chosen: PlannedPrincipal, home: str) -> Iterator[tuple[str, list[FileTable]]]:
        """The tables of an account file, by kind: of the feed's account, and of the identity's."""
        places = [home, chosen.place]
        for kind in KINDS:
            yield kind, _once([(e.name, e.table) for e in self.of(kind) if e.place in places])
        yield "policy", _once([(e.name, e.table) for e in self.managed if e.place in places])


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _once(named: list[tuple[str, FileTable]]) -> list[FileTable]:
    """One table for each name: two places may each have one."""
    return list({name.lower(): table for name, table in named}.values())


def _join(user: PlannedPrincipal, groups: list[PlannedPrincipal]) -> None:
    for group in groups:
        if group not in user.groups:
            user.groups.append(group)
            user.table.setdefault("groups", []).append(group.name)
