"""A `terraform show -json` document: its objects, and what the expressions of each refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ecr_feed.planned.terraform.instances import MODULE, Instance, instances_of

Config = Mapping[str, Any]
_REFERENCE = re.compile(
    r"(?P<base>(?:data\.)?[a-z][a-z0-9_]*\.[A-Za-z_][\w-]*)(?P<index>\[[^\]]*\])?(?:\.|$)"
)
_DEPTH: Final = 16  # modules and outputs that a reference may lead through


@dataclass(slots=True)
class Plan:
    """The parts of a plan that are used."""

    document: Mapping[str, Any]
    instances: tuple[Instance, ...] = field(init=False)
    _blocks: dict[tuple[str, ...], dict[str, Config]] = field(default_factory=dict, init=False)
    _managed: dict[tuple[str, str], list[Instance]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.instances = instances_of(self.document)
        for each in self.instances:
            if not each.forgotten:
                self._managed.setdefault((each.module, each.base), []).append(each)

    def of(self, *types: str) -> Iterator[Instance]:
        """Managed resources of these types."""
        return (each for each in self.instances if each.type in types and not each.is_data)

    def data(self, kind: str) -> Iterator[Instance]:
        """Data sources of a type."""
        return (each for each in self.instances if each.type == kind and each.is_data)

    @property
    def providers(self) -> Config:
        """The configured providers: `aws`, `aws.ALIAS`, `module.a:aws`."""
        return _inside(self.document, "configuration", "provider_config")

    def provider(self, instance: Instance) -> Config:
        """The provider of an instance; the one without an alias where no other is named."""
        return self.provider_of(self.configuration(instance).get("provider_config_key") or "aws")

    def provider_of(self, key: str) -> Config:
        """The provider of that key; the root's where a module has none of its own."""
        root = key.rpartition(":")[2]
        found: Config = self.providers.get(key) or self.providers.get(root) or {}
        return found

    def constant(self, written: Any) -> Any:
        """An expression's constant, or the value of the variable that it is; else None."""
        if not isinstance(written, Mapping):
            return None
        if "constant_value" in written:
            return written["constant_value"]
        variables = self.document.get("variables") or {}
        values = [variables.get(name.removeprefix("var.")) for name in references(written)]
        return values[0].get("value") if len(values) == 1 and values[0] else None

    def module(self, path: tuple[str, ...]) -> Config:
        """A module's configuration."""
        config = _inside(self.document, "configuration", "root_module")
        for name in path:
            config = _inside(config, "module_calls", name, "module")
        return config

    def configuration(self, instance: Instance) -> Config:
        """The configuration block of an instance."""
        path = instance.path
        if path not in self._blocks:
            listed = self.module(path).get("resources") or []
            self._blocks[path] = {str(each.get("address")): each for each in listed}
        return self._blocks[path].get(instance.base) or {}

    def expression(self, instance: Instance, name: str) -> Any:
        """An attribute's expression: constants and references."""
        return _inside(self.configuration(instance), "expressions").get(name) or {}

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
        every = self._managed.get((module, base), [])
        wanted = index.strip("[]") or origin.index
        same = [each for each in every if each.index and each.index == wanted]
        return same or ([] if index else every)

    def _variable(self, origin: Instance, module: str, name: str, depth: int) -> Iterator[Instance]:
        calls = MODULE.findall(module)
        if not calls:
            return
        parent = module[: module.rindex("module.")].rstrip(".")
        path = tuple(each for each, _ in calls[:-1])
        call = _inside(self.module(path), "module_calls", calls[-1][0], "expressions")
        written = call.get(re.split(r"[.\[]", name)[0]) or {}
        for reference in references(written):
            yield from self._follow(origin, parent, reference, depth + 1)

    def _output(self, origin: Instance, module: str, rest: str, depth: int) -> Iterator[Instance]:
        found = re.match(r"([\w-]+)(\[[^\]]*\])?\.([\w-]+)", rest)
        if not found:
            return
        name, index, output = found.groups()
        path = tuple(each for each, _ in MODULE.findall(module))
        config = _inside(self.module((*path, name)), "outputs", output)
        inner = f"{module}.module.{name}{index or ''}".lstrip(".")
        for reference in references(config.get("expression", {})):
            yield from self._follow(origin, inner, reference, depth + 1)


def _inside(config: Config, *names: str) -> Config:
    """The object under these keys; {} where there is none."""
    for name in names:
        config = config.get(name) or {}
    return config


def references(expression: Any) -> list[str]:
    """Every reference in an expression, without the prefixes that Terraform lists after each."""
    if isinstance(expression, list):
        return [each for item in expression for each in references(item)]
    if not isinstance(expression, Mapping):
        return []
    kept: list[str] = []
    last = ""
    for each in expression.get("references") or []:
        if not last.startswith((f"{each}.", f"{each}[")):
            kept.append(each)
        last = each
    nested = [v for k, v in expression.items() if k not in ("references", "constant_value")]
    return kept + references(nested)
