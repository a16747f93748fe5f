"""A `terraform show -json` document: resources, values unknown until apply, regions, accounts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.naming import account_of, partition_of
from ecr_feed.planned.arns import PlanAccount, plan_account

Config = Mapping[str, Any]
_MODULE = re.compile(r"module\.([A-Za-z_][\w-]*)(\[[^\]]*\])?")
_REFERENCE = re.compile(
    r"(?P<base>(?:data\.)?[a-z][a-z0-9_]*\.[A-Za-z_][\w-]*)(?P<index>\[[^\]]*\])?(?:\.|$)"
)
_DEPTH: Final = 16  # modules and outputs that a reference may lead through


@dataclass(frozen=True, slots=True)
class Instance:
    """One resource (or data source) after apply. `unknown` mirrors `values`: true = not known."""

    address: str
    type: str
    base: str  # `type.name`, with `data.` before it for a data source
    module: str  # `module.a[0].module.b`, "" at the root
    index: str  # `0`, `"key"`, or ""
    values: Mapping[str, Any]
    unknown: Mapping[str, Any]

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the modules it is in, without their indices."""
        return tuple(name for name, _ in _MODULE.findall(self.module))

    def get(self, name: str) -> Any:
        """An attribute's value; None where it has none or it is not known yet."""
        return None if self.unknown.get(name) is True else self.values.get(name)


@dataclass(slots=True)
class Plan:
    """The parts of a plan that are used."""

    document: Mapping[str, Any]
    instances: tuple[Instance, ...] = field(init=False)

    def __post_init__(self) -> None:
        unknown = {
            change["address"]: change.get("change", {}).get("after_unknown") or {}
            for change in self.document.get("resource_changes", [])
        }
        planned = self.document.get("planned_values", {}).get("root_module", {})
        prior = self.document.get("prior_state", {}).get("values", {}).get("root_module", {})
        found = {each.address: each for each in _instances(prior, "", {}) if _is_data(each)}
        found |= {each.address: each for each in _instances(planned, "", unknown)}
        self.instances = tuple(found.values())

    def of(self, *types: str) -> Iterator[Instance]:
        """Managed resources of these types."""
        return (each for each in self.instances if each.type in types and not _is_data(each))

    def data(self, kind: str) -> Iterator[Instance]:
        """Data sources of a type."""
        return (each for each in self.instances if each.type == kind and _is_data(each))

    def module(self, path: tuple[str, ...]) -> Config:
        """A module's configuration."""
        config: Config = self.document.get("configuration", {}).get("root_module", {})
        for name in path:
            config = config.get("module_calls", {}).get(name, {}).get("module", {})
        return config

    def configuration(self, instance: Instance) -> Config:
        """The configuration block of an instance."""
        listed = self.module(instance.path).get("resources", [])
        return next((each for each in listed if each.get("address") == instance.base), {})

    def expression(self, instance: Instance, name: str) -> Any:
        """An attribute's expression: constants and references."""
        return self.configuration(instance).get("expressions", {}).get(name, {})

    def targets(self, instance: Instance, expression: Any) -> list[Instance]:
        """The resources that an expression of an instance refers to.

        All instances of a block, unless the expression picks one by key (`[each.key]`).
        """
        named = references(expression)
        keyed = any(each.startswith(("each.", "count.index")) for each in named)
        origin = instance if keyed else replace(instance, index="")
        found: dict[str, Instance] = {}
        for reference in named:
            for each in self._follow(origin, instance.module, reference, 0):
                found[each.address] = each
        return list(found.values())

    def _follow(
        self, origin: Instance, module: str, reference: str, depth: int
    ) -> Iterator[Instance]:
        if depth > _DEPTH:
            return
        head, _, rest = reference.partition(".")
        if head == "var":
            yield from self._variable(origin, module, rest, depth)
        elif head == "module":
            yield from self._output(origin, module, rest, depth)
        elif head == "each":
            loop = self.configuration(origin).get("for_each_expression", {})
            for name in references(loop):
                yield from self._follow(origin, module, name, depth + 1)
        elif found := _REFERENCE.match(reference):
            yield from self._instances_of(origin, module, found["base"], found["index"] or "")

    def _instances_of(self, origin: Instance, module: str, base: str, index: str) -> list[Instance]:
        """All instances of a block, or the one of the wanted key."""
        every = [each for each in self.instances if (each.module, each.base) == (module, base)]
        wanted = index.strip("[]") or origin.index
        same = [each for each in every if each.index and each.index == wanted]
        return same or ([] if index else every)

    def _variable(self, origin: Instance, module: str, name: str, depth: int) -> Iterator[Instance]:
        calls = _MODULE.findall(module)
        if not calls:
            return
        parent = module[: module.rindex("module.")].rstrip(".")
        path = tuple(each for each, _ in calls[:-1])
        call = self.module(path).get("module_calls", {}).get(calls[-1][0], {})
        written = call.get("expressions", {}).get(re.split(r"[.\[]", name)[0], {})
        for reference in references(written):
            yield from self._follow(origin, parent, reference, depth + 1)

    def _output(self, origin: Instance, module: str, rest: str, depth: int) -> Iterator[Instance]:
        found = re.match(r"([\w-]+)(\[[^\]]*\])?\.([\w-]+)", rest)
        if not found:
            return
        name, index, output = found.groups()
        path = tuple(each for each, _ in _MODULE.findall(module))
        config = self.module((*path, name)).get("outputs", {}).get(output, {})
        inner = f"{module}.module.{name}{index or ''}".lstrip(".")
        for reference in references(config.get("expression", {})):
            yield from self._follow(origin, inner, reference, depth + 1)


def references(expression: Any) -> list[str]:
    """Every reference in an expression, without the prefixes that Terraform lists after each."""
    if isinstance(expression, list):
        return [each for item in expression for each in references(item)]
    if not isinstance(expression, Mapping):
        return []
    kept: list[str] = []
    last = ""
    for each in expression.get("references", []):
        if not last.startswith((f"{each}.", f"{each}[")):
            kept.append(each)
        last = each
    nested = [v for k, v in expression.items() if k not in ("references", "constant_value")]
    return kept + references(nested)


def _is_data(instance: Instance) -> bool:
    return instance.base.startswith("data.")


def _instances(module: Config, address: str, unknown: Mapping[str, Any]) -> Iterator[Instance]:
    for each in module.get("resources", []):
        mark = "data." if each.get("mode") == "data" else ""
        key = each.get("index")
        yield Instance(
            each["address"],
            each["type"],
            f"{mark}{each['type']}.{each['name']}",
            address,
            "" if key is None else (f'"{key}"' if isinstance(key, str) else str(key)),
            each.get("values") or {},
            unknown.get(each["address"]) or {},
        )
    for child in module.get("child_modules", []):
        yield from _instances(child, child["address"], unknown)


_REGION = re.compile(r"arn:aws[a-z-]*:(?:ecr|iam|sts):([a-z0-9-]+):\d{12}:")
_OWNED = ("aws_ecr_repository", "aws_iam_user", "aws_iam_role", "aws_iam_policy")


@dataclass(slots=True)
class PlanScope:
    """The account, region and partition that the plan is applied to; `accounts` says how known."""

    account: str
    region: str
    partition: str
    accounts: PlanAccount


def scope_of(plan: Plan, region: str = "", account: str = "") -> PlanScope:
    """The scope. Raises AccountError where nothing names a region."""
    texts = [json.dumps(dict(each.values)) for each in plan.instances]
    accounts = plan_account(_read_account(plan) or account, texts)
    regions = Counter(found for text in texts for found in _REGION.findall(text))
    where = region or _provider_region(plan) or _data(plan, "aws_region", "name") or _most(regions)
    if not where:
        raise AccountError("The plan names no region: add --aws-region R.")
    return PlanScope(accounts.judged_in, where, partition_of(where) or "aws", accounts)


def _read_account(plan: Plan) -> str:
    """The account that Terraform read in AWS: who it is, or where its resources are; "" if none."""
    if caller := _data(plan, "aws_caller_identity", "account_id"):
        return caller
    owners = {account_of(str(each.get("arn") or "")) for each in plan.of(*_OWNED)} - {""}
    return owners.pop() if len(owners) == 1 else ""


def _most(counted: Counter[str]) -> str:
    return counted.most_common(1)[0][0] if counted else ""


def _data(plan: Plan, kind: str, attribute: str) -> str:
    for each in plan.data(kind):
        value = each.get(attribute) or each.get("id")
        if isinstance(value, str) and value:
            return value
    return ""


def region_of(plan: Plan, instance: Instance) -> str:
    """A resource's region: its own attribute (provider 6), or its provider's; "" if unknown."""
    own = instance.get("region")
    if isinstance(own, str) and own:
        return own
    key = plan.configuration(instance).get("provider_config_key", "")
    return _provider_region(plan, str(key)) if key else ""


def _provider_region(plan: Plan, key: str = "aws") -> str:
    providers = plan.document.get("configuration", {}).get("provider_config", {})
    written: Any = providers.get(key, {}).get("expressions", {}).get("region", {})
    constant = written.get("constant_value")
    if isinstance(constant, str):
        return constant
    for name in references(written):
        variable = plan.document.get("variables", {}).get(name.removeprefix("var."), {})
        if isinstance(variable.get("value"), str):
            return str(variable["value"])
    return ""
