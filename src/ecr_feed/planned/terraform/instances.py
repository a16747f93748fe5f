"""The objects that are in AWS after a plan is applied, and the data sources that it reads.

`resource_changes[].change.actions` says what becomes of each object. `delete` removes it. `forget`
leaves it in AWS, as in `change.before`, and out of the plan's values; `create` with `forget` leaves
the old object beside the new one. All else is as in `planned_values`. OpenTofu writes the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ecr_feed.embedded.seeding.account_file import AccountError

Json = Mapping[str, Any]
MODULE: Final = re.compile(r"module\.([A-Za-z_][\w-]*)(\[[^\]]*\])?")
_KEYS: Final = ("address", "type", "name")


@dataclass(frozen=True, slots=True)
class Instance:
    """One resource (or data source) after apply. `unknown` mirrors `values`: true = not known."""

    address: str
    type: str
    base: str  # `type.name`, with `data.` before it for a data source
    module: str  # `module.a[0].module.b`, "" at the root
    index: str  # `0`, `"key"`, or ""
    values: Json
    unknown: Json
    forgotten: bool = False  # it stays in AWS, and Terraform no longer manages it
    exists: bool = True  # already, before apply

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the modules it is in, without their indices."""
        return tuple(name for name, _ in MODULE.findall(self.module))

    @property
    def is_data(self) -> bool:
        """It is read, not made."""
        return self.base.startswith("data.")

    def get(self, name: str) -> Any:
        """An attribute's value; None where it has none or it is not known yet."""
        return None if self.unknown.get(name) is True else self.values.get(name)

    def text(self, name: str) -> str:
        """An attribute that is a text; "" where it is none, or not known yet."""
        found = self.get(name)
        return found if isinstance(found, str) else ""


def instances_of(document: Json) -> tuple[Instance, ...]:
    """Every object after apply, by address. Raises AccountError for one without its keys."""
    changes = [each for each in document.get("resource_changes") or [] if _is_change(each)]
    current = {each["address"]: _change(each) for each in changes if not each.get("deposed")}
    found: dict[str, Instance] = {}
    prior = (document.get("prior_state") or {}).get("values") or {}
    for each in _resources(prior.get("root_module") or {}, ""):
        if each.is_data:
            found[each.address] = each
    planned = document.get("planned_values") or {}
    for each in _resources(planned.get("root_module") or {}, ""):
        change = current.get(each.address, {})
        if _actions(change) not in (("delete",), ("forget",)):
            unknown = change.get("after_unknown")
            kept = unknown if isinstance(unknown, Mapping) else {}
            exists = not each.is_data and _actions(change) != ("create",)
            found[each.address] = replace(each, unknown=kept, exists=exists)
    for listed in changes:
        if "forget" in _actions(_change(listed)):
            forgotten = _forgotten(listed)
            if forgotten.address in found:
                mark = " ".join(filter(None, ("forgotten", listed.get("deposed"))))
                forgotten = replace(forgotten, address=f"{forgotten.address} ({mark})")
            found[forgotten.address] = forgotten
    return tuple(found.values())


def _is_change(each: Any) -> bool:
    return isinstance(each, Mapping) and isinstance(each.get("address"), str)


def _change(listed: Json) -> Json:
    change = listed.get("change")
    return change if isinstance(change, Mapping) else {}


def _actions(change: Json) -> tuple[str, ...]:
    return tuple(change.get("actions") or ())


def _forgotten(listed: Json) -> Instance:
    """The object that a change leaves in AWS, as it was before."""
    before = _change(listed).get("before")
    module = listed.get("module_address") or ""
    resource = {**listed, "values": before if isinstance(before, Mapping) else {}}
    return replace(_instance(resource, module), forgotten=True)


def _resources(module: Json, address: str) -> Iterator[Instance]:
    for each in module.get("resources") or []:
        yield _instance(each, address)
    for child in module.get("child_modules") or []:
        yield from _resources(child, child.get("address") or "")


def _instance(each: Json, module: str) -> Instance:
    if missing := [key for key in _KEYS if not isinstance(each.get(key), str)]:
        where = each.get("address") or module or "the root module"
        raise AccountError(f"A resource of the plan ({where}) has no `{missing[0]}`: not whole.")
    mark = "data." if each.get("mode") == "data" else ""
    key = each.get("index")
    return Instance(
        each["address"],
        each["type"],
        f"{mark}{each['type']}.{each['name']}",
        module,
        "" if key is None else (f'"{key}"' if isinstance(key, str) else str(key)),
        each.get("values") or {},
        {},
    )
