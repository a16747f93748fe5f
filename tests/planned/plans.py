"""Terraform plans written small: the JSON that `terraform show -json` prints."""

from __future__ import annotations

import json
from typing import Any

ACCOUNT = "123456789012"
Json = dict[str, Any]


def reference(*names: str) -> Json:
    """An expression that refers to attributes; Terraform lists each one's prefixes after it."""
    listed = []
    for name in names:
        listed.append(name)
        stem = name
        while "." in stem and stem.count(".") > 1 + stem.startswith("data."):
            stem = stem.rpartition(".")[0]
            listed.append(stem)
    return {"references": listed}


def constant(value: Any) -> Json:
    """An expression that is a constant."""
    return {"constant_value": value}


def resource(address: str, values: Json | None = None, **more: Any) -> Json:
    """A resource: `unknown` mirrors values, `written` are its expressions, `index` its key."""
    mode = "data" if address.startswith("data.") else "managed"
    kind, _, name = address.removeprefix("data.").partition(".")
    return {"address": address, "mode": mode, "type": kind, "name": name,
            "values": values or {}, **more}  # fmt: skip


def plan(*resources: Json, modules: Json | None = None, **more: Any) -> Json:
    """A plan of these root resources; `modules` are name -> (resources, call, outputs)."""
    root, changes = _module(resources, "")
    config: Json = {"resources": _written(resources)}
    children = []
    for name, (inside, call, outputs) in (modules or {}).items():
        child, inner = _module(inside, f"module.{name}")
        children.append({"address": f"module.{name}", **child})
        changes += inner
        config.setdefault("module_calls", {})[name] = {
            "expressions": call,
            "module": {"resources": _written(inside), "outputs": outputs},
        }
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {**root, "child_modules": children}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": constant("eu-west-1")}}},
            "root_module": config,
        },
        **more,
    }


def _address(each: Json, module: str) -> str:
    index = each.get("index")
    key = "" if index is None else f"[{json.dumps(index)}]"
    return f"{module}.{each['address']}{key}".lstrip(".")


def _module(resources: Any, module: str) -> tuple[Json, list[Json]]:
    planned, changes = [], []
    for each in resources:
        address = _address(each, module)
        kept = ("mode", "type", "name", "values", "index")
        planned.append({"address": address} | {k: each[k] for k in kept if k in each})
        change = {
            "after_unknown": each.get("unknown", {}),
            "actions": each.get("actions", ["create"]),
        }
        changes.append({"address": address, "change": change})
    return {"resources": planned}, changes


def _written(resources: Any) -> list[Json]:
    blocks: dict[str, Json] = {}
    for each in resources:
        block = {"address": each["address"], "expressions": each.get("written", {})}
        if "for_each" in each:
            block["for_each_expression"] = each["for_each"]
        blocks[each["address"]] = block
    return list(blocks.values())


def repository(name: str, label: str = "app", **more: Any) -> Json:
    """A repository that does not exist yet."""
    return resource(
        f"aws_ecr_repository.{label}",
        {"name": name, "image_tag_mutability": "MUTABLE"},
        unknown={"arn": True, "repository_url": True},
        **more,
    )


def user(name: str = "octopus", **values: Any) -> Json:
    """A user that does not exist yet."""
    return resource(
        "aws_iam_user.feed", {"name": name, "path": "/", **values}, unknown={"arn": True}
    )


def statement(**parts: Any) -> Json:
    """One statement block of a policy document, as planned."""
    return {"effect": None, "sid": None, "condition": [], "principals": [], **parts}


def changed(each: Json, *actions: str, before: Json | None = None, **more: Any) -> Json:
    """An entry of `resource_changes`: what becomes of a resource, and what it was before."""
    kept = {key: each[key] for key in ("address", "mode", "type", "name")}
    return {**kept, "change": {"actions": list(actions), "before": before}, **more}


def access(*statements: Json) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, on: Any = "*", **more: Any) -> Json:
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> str:
    """A role's trust policy of one statement."""
    return access({"Effect": "Allow", "Action": action, "Principal": principal, **more})


EC2 = trust({"Service": "ec2.amazonaws.com"})


def role(name: str = "feed", label: str = "feed", trusts: str | None = EC2, **more: Any) -> Json:
    """A role that does not exist yet; `trusts` None: its trust is known only after apply."""
    values: Json = {"name": name, "path": "/", "max_session_duration": 3600}
    unknown: Json = {"arn": True}
    if trusts is None:
        unknown["assume_role_policy"] = True
    else:
        values["assume_role_policy"] = trusts
    return resource(
        f"aws_iam_role.{label}",
        {key: value for key, value in values.items() if value is not None} | more.pop("values", {}),
        unknown=unknown | more.pop("unknown", {}),
        **more,
    )
